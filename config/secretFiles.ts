// Secrets from files, as containers get them: <VARIABLE>_FILE names a file whose text is the value of a secret variable (or
// of another that variables.ts lists).
// Called by load.ts, and by the commands that look at the environment before it.
import { readFileSync } from 'node:fs';
import type { Problem } from './problems.js';
import { fileVariables } from './variables.js';

/**
 * @returns the environment with each readable file's text (without its last line break) in place of its name, and what is
 * wrong with the others, which stay as they are
 */
export function withSecretFiles(given: NodeJS.ProcessEnv): {
  readonly env: NodeJS.ProcessEnv;
  readonly problems: readonly Problem[];
} {
  const env = { ...given };
  const problems: Problem[] = [];
  for (const name of fileVariables) {
    const fileVariable = `${name}_FILE`;
    const file = given[fileVariable];
    if (file === undefined || file === '') continue;
    const refuse = (problem: string, fix: string): void => {
      problems.push({ path: fileVariable, given: null, from: null, problem, fix });
    };
    if (given[name]) {
      refuse(`is set together with ${name}`, 'keep one of the two');
      continue;
    }
    try {
      const text = readFileSync(file, 'utf8').replace(/\r?\n$/, '');
      if (text === '') refuse(`names an empty file (${file})`, 'write the secret into it');
      else {
        env[name] = text;
        env[fileVariable] = undefined;
      }
    } catch (error) {
      const reason = (error as NodeJS.ErrnoException).code ?? 'error';
      refuse(`names a file that can not be read (${file}: ${reason})`, 'correct the path, or its rights');
    }
  }
  return { env, problems };
}
