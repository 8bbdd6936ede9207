// What kind of market it is, told from daily bars until then and from none after. The rules decide by it
// (adapters/rules), and an evaluation counts by it (cli/eval). docs/rules.md names the sources.
import { directionalMovement } from '../indicators/adx.js';
import { atr } from '../indicators/atr.js';
import { timeframeRules, type Bar } from './bar.js';
import { toColumns } from './columns.js';

export interface Regime {
  /** mixed: none of the others. */
  readonly kind: 'trending' | 'ranging' | 'mixed' | 'turbulent';
  /** Whether Wilder's +DI is at least his −DI; where it matters is a market that trends. */
  readonly direction: 'up' | 'down';
  /** 0 to 100. */
  readonly adx: number;
  /** Share of the last year's sessions, 0 to 1, whose average true range was a smaller share of the close. */
  readonly volatilityRank: number;
}

/** Wilder's period, of ADX and of the average true range. */
const period = 14;
/** A trend from here on, and none below there; what is between is neither. */
export const trendFrom = 25;
export const noTrendBelow = 20;
/** A year of sessions that the last range is compared with, the last one among them; or as many as there are. */
const year = 252;
/** Turbulent at this rank or above: the range is above its 90th percentile. */
export const turbulentFrom = 0.9;

/**
 * @param bars daily, oldest first; the last one is the day of the decision
 * @returns null with fewer than 200 bars, fewer than any decision is made on
 */
export function regimeOf(bars: readonly Bar[]): Regime | null {
  if (bars.length < timeframeRules.daily.warmUp) return null;
  const columns = toColumns(bars);
  const moved = directionalMovement(columns, period);
  const ranges = atr(columns, period);
  if (moved === null || ranges === null) return null;
  const [adx, plus, minus] = [moved.adx, moved.plus, moved.minus].map((series) => series.at(-1) ?? NaN);
  const shares = Array.from(ranges, (range, at) => range / (columns.close[at] ?? NaN))
    .slice(-year)
    .filter((share) => !Number.isNaN(share));
  // What is wider by rounding alone is not wider.
  const last = (shares.at(-1) ?? NaN) * (1 - 1e-9);
  const rank = shares.filter((share) => share < last).length / shares.length;
  const known = { adx: adx ?? NaN, volatilityRank: rank };
  return { kind: kindOf(known), direction: (plus ?? NaN) >= (minus ?? NaN) ? 'up' : 'down', ...known };
}

/** Turbulence goes before all else: who is cautious in it need not know whereto it moves. */
function kindOf({ adx, volatilityRank }: Pick<Regime, 'adx' | 'volatilityRank'>): Regime['kind'] {
  if (volatilityRank >= turbulentFrom) return 'turbulent';
  if (adx >= trendFrom) return 'trending';
  return adx < noTrendBelow ? 'ranging' : 'mixed';
}
