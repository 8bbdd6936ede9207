// What is told of a run that has ended, as an object: the file of --json. printSummary.ts has it in words.
import { spentOn } from '../domain/decision/cost.js';
import type { RunDetail } from './api.js';
import { writeFileAtomically } from './supervisor/records.js';

/** Where this Keel keeps things; null where a given service keeps them elsewhere. */
export interface Places {
  readonly apiUrl: string;
  readonly dataDir: string | null;
  readonly databaseDir: string | null;
  readonly objectDir: string | null;
  readonly ledgerFile: string | null;
}

/** Admission's verdict where the order got that far, else the proposal's. */
export const verdictOf = ({ risk }: RunDetail): RunDetail['risk'][number] | null =>
  risk.find(({ stage }) => stage === 'admission') ?? risk.at(-1) ?? null;

/** Wall milliseconds from start to end; null while the run is open. */
export const totalMs = ({ startedAt, endedAt }: RunDetail): number | null =>
  endedAt === null ? null : Date.parse(endedAt) - Date.parse(startedAt);

/** The object of --json; `keel verify` reads it. */
export function summaryOf(run: RunDetail, places: Places) {
  const verdict = verdictOf(run);
  const { decision, order } = run;
  return {
    runId: run.id,
    workflowId: run.workflowId,
    temporalUrl: run.temporalUrl,
    strategyId: run.strategyId,
    strategyVersion: run.strategyVersion,
    definition: run.definition,
    symbol: run.symbol,
    mode: run.mode,
    session: run.session,
    slot: run.slot,
    status: run.status,
    outcome: run.outcome,
    code: run.code,
    message: run.message,
    startedAt: run.startedAt,
    endedAt: run.endedAt,
    bars: Object.fromEntries(
      run.bars.map(({ timeframe, count, first, last, source, key, sha256 }) => [
        timeframe,
        { count, first, last, source, key, sha256 },
      ]),
    ),
    charts: run.charts.map(({ timeframe, key, sha256, bytes, width, height }) => ({
      ...{ timeframe, key, sha256, bytes, width, height },
    })),
    /** Of the daily bars, as the rules told it; null where a model read them. */
    regime: run.analyses.find(({ regime }) => regime !== undefined)?.regime ?? null,
    decision: decision && {
      action: decision.action,
      entry: decision.entry,
      stop: decision.stop,
      target: decision.target,
      rCoefficient: decision.rCoefficient,
      profitMargin: decision.profitMargin,
      rationale: decision.rationale,
      analyst: decision.analyst,
      ...(decision.review !== undefined && { review: decision.review }),
    },
    model: modelOf(run),
    rules: rulesOf(run),
    risk: verdict && {
      stage: verdict.stage,
      approved: verdict.approved,
      code: verdict.code,
      quantity: verdict.quantity,
      riskAmount: verdict.riskAmount,
      checks: verdict.checks,
    },
    order: order && {
      clientOrderId: order.clientOrderId,
      brokerOrderId: order.brokerOrderId,
      status: order.state,
      filledQuantity: order.filledQuantity,
      averagePrice: order.averagePrice,
    },
    steps: run.steps.map(({ name, startedAt, ms }) => ({ name, startedAt, ms })),
    totalMs: totalMs(run),
    apiUrl: places.apiUrl,
    dataDir: places.dataDir,
    databaseDir: places.databaseDir,
    objectDir: places.objectDir,
    ledgerFile: places.ledgerFile,
  };
}

/** What the rules said beside a model; null where they decided themselves. */
export function rulesOf({ rulesOpinions, decision }: RunDetail) {
  if (rulesOpinions.length === 0) return null;
  const said = rulesOpinions.find(({ part }) => part === 'decision') ?? null;
  return {
    version: rulesOpinions[0]?.version ?? null,
    scores: Object.fromEntries(
      rulesOpinions.filter(({ part }) => part !== 'decision').map(({ part, score }) => [part, score]),
    ),
    decision: said && { action: said.action, entry: said.entry, stop: said.stop, target: said.target },
    agrees: said === null || decision === null ? null : said.action === decision.action,
  };
}

/** What the model's calls were and cost; null where none was made. */
export function modelOf({ calls, analyses, decision }: RunDetail) {
  if (calls.length === 0) return null;
  const total = (of: (call: RunDetail['calls'][number]) => number | null): number =>
    calls.reduce((sum, call) => sum + (of(call) ?? 0), 0);
  const prompts = calls.flatMap((call) => call.prompts);
  return {
    model: calls.at(-1)?.modelAnswered ?? calls[0]?.modelAsked ?? null,
    modelAsked: calls[0]?.modelAsked ?? null,
    api: calls[0]?.api ?? null,
    numbersOnly:
      decision?.review?.numbersOnly === true || analyses.some(({ reading }) => reading?.numbersOnly === true),
    prompts: prompts.filter(({ name }, index) => prompts.findIndex((each) => each.name === name) === index),
    inputTokens: total(({ inputTokens }) => inputTokens),
    outputTokens: total(({ outputTokens }) => outputTokens),
    costUsd: spentOn(calls).toFixed(),
    priceDate: calls[0]?.priceDate ?? null,
    profiles: Object.fromEntries(
      calls.filter(({ state }) => state === 'answered').map(({ purpose, profile }) => [purpose, profile]),
    ),
    calls: calls.map((call) => ({
      purpose: call.purpose,
      turn: call.turn,
      profile: call.profile,
      modelAsked: call.modelAsked,
      modelAnswered: call.modelAnswered,
      down: call.down,
      outcome: call.outcome,
      code: call.code,
      prompts: call.prompts,
      promptSha256: call.prompt.sha256,
      contentKey: call.contentKey,
      pictures: call.pictures.map(({ sha256 }) => sha256),
      inputTokens: call.inputTokens,
      outputTokens: call.outputTokens,
      costUsd: call.costUsd,
      cached: call.cachedFrom !== null,
      ms: call.ms,
    })),
  };
}

export type Summary = ReturnType<typeof summaryOf>;

/** @throws Error when the file cannot be written */
export function writeSummary(file: string, summary: Summary): void {
  writeFileAtomically(file, `${JSON.stringify(summary, null, 2)}\n`, 0o644);
}
