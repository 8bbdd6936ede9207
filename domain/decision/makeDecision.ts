// Turns an analyst's proposal into the run's decision: prices on the instrument's grid, R and margin computed here.
import { price, quantizePrice, type PriceIncrement } from '../money/decimal.js';
import { profitMargin, rCoefficient } from './coefficients.js';
import type { Decision, Proposal } from './decision.js';

export type DecisionOutcome =
  | { readonly kind: 'ok'; readonly decision: Decision }
  | { readonly kind: 'failed'; readonly code: string; readonly message: string };

/** Decimals that ratios are shown and compared with; rounding is towards zero, never in the trade's favour. */
const ratioDecimals = 4;

/**
 * @param proposal prices in the instrument's currency, as `number`
 * @param analyst who proposed
 * @param increments the instrument's price grid
 */
export function makeDecision(
  proposal: Proposal,
  analyst: string,
  increments: readonly PriceIncrement[],
): DecisionOutcome {
  const base = { action: proposal.action, rationale: proposal.rationale, analyst } as const;
  const sources = { action: 'analyst', entry: 'analyst', stop: 'analyst', target: 'analyst' } as const;
  const none = { entry: null, stop: null, target: null, rCoefficient: null, profitMargin: null };
  if (proposal.action !== 'buy') return { kind: 'ok', decision: { ...base, ...none, sources } };
  const { entry, stop, target } = proposal;
  if (entry === null || stop === null || target === null) {
    return failed('DECISION_INCOMPLETE', 'a buy needs an entry, a stop and a target');
  }
  if (![entry, stop, target].every((value) => Number.isFinite(value) && value > 0)) {
    return failed('DECISION_INVALID', `prices must be positive: ${entry}, ${stop}, ${target}`);
  }
  const onGrid = {
    entry: quantizePrice(entry, increments, 'nearest'),
    stop: quantizePrice(stop, increments, 'down'),
    target: quantizePrice(target, increments, 'down'),
  };
  const r = rCoefficient(onGrid.entry, onGrid.stop, onGrid.target);
  if (r === null || onGrid.stop.gte(onGrid.entry) || onGrid.stop.lte(0)) {
    return failed('DECISION_INVALID', `a long needs stop < entry < target: ${stop}, ${entry}, ${target}`);
  }
  return {
    kind: 'ok',
    decision: {
      ...base,
      entry: onGrid.entry.toString(),
      stop: onGrid.stop.toString(),
      target: onGrid.target.toString(),
      rCoefficient: r.toFixed(ratioDecimals, 1),
      profitMargin: profitMargin(price(onGrid.entry), onGrid.target).toFixed(ratioDecimals, 1),
      sources,
    },
  };
}

const failed = (code: string, message: string): DecisionOutcome => ({ kind: 'failed', code, message });
