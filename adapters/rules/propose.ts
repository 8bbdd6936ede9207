// The rules' consolidation: daily decides, weekly may veto. How it decides depends on the kind of market (docs/rules.md).
import { decidingScore, type Action, type Analysis, type Proposal } from '../../domain/decision/decision.js';
import { regimeText } from './regimeText.js';

/** A daily score beyond this proposes a trade, unless the weekly score has the other sign. */
export const threshold = 0.45;
/** The stop lies this many daily Average True Ranges away, */
export const stopInRanges = 2;
/** and in a ranging market this many: a return that goes on the other way soon is none. */
export const reversalStopInRanges = 1;
/** The target lies this many risks away, or the strategy's minimum R where that is more. */
export const rewardPerRisk = 2;

/** What the rules would do, and why not where they do not. */
interface Plan {
  readonly action: Action;
  readonly why: string;
  readonly stop?: number;
  readonly target?: number;
}

/** @returns null when there is no daily analysis to decide on. */
export function propose(analyses: readonly Analysis[], minimumRCoefficient: number): Proposal | null {
  const daily = analyses.find(({ timeframe }) => timeframe === 'daily');
  if (daily === undefined) return null;
  const weekly = analyses.find(({ timeframe }) => timeframe === 'weekly');
  const scores = `daily score ${decidingScore(daily).toFixed(2)}, weekly score ${weekly?.score.toFixed(2) ?? 'none'}`;
  const plan =
    daily.regime?.kind === 'ranging'
      ? planReversal(daily, weekly?.score ?? 0, minimumRCoefficient)
      : planTrend(daily, weekly?.score ?? 0, minimumRCoefficient);
  const { action, why, stop = null, target = null } = plan;
  const name = { buy: 'Buy', sell: 'Sell', hold: 'Hold' }[action];
  return {
    action,
    entry: action === 'buy' ? daily.close : null,
    stop,
    target,
    rationale: `${name}: ${regimeText(daily.regime ?? null)}. ${scores}, ${why}. ${reasonsOf(analyses)}`,
  };
}

/** Where prices trend, or do neither: with them, from the threshold on. In turbulence nothing new is bought. */
function planTrend(daily: Analysis, weekly: number, minimumRCoefficient: number): Plan {
  const { atr, close, score, regime } = daily;
  const at = `threshold ${threshold}`;
  if (score <= -threshold && weekly <= 0) return { action: 'sell', why: at };
  if (score < threshold || weekly < 0) return { action: 'hold', why: at };
  if (regime?.kind === 'turbulent') {
    return { action: 'hold', why: `${at}; in a turbulent market nothing new is bought` };
  }
  if (atr === null || atr <= 0) return { action: 'hold', why: `${at}; there is no ATR to lay a stop by` };
  const risk = stopInRanges * atr;
  const reward = Math.max(rewardPerRisk, minimumRCoefficient);
  return {
    action: 'buy',
    why: `${at}. Stop ${stopInRanges} ATR (${atr.toFixed(2)}) below, target ${reward} R above`,
    stop: close - risk,
    target: close + reward * risk,
  };
}

/** Where prices go sideways: from an edge of the range to its middle, if that is worth the risk. */
function planReversal(daily: Analysis, weekly: number, minimumRCoefficient: number): Plan {
  const { atr, close, reversal } = daily;
  if (reversal === undefined) {
    return {
      action: 'hold',
      why: 'the range cannot be read: Bollinger Bands or RSI have too few bars, or nothing moves',
    };
  }
  const { action, target } = reversal;
  if (action === null) return { action: 'hold', why: 'no return to the middle is due' };
  if (action === 'sell') {
    if (weekly > 0) return { action: 'hold', why: 'a return to the middle is due, the weeks rise' };
    return { action, why: `a return to the middle (${target.toFixed(2)}) is due` };
  }
  if (weekly < 0) return { action: 'hold', why: 'a return to the middle is due, the weeks fall' };
  if (atr === null || atr <= 0) return { action: 'hold', why: 'there is no ATR to lay a stop by' };
  const risk = reversalStopInRanges * atr;
  const reward = (target - close) / risk;
  const way = `a return to the middle (${target.toFixed(2)}) with a stop ${reversalStopInRanges} ATR (${atr.toFixed(2)}) below is ${reward.toFixed(2)} R`;
  if (reward < minimumRCoefficient) {
    return { action: 'hold', why: `${way}, less than the minimum ${minimumRCoefficient}` };
  }
  return { action, why: way, stop: close - risk, target };
}

const reasonsOf = (analyses: readonly Analysis[]): string =>
  analyses.map(({ timeframe, reasons }) => `${timeframe}: ${reasons.join('; ')}.`).join(' ');
