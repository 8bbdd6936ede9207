// Runs one vitest project and counts its tests from vitest's own record. Used by check.mjs and test.mjs.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { bin, root } from './paths.mjs';
import { run } from './run.mjs';

/**
 * Counts tests in vitest's JSON. A file that failed without a failed test (it could not be loaded, or a hook broke)
 * counts as one failure.
 * @returns {{ passed: number, failed: number, skipped: string[] }}
 */
export const countTests = (record) => {
  const counts = { passed: 0, failed: 0, skipped: [] };
  for (const file of record.testResults) {
    const failedBefore = counts.failed;
    for (const test of file.assertionResults) {
      if (test.status === 'passed') counts.passed += 1;
      else if (test.status === 'failed') counts.failed += 1;
      else counts.skipped.push(test.fullName);
    }
    if (file.status === 'failed' && counts.failed === failedBefore) counts.failed += 1;
  }
  return counts;
};

/**
 * @param {string} project unit or integration
 * @param {{ live: boolean, env?: NodeJS.ProcessEnv, timeoutMs: number }} options `live` shows the tests as they run
 * @returns {Promise<{ passed: number, failed: number, skipped: string[], output: string }>} at least one failure when
 *   vitest itself failed or ran nothing
 */
export const runProject = async (project, { live, env, timeoutMs }) => {
  const folder = await mkdtemp(path.join(tmpdir(), 'keel-vitest-'));
  const file = path.join(folder, 'results.json');
  try {
    const result = await run(
      bin('vitest'),
      ['run', '--project', project, '--reporter=default', '--reporter=json', `--outputFile.json=${file}`],
      { cwd: root, env, timeoutMs, live },
    );
    const record = await readFile(file, 'utf8').then(JSON.parse, () => null);
    const counts = record === null ? { passed: 0, failed: 0, skipped: [] } : countTests(record);
    const ranNone = counts.passed + counts.failed === 0;
    // Errors outside any test (an unhandled rejection, the global set-up) show only in the exit code.
    if (counts.failed === 0 && (result.code !== 0 || ranNone)) counts.failed = 1;
    const cause = result.timedOut ? `\nstopped after ${timeoutMs / 60_000} minutes` : '';
    return { ...counts, output: result.output + cause };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};

/** The line that closes a test run: nothing else stands on it. */
export const closingLine = ({ passed, failed, skipped }) =>
  `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
