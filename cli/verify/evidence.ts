// Run, bars, charts and decision of a summary against the database, the objects and a decision made again.
// Called by `keel verify`.
import type { DecisionInput } from '../../activities/decision.js';
import type { Stores } from '../../db/stores.js';
import type { Decision } from '../../domain/decision/decision.js';
import type { ObjectStorePort } from '../../ports/objectStore.js';
import type { BarSetRow } from '../../ports/evidence.js';
import type { RunRow } from '../../ports/stores.js';
import type { CheckList } from './checks.js';
import { checkObject, pngSize } from './objects.js';
import { decideAgain } from './replay.js';
import type { SummaryFile } from './summaryFile.js';

export interface VerifyFacts {
  readonly list: CheckList;
  readonly summary: SummaryFile;
  readonly run: RunRow;
  readonly objects: ObjectStorePort;
  readonly stores: Stores;
}

/** @returns the stored decision; null when the run made none */
export async function checkEvidence(facts: VerifyFacts): Promise<Decision | null> {
  const { list, summary, run, stores } = facts;
  for (const key of ['workflowId', 'strategyId', 'symbol', 'mode', 'session', 'slot'] as const) {
    list.same(`${key} is that of the stored run`, summary[key], run[key]);
  }
  for (const key of ['status', 'outcome'] as const) {
    if (summary[key] !== undefined) list.same(`${key} is that of the stored run`, summary[key], run[key]);
  }
  list.same('steps are those of the stored run', summary.steps, await stores.runs.steps(run.id));
  await checkBars(facts);
  await checkCharts(facts);
  return checkDecision(facts);
}

async function checkBars({ list, summary, run, objects, stores }: VerifyFacts): Promise<void> {
  const stored = await stores.evidence.bars(run.id);
  const shown = stored.map(({ timeframe, count, first, last, source, object }) => [
    timeframe,
    { count, first, last, source, key: object.key, sha256: object.sha256 },
  ]);
  list.same('sets of bars are those of the database', summary.bars, Object.fromEntries(shown));
  for (const row of stored) {
    const bytes = await checkObject(list, objects, `${row.timeframe} bars`, row.object);
    if (bytes !== null) checkBarContents(list, row, bytes);
  }
}

function checkBarContents(list: CheckList, row: BarSetRow, bytes: Uint8Array): void {
  const { rows, symbol, source } = JSON.parse(new TextDecoder().decode(bytes)) as {
    rows: readonly (readonly [string, ...number[]])[];
    symbol: string;
    source: string;
  };
  list.same(
    `${row.timeframe} bars of ${symbol}: count, first, last and source are those of the stored set`,
    { count: rows.length, first: rows[0]?.[0], last: rows.at(-1)?.[0], source },
    { count: row.count, first: row.first, last: row.last, source: row.source },
  );
}

const byTimeframe = <T extends { timeframe: string }>(rows: readonly T[]): T[] =>
  [...rows].sort((a, b) => a.timeframe.localeCompare(b.timeframe));

async function checkCharts({ list, summary, run, objects, stores }: VerifyFacts): Promise<void> {
  const stored = await stores.evidence.charts(run.id);
  const shown = stored.map(({ timeframe, object, width, height }) => ({
    timeframe,
    ...object,
    width,
    height,
  }));
  list.same('charts are those of the database', byTimeframe(summary.charts), byTimeframe(shown));
  for (const { timeframe, object, width, height } of stored) {
    const bytes = await checkObject(list, objects, `${timeframe} chart`, object);
    if (bytes === null) continue;
    list.same(`${timeframe} chart is a PNG of the stored size`, pngSize(bytes), { width, height });
  }
}

async function checkDecision({ list, summary, run, objects, stores }: VerifyFacts): Promise<Decision | null> {
  const stored = await stores.evidence.decision(run.id);
  if (stored === null) {
    list.same('no decision is stored', summary.decision, null);
    return null;
  }
  const { decision, input: ref } = stored;
  const shown = Object.entries(decision).filter(([key]) => key !== 'sources');
  list.same('decision is that of the database', summary.decision, Object.fromEntries(shown));
  const bytes = await checkObject(list, objects, "decision's input", ref);
  if (bytes === null) return decision;
  const input = JSON.parse(new TextDecoder().decode(bytes)) as DecisionInput;
  const settings = await stores.strategies.version(run.strategyId, run.strategyVersion);
  list.same(
    "decision's input has the strategy version's indicators and limit",
    [input.strategyId, input.strategyVersion, input.indicators, input.minimumRCoefficient],
    [run.strategyId, run.strategyVersion, settings?.indicators, settings?.risk.minimumRCoefficient],
  );
  list.same(
    'decision was made with a panel where the strategy version has one, and else without',
    input.panel !== undefined,
    settings?.panel === true,
  );
  list.same(
    "decision's input names the run's symbol and session",
    [input.symbol, input.session],
    [run.symbol, run.session],
  );
  // The input has them in the strategy's order, the database by name.
  const [bars, charts] = [await stores.evidence.bars(run.id), await stores.evidence.charts(run.id)];
  list.same("decision's input names the stored bars", byTimeframe(input.bars), byTimeframe(bars));
  list.same("decision's input names the stored charts", byTimeframe(input.charts), byTimeframe(charts));
  const again = await list.attempt('decision can be made again from the stored bars', () =>
    decideAgain(stores, objects, run.id, input),
  );
  if (again !== null) list.same('decision made again is the stored one', again, decision);
  return decision;
}
