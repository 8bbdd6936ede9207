// R coefficient and profit margin: the two figures that say whether a trade is worth its risk.
import { ratio, type Price, type Ratio } from '../money/decimal.js';

/**
 * Reward per unit of risk: (target − entry) / (entry − stop). The signs make the same formula hold for a short.
 * @returns null when stop or target is on the wrong side or equals the entry: such a trade has no R.
 */
export function rCoefficient(entry: Price, stop: Price, target: Price): Ratio | null {
  const risk = entry.minus(stop);
  const reward = target.minus(entry);
  if (risk.isZero() || reward.isZero() || risk.isPositive() !== reward.isPositive()) return null;
  return ratio(reward.div(risk));
}

/** |target − entry| / entry, as a fraction; the target's side is checked by `rCoefficient`. */
export function profitMargin(entry: Price, target: Price): Ratio {
  return ratio(target.minus(entry).abs().div(entry));
}
