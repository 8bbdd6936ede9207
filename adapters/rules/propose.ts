// The rules' consolidation: daily decides, weekly may veto; stop from ATR, target from R.
import type { Action, Analysis, Proposal } from '../../domain/decision/decision.js';

/** A daily score beyond this proposes a trade, unless the weekly score has the other sign. */
export const threshold = 0.45;
/** The stop lies this many daily Average True Ranges away. */
export const stopInRanges = 2;
/** The target lies this many risks away, or the strategy's minimum R where that is more. */
export const rewardPerRisk = 2;

/** @returns null when there is no daily analysis to decide on. */
export function propose(analyses: readonly Analysis[], minimumRCoefficient: number): Proposal | null {
  const daily = analyses.find(({ timeframe }) => timeframe === 'daily');
  if (daily === undefined) return null;
  const weekly = analyses.find(({ timeframe }) => timeframe === 'weekly');
  const action = actionOf(daily.score, weekly?.score ?? 0);
  const scores = `daily score ${daily.score.toFixed(2)}, weekly score ${weekly?.score.toFixed(2) ?? 'none'}, threshold ${threshold}`;
  if (action === 'buy' && daily.atr !== null && daily.atr > 0) {
    const risk = stopInRanges * daily.atr;
    const reward = Math.max(rewardPerRisk, minimumRCoefficient);
    return {
      action,
      entry: daily.close,
      stop: daily.close - risk,
      target: daily.close + reward * risk,
      rationale: `Buy: ${scores}. Stop ${stopInRanges} ATR (${daily.atr.toFixed(2)}) below, target ${reward} R above. ${reasonsOf(analyses)}`,
    };
  }
  const none = { entry: null, stop: null, target: null };
  if (action === 'sell') return { action, ...none, rationale: `Sell: ${scores}. ${reasonsOf(analyses)}` };
  return { action: 'hold', ...none, rationale: `Hold: ${scores}. ${reasonsOf(analyses)}` };
}

function actionOf(daily: number, weekly: number): Action {
  if (daily >= threshold && weekly >= 0) return 'buy';
  if (daily <= -threshold && weekly <= 0) return 'sell';
  return 'hold';
}

const reasonsOf = (analyses: readonly Analysis[]): string =>
  analyses.map(({ timeframe, reasons }) => `${timeframe}: ${reasons.join('; ')}.`).join(' ');
