// `keel verify FILE`: holds the summary of a run against everything that was stored, in a process that had no part in
// it. Re-hashes every object, makes decision and quantity again, and compares the order with the simulator's ledger.
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { createFilesystemObjectStore } from '../../adapters/filesystem/objectStore.js';
import { createMinioObjectStore } from '../../adapters/minio/objectStore.js';
import { loadConfig } from '../../config/load.js';
import type { ObjectStorePort } from '../../ports/objectStore.js';
import type { Say } from '../say.js';
import { StartError } from '../supervisor/dataDir.js';
import { UsageError } from '../supervisor/options.js';
import { createCheckList } from '../verify/checks.js';
import { openForReading } from '../verify/database.js';
import { checkEvidence } from '../verify/evidence.js';
import { checkAllFiles } from '../verify/objects.js';
import { checkOrder } from '../verify/order.js';
import { checkVerdicts } from '../verify/verdicts.js';

const text = z.string();
const maybe = z.string().nullable();

const bars = z.looseObject({
  count: z.number(),
  first: text,
  last: text,
  source: text,
  key: text,
  sha256: text,
});
const chart = z.looseObject({
  ...{ timeframe: text, key: text, sha256: text, bytes: z.number(), width: z.number(), height: z.number() },
});
const risk = z.looseObject({ approved: z.boolean(), code: text, quantity: text, riskAmount: text });
const order = z.looseObject({
  clientOrderId: text,
  brokerOrderId: maybe,
  status: text,
  filledQuantity: text,
});

const fileSchema = z.looseObject({
  runId: text,
  workflowId: text,
  strategyId: text,
  symbol: text,
  mode: z.enum(['simulated', 'paper', 'live']),
  session: text,
  slot: text,
  status: text.optional(),
  outcome: maybe.optional(),
  bars: z.record(text, bars),
  charts: z.array(chart),
  decision: z.looseObject({ action: text }).nullable(),
  risk: risk.extend({ checks: z.array(z.unknown()) }).nullable(),
  order: order.extend({ averagePrice: maybe }).nullable(),
  steps: z.array(z.unknown()),
  dataDir: text,
  databaseDir: maybe,
  objectDir: maybe.optional(),
  ledgerFile: maybe,
});

export type SummaryFile = z.infer<typeof fileSchema>;

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
      const decided = await checkEvidence(facts);
      await checkVerdicts(facts, decided);
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
    const { values, positionals } = parseArgs({
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

function readSummary(file: string): SummaryFile {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new StartError(`${file} cannot be read as JSON: give the file that npm start -- --json wrote`, {
      cause: error,
    });
  }
  const parsed = fileSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
  throw new StartError(`${file} is no summary of a run: ${problems.join('; ')}`);
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
