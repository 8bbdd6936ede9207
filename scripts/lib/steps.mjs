// The checks that need no server, each one a command: format, lint, import table, types, unused code.
// Used by check.mjs and test.mjs.
import { existsSync } from 'node:fs';
import path from 'node:path';
import { bin, layers, root } from './paths.mjs';
import { run } from './run.mjs';
import { duration, say } from './say.mjs';

/** A second check of a checkout looks only at the files that have changed; a fresh clone has no cache. */
const cached = (tool) => [
  '--cache',
  '--cache-strategy',
  'content',
  '--cache-location',
  path.join(root, 'node_modules', '.cache', 'keel', tool),
];

/** Name, command, arguments; the longest first, so that two at a time end soonest. */
const commands = () => [
  ['lint', 'eslint', ['.', '--max-warnings', '0', ...cached('eslint')]],
  [
    'imports',
    'depcruise',
    [
      '--config',
      '.dependency-cruiser.cjs',
      '--output-type',
      'err',
      ...layers.filter((name) => existsSync(path.join(root, name))),
    ],
  ],
  ['types', 'tsc', ['--noEmit']],
  ['unused', 'knip', []],
  ['format', 'prettier', ['--check', '--log-level', 'warn', ...cached('prettier'), '.']],
];

const runCommand = async ([name, command, args]) => {
  const start = performance.now();
  const result = await run(bin(command), args, { cwd: root, timeoutMs: 10 * 60_000 });
  return report(name, result.code === 0, performance.now() - start, result.output);
};

/** Prints one line of a finished step, and its output when it failed. */
export const report = (name, passed, ms, output) => {
  say(`${passed ? '✓' : '✗'} ${name.padEnd(8)} ${duration(ms)}`);
  if (!passed) say(output);
  return { name, passed };
};

/**
 * Runs every check, two at a time.
 * @param {(() => Promise<{ name: string, passed: boolean }>)[]} [more] steps of the caller, started first
 * @returns {Promise<{ name: string, passed: boolean }[]>}
 */
export const runChecks = async (more = []) => {
  const waiting = [...more, ...commands().map((command) => () => runCommand(command))];
  const results = [];
  const lane = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) results.push(await next());
  };
  await Promise.all([lane(), lane()]);
  return results;
};
