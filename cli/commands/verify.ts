// `keel verify FILE`: holds the summary of a run against everything that was stored, in a process that had no part in
// it. Re-hashes every object, makes decision and quantity again, and compares the order with the simulator's ledger.
import { createFilesystemObjectStore } from '../../adapters/filesystem/objectStore.js';
import { createMinioObjectStore } from '../../adapters/minio/objectStore.js';
import { loadConfig } from '../../config/load.js';
import type { ObjectStorePort } from '../../ports/objectStore.js';
import { parseArguments } from '../arguments.js';
import type { Say } from '../say.js';
import { StartError } from '../supervisor/dataDir.js';
import { UsageError } from '../supervisor/options.js';
import { createCheckList } from '../verify/checks.js';
import { checkDefinition } from '../verify/definition.js';
import { openForReading } from '../verify/database.js';
import { checkEvidence } from '../verify/evidence.js';
import { checkAllFiles } from '../verify/objects.js';
import { checkOrder } from '../verify/order.js';
import type { SummaryFile } from '../verify/summaryFile.js';
import { readSummary } from '../verify/summaryFile.js';
import { checkVerdicts } from '../verify/verdicts.js';

export const verifyHelp = `Usage: keel verify FILE [--quiet]

Checks the summary that npm start -- --json FILE wrote against the stored facts of the run.
Exit code 0 when every check holds, 1 when one fails.

  --quiet   prints only what fails

Example:
  keel verify out.json`;

/** @returns 0 when everything holds, 1 when a check fails */
export async function verifyCommand(
  args: readonly string[],
  out: Say,
  env: NodeJS.ProcessEnv,
): Promise<number> {
  const { file, quiet } = readArguments(args);
  const summary = readSummary(file);
  const list = createCheckList();
  const objects = objectStoreOf(summary, env);
  const database = await openForReading(summary, env, out);
  try {
    const run = await database.stores.runs.get(summary.runId);
    list.holds(`run ${summary.runId} is stored`, run !== null, 'there is no such run in the database');
    if (run !== null) {
      const facts = { list, summary, run, objects, stores: database.stores };
      const definition = await checkDefinition(facts);
      const decided = await checkEvidence(facts);
      await checkVerdicts(facts, decided, definition);
      await checkOrder(facts);
    }
  } finally {
    await database.close();
  }
  const directory = objectDirectoryOf(summary);
  if (directory !== null) checkAllFiles(list, directory);
  const failed = list.checks.filter(({ ok }) => !ok);
  for (const { what, ok, problem } of list.checks) {
    if (!ok) out(`  ✗ ${what}: ${problem ?? ''}`);
    else if (!quiet) out(`  ✓ ${what}`);
  }
  const count = String(list.checks.length);
  out(
    failed.length === 0
      ? `Verified: all ${count} checks hold.`
      : `NOT verified: ${String(failed.length)} of ${count} checks fail.`,
  );
  return failed.length === 0 ? 0 : 1;
}

function readArguments(args: readonly string[]): { file: string; quiet: boolean } {
  try {
    const { values, positionals } = parseArguments({
      args: [...args],
      allowPositionals: true,
      options: { quiet: { type: 'boolean' } },
    });
    const [file, ...rest] = positionals;
    if (file === undefined || rest.length > 0) throw new Error('one FILE is needed');
    return { file, quiet: values.quiet ?? false };
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error), { cause: error });
  }
}

const objectDirectoryOf = ({ objectDir, dataDir }: SummaryFile): string | null =>
  objectDir === undefined ? `${dataDir}/objects` : objectDir;

function objectStoreOf(summary: SummaryFile, env: NodeJS.ProcessEnv): ObjectStorePort {
  const directory = objectDirectoryOf(summary);
  if (directory !== null) return createFilesystemObjectStore({ directory });
  const { objectStore } = loadConfig(env, { need: ['objectStore'] });
  if (objectStore.kind === 'filesystem') {
    throw new StartError(
      "the run's objects are in an S3 store: set MINIO_ENDPOINT and its keys as they were",
    );
  }
  return createMinioObjectStore({ ...objectStore, timeoutMs: 10_000 });
}
