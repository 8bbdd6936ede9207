// What people are told of a run that has ended. Called by `npm start` and `keel run`.
import { join } from 'node:path';
import type { PanelReport } from '../contracts/http/model.js';
import type { RunDetail } from './api.js';
import type { Say } from './say.js';
import { duration, wrap } from './say.js';
import { modelOf, rulesOf, totalMs, verdictOf, type Places } from './summary.js';

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
