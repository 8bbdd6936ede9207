// The kind of market in words and numbers. Called by score.ts and propose.ts.
import { noTrendBelow, trendFrom, turbulentFrom, type Regime } from '../../domain/market/regime.js';

const percent = (share: number): string => `${(share * 100).toFixed(0)} %`;

/** @param regime null where there are too few bars to tell, which counts as mixed */
export function regimeText(regime: Regime | null): string {
  if (regime === null) return 'the kind of market is unknown: too few bars';
  const { kind, direction, adx, volatilityRank } = regime;
  const range = `the range is wider than on ${percent(volatilityRank)} of the last year's sessions`;
  const strength = `ADX ${adx.toFixed(1)}`;
  const why = {
    trending: `${strength} is at least ${trendFrom}, ${direction}; ${range}`,
    ranging: `${strength} is below ${noTrendBelow}; ${range}`,
    mixed: `${strength} is between ${noTrendBelow} and ${trendFrom}; ${range}`,
    turbulent: `${range}, at least ${percent(turbulentFrom)}; ${strength}`,
  };
  return `${kind} market: ${why[kind]}`;
}
