// The keys of the model profiles, from where the settings point: an environment variable or a file, never the settings
// themselves. Called by load.ts.
import { readFileSync } from 'node:fs';
import type { Tree } from './layers.js';
import { getPath, isTree, merge } from './layers.js';
import type { Problem } from './problems.js';

/** @returns the tree with the key of each profile in place; what is wrong is added to the problems */
export function withModelKeys(tree: Tree, env: NodeJS.ProcessEnv, problems: Problem[]): Tree {
  const profiles = getPath(tree, ['model', 'profiles']);
  if (!isTree(profiles)) return tree;
  const found: Tree = {};
  for (const [name, profile] of Object.entries(profiles)) {
    if (!isTree(profile)) continue;
    const path = `model.profiles.${name}`;
    const refuse = (field: string, problem: string, fix: string): void => {
      problems.push({ path: `${path}.${field}`, given: null, from: null, problem, fix });
    };
    if ('apiKey' in profile) {
      refuse('apiKey', 'would put a key among the settings', 'use key: env:NAME or file:PATH in its place');
    }
    const reference = profile['key'];
    const apiKey = typeof reference === 'string' ? keyOf(reference, env) : '';
    if (apiKey === null) {
      refuse(
        'key',
        `names nothing that can be read (${String(reference)})`,
        'set the variable, or write the file',
      );
    }
    found[name] = { apiKey: apiKey ?? '' };
  }
  return merge(tree, { model: { profiles: found } });
}

/** @returns null where nothing is there */
function keyOf(reference: string, env: NodeJS.ProcessEnv): string | null {
  if (reference.startsWith('env:')) return env[reference.slice(4)] || null;
  if (!reference.startsWith('file:')) return '';
  try {
    return readFileSync(reference.slice(5), 'utf8').trim() || null;
  } catch {
    return null;
  }
}
