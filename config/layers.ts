// Reads the YAML files and the environment as layers, and lays one over the other. Called by load.ts alone.
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isNode, LineCounter, parse, parseDocument } from 'yaml';
import type { Problem } from './problems.js';
import {
  commandVariables,
  composeVariables,
  fileVariables,
  variableOf,
  variables,
  type Variable,
} from './variables.js';

export type Tree = Record<string, unknown>;

export interface Layer {
  readonly values: Tree;
  /** Where a path of this layer was written, for messages. */
  where(path: readonly string[]): string;
}

export const isTree = (value: unknown): value is Tree =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The folder of the YAML files: beside this file in the sources, in the package when this file is compiled. */
export function configDirectory(): string {
  const here = dirname(fileURLToPath(import.meta.url));
  return existsSync(join(here, 'default.yaml')) ? here : join(here, '..', '..', 'config');
}

/** The layers of one YAML file: its settings, and its settings for each mode. */
interface FileLayers {
  readonly base: Layer;
  readonly byMode: (mode: string) => Layer;
}

/** Reads one file. Unreadable or broken YAML becomes problems with file and line, and no settings. */
export function readFileLayers(directory: string, name: string, problems: Problem[]): FileLayers {
  const shown = `config/${name}`;
  const lines = new LineCounter();
  let text = '';
  try {
    text = readFileSync(join(directory, name), 'utf8');
  } catch (error) {
    problems.push(
      broken(
        shown,
        `cannot be read: ${(error as NodeJS.ErrnoException).code ?? 'error'}`,
        'restore the file',
      ),
    );
  }
  const document = parseDocument(text, { lineCounter: lines });
  for (const error of document.errors) {
    const { line, col } = lines.linePos(error.pos[0]);
    const message = error.message.split('\n')[0]?.replace(/ at line \d+, column \d+:?$/, '') ?? error.code;
    problems.push(
      broken(`${shown}:${String(line)}:${String(col)}`, `is no valid YAML: ${message}`, 'correct that line'),
    );
  }
  const tree: unknown = document.errors.length > 0 ? {} : (document.toJS() ?? {});
  if (!isTree(tree)) problems.push(broken(shown, 'is not a list of settings', 'write `name: value` lines'));
  const { byMode, ...base } = isTree(tree) ? tree : {};
  const where = (prefix: readonly string[]) => (path: readonly string[]) => {
    const node = document.getIn([...prefix, ...path], true);
    const start = isNode(node) ? node.range?.[0] : undefined;
    return start === undefined ? shown : `${shown}:${String(lines.linePos(start).line)}`;
  };
  const modes = isTree(byMode) ? byMode : {};
  for (const mode of Object.keys(modes)) {
    if (!['simulated', 'paper', 'live'].includes(mode)) {
      problems.push(broken(shown, `has byMode.${mode}, which is no mode`, 'use simulated, paper or live'));
    }
  }
  return {
    base: { values: base, where: where([]) },
    byMode: (mode) => {
      const values = modes[mode];
      return { values: isTree(values) ? values : {}, where: where(['byMode', mode]) };
    },
  };
}

const broken = (path: string, problem: string, fix: string): Problem => ({
  path,
  given: null,
  from: null,
  problem,
  fix,
});

/** The environment as a layer. Empty variables count as not set, save for safety limits, where they are an error. */
export function environmentLayer(env: NodeJS.ProcessEnv): Layer {
  const values: Tree = {};
  for (const [name, { path, kind }] of Object.entries(variables)) {
    const text = env[name];
    if (text === undefined || (text === '' && !path.startsWith('risk.'))) continue;
    setPath(values, path.split('.'), convert(text, kind));
  }
  if (env['MINIO_ENDPOINT']) {
    values['objectStore'] = {
      kind: 'minio',
      bucket: 'keel',
      region: 'us-east-1',
      ...(values['objectStore'] as Tree),
    };
  }
  return {
    values,
    // Of an item of a list, the variable is that of the list.
    where: (path) => variableOf(path.join('.').replace(/(\.\d+)+$/, '')) ?? 'environment',
  };
}

function convert(text: string, kind: Variable['kind']): unknown {
  if (kind === 'yaml') return parsed(text);
  if (kind === 'list' || kind === 'addresses') {
    return text
      .split(',')
      .map((part) => (kind === 'list' ? part.replaceAll(':', '') : part).trim())
      .filter((part) => part !== '');
  }
  const number = kind === 'number' && text.trim() !== '' ? Number(text) : NaN;
  return Number.isNaN(number) ? text : number;
}

/** What is no YAML stays as it is: the schema then says that it is wrong. */
function parsed(text: string): unknown {
  try {
    return parse(text);
  } catch {
    return text;
  }
}

/**
 * Names that mean nothing and are most likely a typing error, which must not pass in silence: all that start with KEEL_. With
 * IBKR_ other programs may have variables too, so one of these is an error where it is nearly one of Keel's that is not set.
 */
export function unknownVariables(env: NodeJS.ProcessEnv): Problem[] {
  const files = fileVariables.map((name) => `${name}_FILE`);
  const known = [...Object.keys(variables), ...commandVariables, ...composeVariables, ...files];
  return Object.keys(env)
    .filter((name) => env[name] !== undefined && !known.includes(name))
    .filter((name) => name.startsWith('KEEL_') || isSlip(name, env))
    .map((name) => ({
      path: name,
      given: null,
      from: null,
      problem: 'is no variable of Keel',
      fix: meaning(closest(name, known)),
    }));
}

const isSlip = (name: string, env: NodeJS.ProcessEnv): boolean =>
  name.startsWith('IBKR_') &&
  Object.keys(variables).some((other) => env[other] === undefined && distance(name, other) <= 2);

const meaning = (near: string | null): string =>
  near === null
    ? 'take it out; the variables are listed in .env.example'
    : `did you mean ${near}? The variables are listed in .env.example`;

/** Letters put in, left out, changed, or swapped with the next one. */
function distance(a: string, b: string): number {
  let before: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const change = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const swap = swapped ? (before[j - 2] ?? 0) + 1 : Infinity;
      next.push(Math.min(change, swap, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    before = row;
    row = next;
  }
  return row[b.length] ?? 0;
}

/** The candidate with the smallest edit distance; null where none is near: one edit for each three letters at most. */
export function closest(word: string, candidates: readonly string[]): string | null {
  const [best] = candidates
    .map((name) => ({ name, edits: distance(word, name) }))
    .sort((a, b) => a.edits - b.edits);
  if (best === undefined) return null;
  const begins = word.length >= 3 && best.name.startsWith(word);
  const most = Math.max(1, Math.min(word.length, best.name.length) / 3);
  return begins || best.edits <= most ? best.name : null;
}

/** Lays `over` on `under`. A section whose `kind` changes is replaced whole: its settings belong to the other kind. */
export function merge(under: Tree, over: Tree): Tree {
  const result: Tree = { ...under };
  for (const [key, value] of Object.entries(over)) {
    if (value === undefined) continue;
    const old = result[key];
    const replaced =
      isTree(old) &&
      isTree(value) &&
      key === 'objectStore' &&
      'kind' in value &&
      value['kind'] !== old['kind'];
    result[key] = isTree(old) && isTree(value) && !replaced ? merge(old, value) : value;
  }
  return result;
}

export function getPath(tree: unknown, path: readonly string[]): unknown {
  let value = tree;
  for (const key of path) value = isTree(value) || Array.isArray(value) ? (value as Tree)[key] : undefined;
  return value;
}

function setPath(tree: Tree, path: readonly string[], value: unknown): void {
  let at = tree;
  for (const key of path.slice(0, -1)) at = (at[key] ??= {}) as Tree;
  const last = path.at(-1);
  if (last !== undefined) at[last] = value;
}
