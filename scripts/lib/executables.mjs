// Finds and tries executables. Used by temporal.mjs, s3.mjs and goInstall.mjs.
import { accessSync, constants, statSync } from 'node:fs';
import path from 'node:path';
import { run, tail } from './run.mjs';

/** Whether a file is there and may be run. */
export const isExecutable = (file) => {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
};

/** The first `name` on PATH, or null. */
export const onPath = (name, env = process.env) =>
  (env.PATH ?? '')
    .split(path.delimiter)
    .filter((folder) => folder !== '')
    .map((folder) => path.join(folder, name))
    .find(isExecutable) ?? null;

/** Runs `file --version`: null when it answers, else what is wrong with it. */
export const tryVersion = async (file) => {
  if (!isExecutable(file)) return 'no such executable file';
  const result = await run(file, ['--version'], { timeoutMs: 30_000 });
  if (result.code === 0) return null;
  return result.timedOut
    ? 'no answer to --version within 30 s'
    : tail(result.output, 3) || `exit code ${result.code}`;
};
