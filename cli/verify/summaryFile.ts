// The file that `npm start -- --json` writes, as `keel verify` reads it back.
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { StartError } from '../supervisor/dataDir.js';

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
  // Absent in files of a Keel that had no definitions.
  definition: z.looseObject({ id: text, version: z.number() }).nullable().optional(),
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

/** @throws StartError naming what is missing or wrong in the file */
export function readSummary(file: string): SummaryFile {
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
