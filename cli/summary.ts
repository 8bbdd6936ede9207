// What people and files are told of a run that has ended: the printed summary, and the file of --json.
import { join } from 'node:path';
import type { PanelReport } from '../contracts/http/model.js';
import { spentOn } from '../domain/decision/cost.js';
import type { RunDetail } from './api.js';
import type { Say } from './say.js';
import { duration, wrap } from './say.js';
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
const verdictOf = ({ risk }: RunDetail): RunDetail['risk'][number] | null =>
  risk.find(({ stage }) => stage === 'admission') ?? risk.at(-1) ?? null;

/** Wall milliseconds from start to end; null while the run is open. */
const totalMs = ({ startedAt, endedAt }: RunDetail): number | null =>
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
function rulesOf({ rulesOpinions, decision }: RunDetail) {
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
function modelOf({ calls, analyses, decision }: RunDetail) {
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

const width = 92;

export function printSummary(run: RunDetail, places: Places, say: Say): void {
  const ms = totalMs(run);
  const heading = `Run ${run.session} ${run.slot} of ${run.strategyId} (${run.symbol}, ${run.mode})`;
  say('');
  say(`${heading}: ${run.outcome ?? run.status}${ms === null ? '' : ` after ${duration(ms)}`}`);
  if (run.code !== null && run.message !== null && run.message !== run.decision?.rationale) {
    say(wrap(`${run.code}: ${run.message}`, width, '  '));
  }
  printDecision(run, say);
  printModel(run, say);
  printRisk(run, say);
  printOrder(run, say);
  say('');
  for (const { timeframe, key, url } of run.charts) {
    const where = places.objectDir === null ? `${places.apiUrl}${url}` : join(places.objectDir, key);
    say(`  picture   ${timeframe.padEnd(7)} ${where}`);
  }
  if (run.definition !== null) {
    say(`  workflow  ${run.definition.id}, version ${String(run.definition.version)}`);
  }
  if (run.temporalUrl !== null) say(`  Temporal  ${run.temporalUrl}`);
  say(`  API       ${places.apiUrl}/docs`);
  if (places.dataDir !== null) say(`  data      ${places.dataDir}`);
  if (places.databaseDir !== null) say(`  database  ${places.databaseDir}`);
}

function printDecision({ decision, analyses }: RunDetail, say: Say): void {
  if (decision === null) return;
  const { entry, stop, target, rCoefficient, profitMargin } = decision;
  say('');
  say(`  decision  ${decision.action.toUpperCase()} by the ${decision.analyst} analyst`);
  if (entry !== null && stop !== null && target !== null) {
    say(`            entry ${entry}, stop ${stop}, target ${target}`);
    say(`            R coefficient ${short(rCoefficient)}, profit margin ${percent(profitMargin)}`);
  }
  if (decision.review?.panel !== undefined) printPanel(decision.review.panel, say);
  // What it says of the timeframes follows as a list.
  const [summary = ''] = decision.rationale.split(/ (?:daily|weekly|monthly): /);
  say(wrap(analyses.length === 0 ? decision.rationale : summary, width - 10, '            '));
  for (const { timeframe, score, reasons } of analyses) {
    say(`            ${timeframe}: score ${score.toFixed(2)}`);
    for (const reason of reasons) say(wrap(reason, width - 14, '              '));
  }
}

function printPanel({ stands, reviews, verdict }: PanelReport, say: Say): void {
  const said = reviews.map(({ role, soundness }) => `${role} ${String(soundness)}`).join(', ');
  const end = stands ? 'the buy stands' : 'the buy is taken back';
  say(`            panel: ${said}, judge ${verdict.verdict} ${String(verdict.soundness)}: ${end}`);
}

function printModel(run: RunDetail, say: Say): void {
  const model = modelOf(run);
  if (model === null) return;
  const { inputTokens, outputTokens, costUsd, priceDate, numbersOnly, calls, prompts } = model;
  say('');
  say(
    `  model     ${model.model ?? '?'} (${model.api ?? '?'}), ${String(calls.length)} calls${numbersOnly ? ', numbers only: it takes no pictures' : ''}`,
  );
  say(
    `            ${String(inputTokens)} tokens in, ${String(outputTokens)} out, ${costUsd} USD at prices of ${priceDate ?? '?'}`,
  );
  say(`            prompts ${prompts.map(({ name, sha256 }) => `${name} ${sha256.slice(0, 8)}`).join(', ')}`);
  const rules = rulesOf(run);
  if (rules?.decision != null) {
    const agreed =
      rules.agrees === null ? '' : rules.agrees ? ', as the model does' : ', and the model does not';
    say(`            the rules would ${rules.decision.action ?? 'not decide'}${agreed}`);
  }
  for (const { code, passed, text } of run.decision?.review?.checks ?? []) {
    if (!passed) say(wrap(`flagged: ${code}: ${text}`, width - 10, '            '));
  }
}

function printRisk(run: RunDetail, say: Say): void {
  const verdict = verdictOf(run);
  if (verdict === null) return;
  say('');
  const { approved, code, quantity, riskAmount, limitedBy, checks } = verdict;
  const bound = limitedBy === 'none' ? '' : `, bounded by ${limitedBy}`;
  say(
    approved
      ? `  risk      approved: quantity ${quantity}${bound}; ${riskAmount} at risk down to the stop`
      : `  risk      refused: ${code}`,
  );
  for (const { passed, text, value, limit } of checks) {
    say(`            ${passed ? '✓' : '✗'} ${text} (${value}, limit ${limit})`);
  }
}

function printOrder({ order, executions }: RunDetail, say: Say): void {
  say('');
  if (order === null) {
    say('  order     none');
    return;
  }
  const { side, quantity, symbol, state, clientOrderId, brokerOrderId, legs } = order;
  say(`  order     ${side} ${quantity} ${symbol}: ${state}`);
  say(`            client order id ${clientOrderId}, broker order id ${brokerOrderId ?? 'none'}`);
  for (const { side: filled, quantity: units, price, commission, time } of executions) {
    say(`  fill      ${filled} ${units} at ${price}, commission ${commission}, ${time}`);
  }
  // The broker lists an order as filled before it lists what filled it.
  if (executions.length === 0 && /[1-9]/.test(order.filledQuantity)) {
    say(
      `  fill      ${side} ${order.filledQuantity} at ${order.averagePrice ?? '?'} on average, by the broker's list of orders`,
    );
  }
  for (const leg of legs) say(`            ${leg.role} ${leg.status.toLowerCase()} (${leg.brokerOrderId})`);
}

const short = (value: string | null): string =>
  value === null ? 'none' : String(Number(Number(value).toFixed(2)));
const percent = (value: string | null): string =>
  value === null ? 'none' : `${String(Number((Number(value) * 100).toFixed(2)))} %`;
