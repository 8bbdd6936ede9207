// What a run found out: sets of bars, charts, analyses, the decision and the risk verdicts. Written by the activities
// (a retried step overwrites what its earlier attempt wrote), read by the API and `keel verify`.
import { and, asc, eq, getTableColumns, sql } from 'drizzle-orm';
import type { Mode } from '../contracts/wire/names.js';
import type { ObjectRef } from '../contracts/wire/object.js';
import type { BarSetRow, ChartRow, EvidenceStore } from '../ports/evidence.js';
import type { Database } from './connect.js';
import { createRiskQueries } from './risk.js';
import { analysis, chart, decision, marketData, proposedDecision, run } from './schema.js';
import { columnsBut, overwrite, placeholders } from './statement.js';

interface ObjectFields {
  readonly objectKey: string;
  readonly objectSha256: string;
  readonly objectBytes: number;
}

const toFields = ({ key, sha256, bytes }: ObjectRef): ObjectFields => ({
  objectKey: key,
  objectSha256: sha256,
  objectBytes: bytes,
});
const toRef = ({ objectKey, objectSha256, objectBytes }: ObjectFields): ObjectRef => ({
  key: objectKey,
  sha256: objectSha256,
  bytes: objectBytes,
});

function pictures({ orm }: Database, mode: Mode) {
  const object = placeholders('runId', 'timeframe', 'objectKey', 'objectSha256', 'objectBytes');
  return {
    putBars: orm
      .insert(marketData)
      .values({ mode, ...object, ...placeholders('barCount', 'firstBar', 'lastBar', 'source') })
      .onConflictDoUpdate({
        target: [marketData.runId, marketData.timeframe],
        set: overwrite(marketData, ['runId', 'timeframe']),
      })
      .prepare('market_data_put'),
    bars: orm
      .select()
      .from(marketData)
      .where(eq(marketData.runId, sql.placeholder('runId')))
      .orderBy(asc(marketData.timeframe))
      .prepare('market_data_get'),
    putChart: orm
      .insert(chart)
      .values({ mode, ...object, ...placeholders('width', 'height') })
      .onConflictDoUpdate({
        target: [chart.runId, chart.timeframe],
        set: overwrite(chart, ['runId', 'timeframe']),
      })
      .prepare('chart_put'),
    charts: orm
      .select()
      .from(chart)
      .where(eq(chart.runId, sql.placeholder('runId')))
      .orderBy(asc(chart.timeframe))
      .prepare('chart_get'),
    chartByKey: orm
      .select(getTableColumns(chart))
      .from(chart)
      .innerJoin(run, eq(run.id, chart.runId))
      .where(
        and(
          eq(chart.objectKey, sql.placeholder('key')),
          sql`(${sql.placeholder('ownerId')}::uuid is null or ${run.ownerId} = ${sql.placeholder('ownerId')}::uuid)`,
        ),
      )
      .orderBy(asc(chart.createdAt))
      .limit(1)
      .prepare('chart_by_key'),
  };
}

function verdicts({ orm }: Database, mode: Mode) {
  const said = columnsBut(analysis, 'runId', 'mode', 'createdAt');
  return {
    putAnalysis: orm
      .insert(analysis)
      .values({
        mode,
        ...placeholders('runId', 'timeframe', 'analyst', 'score', 'parts', 'close', 'atr', 'support'),
        ...placeholders('resistance', 'lastBar', 'barCount', 'reasons'),
        ...{ reading: jsonText('reading'), regime: jsonText('regime'), reversal: jsonText('reversal') },
      })
      .onConflictDoUpdate({
        target: [analysis.runId, analysis.timeframe],
        set: overwrite(analysis, ['runId', 'timeframe']),
      })
      .prepare('analysis_put'),
    analyses: orm
      .select(said)
      .from(analysis)
      .where(eq(analysis.runId, sql.placeholder('runId')))
      .orderBy(asc(analysis.timeframe))
      .prepare('analysis_get'),
    putDecision: orm
      .insert(decision)
      .values({
        mode,
        ...placeholders('runId', 'action', 'entry', 'stop', 'target', 'rCoefficient', 'profitMargin'),
        ...placeholders('rationale', 'analyst', 'sources', 'inputKey', 'inputSha256', 'inputBytes'),
        review: jsonText('review'),
      })
      .onConflictDoUpdate({ target: [decision.runId], set: overwrite(decision, ['runId']) })
      .prepare('decision_put'),
    putProposed: orm
      .insert(proposedDecision)
      .values({
        mode,
        ...placeholders('runId', 'objectKey', 'objectSha256', 'objectBytes'),
        ...placeholders('inputKey', 'inputSha256', 'inputBytes'),
      })
      .onConflictDoUpdate({ target: [proposedDecision.runId], set: overwrite(proposedDecision, ['runId']) })
      .prepare('proposed_decision_put'),
    proposed: orm
      .select()
      .from(proposedDecision)
      .where(eq(proposedDecision.runId, sql.placeholder('runId')))
      .prepare('proposed_decision_get'),
    decision: orm
      .select()
      .from(decision)
      .where(eq(decision.runId, sql.placeholder('runId')))
      .prepare('decision_get'),
  };
}

/** For `jsonText`; null of what is absent. */
const textOf = (value: object | undefined): string | null =>
  value === undefined ? null : JSON.stringify(value);

/** As text, so that nothing is NULL and not the JSON word null. */
const jsonText = (name: string) => sql`${sql.placeholder(name)}::jsonb`;

const toInput = ({
  inputKey,
  inputSha256,
  inputBytes,
}: Pick<DecisionRow, 'inputKey' | 'inputSha256' | 'inputBytes'>): ObjectRef => ({
  key: inputKey,
  sha256: inputSha256,
  bytes: inputBytes,
});

type DecisionRow = typeof decision.$inferSelect;

function readDecision(row: DecisionRow | undefined): Awaited<ReturnType<EvidenceStore['decision']>> {
  if (row === undefined) return null;
  const { action, entry, stop, target, rCoefficient, profitMargin, rationale, analyst, sources, review } =
    row;
  const made = { action, entry, stop, target, rCoefficient, profitMargin, rationale, analyst, sources };
  return {
    decision: review === null ? made : { ...made, review },
    input: toInput(row),
  };
}

const readBars = (row: typeof marketData.$inferSelect): BarSetRow => ({
  runId: row.runId,
  timeframe: row.timeframe,
  object: toRef(row),
  count: row.barCount,
  first: row.firstBar,
  last: row.lastBar,
  source: row.source,
});

const readChart = (row: typeof chart.$inferSelect): ChartRow => ({
  runId: row.runId,
  timeframe: row.timeframe,
  object: toRef(row),
  width: row.width,
  height: row.height,
});

export function createEvidenceStore(db: Database, mode: Mode): EvidenceStore {
  const picture = pictures(db, mode);
  const verdict = verdicts(db, mode);
  const risk = createRiskQueries(db.orm, mode);
  return {
    putBars: ({ object, count, first, last, ...row }) =>
      db.guard(async () => {
        const bars = { barCount: count, firstBar: first, lastBar: last };
        await picture.putBars.execute({ ...row, ...toFields(object), ...bars });
      }),
    bars: (runId) => db.guard(async () => (await picture.bars.execute({ runId })).map(readBars)),
    putChart: ({ object, ...row }) =>
      db.guard(async () => {
        await picture.putChart.execute({ ...row, ...toFields(object) });
      }),
    charts: (runId) => db.guard(async () => (await picture.charts.execute({ runId })).map(readChart)),
    chartByKey: (key, ownerId) =>
      db.guard(async () => (await picture.chartByKey.execute({ key, ownerId })).map(readChart)[0] ?? null),
    putAnalysis: (runId, said) =>
      db.guard(async () => {
        const { reading, regime, reversal } = said;
        const texts = { reading: textOf(reading), regime: textOf(regime), reversal: textOf(reversal) };
        await verdict.putAnalysis.execute({ runId, ...said, ...texts });
      }),
    analyses: (runId) =>
      db.guard(async () =>
        (await verdict.analyses.execute({ runId })).map(({ reading, regime, reversal, ...said }) => ({
          ...said,
          ...(regime !== null && { regime }),
          ...(reversal !== null && { reversal }),
          ...(reading !== null && { reading }),
        })),
      ),
    putDecision: (runId, made, input) =>
      db.guard(async () => {
        const object = { inputKey: input.key, inputSha256: input.sha256, inputBytes: input.bytes };
        const review = made.review === undefined ? null : JSON.stringify(made.review);
        await verdict.putDecision.execute({ runId, ...made, ...object, review });
      }),
    decision: (runId) => db.guard(async () => readDecision((await verdict.decision.execute({ runId }))[0])),
    putProposed: (runId, { proposal, input }) =>
      db.guard(async () => {
        const given = { inputKey: input.key, inputSha256: input.sha256, inputBytes: input.bytes };
        await verdict.putProposed.execute({ runId, ...toFields(proposal), ...given });
      }),
    proposed: (runId) =>
      db.guard(async () => {
        const row = (await verdict.proposed.execute({ runId }))[0];
        return row === undefined ? null : { proposal: toRef(row), input: toInput(row) };
      }),
    putRisk: (row) => db.guard(() => risk.put(row)),
    risk: (runId) => db.guard(() => risk.ofRun(runId)),
  };
}
