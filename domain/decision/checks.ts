// What code demands of a proposal before it may become a decision, and which claimed numbers the bars do not bear out.
// Called by the model's analyst (for its repair turn) and by the activity that decides. Pure.
import { incrementAt, quantizePrice, type PriceIncrement } from '../money/decimal.js';
import type { Analysis, Proposal } from './decision.js';
import type { DecisionCheck } from './reading.js';

export interface ProposalLimits {
  /** Close of the last daily bar, in the instrument's currency. */
  readonly close: number;
  readonly priceIncrements: readonly PriceIncrement[];
  readonly minimumRCoefficient: number;
  /** Largest distance of the entry from the close, as a share of the close. */
  readonly priceCollar: number;
  /** Costs of a trade as a share of its value. */
  readonly costShare: number;
}

/** A stop or target beyond this share of the close is a mistake of scale, not a plan. */
const farthest = { below: 0.5, above: 2 } as const;
/** A claimed price may differ from a known one by this share. */
const tolerance = 0.005;

/** @returns every check with what was found; of a hold or a sell only those that concern it */
export function checkProposal(
  proposal: Proposal,
  analyses: readonly Analysis[],
  limits: ProposalLimits,
): readonly DecisionCheck[] {
  if (proposal.action !== 'buy') return [];
  const { entry, stop, target } = proposal;
  if (![entry, stop, target].every(isPrice) || entry === null || stop === null || target === null) {
    const text = `a buy needs a positive entry, stop and target; given: ${entry}, ${stop}, ${target}`;
    return [{ code: 'PRICES_PRESENT', passed: false, blocking: true, text }];
  }
  const prices = { entry, stop, target };
  return [
    sides(prices),
    near(prices, limits),
    onGrid(prices, limits),
    ...worth(prices, limits),
    agree(analyses),
  ];
}

interface Prices {
  readonly entry: number;
  readonly stop: number;
  readonly target: number;
}

const isPrice = (value: number | null): boolean => value !== null && Number.isFinite(value) && value > 0;

const blocking = (code: DecisionCheck['code'], passed: boolean, text: string): DecisionCheck => ({
  code,
  passed,
  blocking: true,
  text,
});

const sides = ({ entry, stop, target }: Prices): DecisionCheck =>
  blocking(
    'PRICES_SIDES',
    stop < entry && entry < target,
    `a long needs stop < entry < target: ${stop}, ${entry}, ${target}`,
  );

function near({ entry, stop, target }: Prices, { close, priceCollar }: ProposalLimits): DecisionCheck {
  const distance = Math.abs(entry - close) / close;
  const passed =
    distance <= priceCollar && stop >= close * farthest.below && target <= close * farthest.above;
  return blocking(
    'PRICES_NEAR',
    passed,
    `the last close is ${close}: the entry ${entry} may be ${priceCollar} of it away, the stop ${stop} not below ${farthest.below} of it, the target ${target} not above ${farthest.above} of it`,
  );
}

function onGrid(prices: Prices, { priceIncrements }: ProposalLimits): DecisionCheck {
  const off = Object.entries(prices).filter(
    ([, value]: [string, number]) => !quantizePrice(value, priceIncrements, 'nearest').eq(value),
  );
  return {
    code: 'PRICE_INCREMENT',
    passed: off.length === 0,
    blocking: false,
    text:
      off.length === 0
        ? 'all prices are on the increment'
        : `moved to the increment ${incrementAt(priceIncrements, prices.entry)}: ${off.map(([name, value]) => `${name} ${value}`).join(', ')}`,
  };
}

function worth({ entry, stop, target }: Prices, limits: ProposalLimits): readonly DecisionCheck[] {
  const { minimumRCoefficient: minimum, costShare } = limits;
  const r = (target - entry) / (entry - stop);
  const margin = (target - entry) / entry;
  return [
    blocking('R_MINIMUM', r >= minimum, `the R coefficient is ${r.toFixed(4)}, the smallest is ${minimum}`),
    blocking(
      'MARGIN_AFTER_COSTS',
      margin > costShare,
      `the profit margin is ${margin.toFixed(4)}, costs take ${costShare}`,
    ),
  ];
}

/** The policy of conflicts: no buy against a timeframe that falls. A sell only reduces, so nothing stops it. */
function agree(analyses: readonly Analysis[]): DecisionCheck {
  const falling = analyses
    .filter(({ reading }) => reading?.trend === 'down')
    .map(({ timeframe }) => timeframe);
  const text =
    falling.length === 0 ? 'no timeframe falls' : `the ${falling.join(' and ')} trend is down, against a buy`;
  return blocking('TIMEFRAMES_AGREE', falling.length === 0, text);
}

/**
 * Numbers of a text that look like prices of the instrument and are none that the model was given.
 * @param known every price that was given: bars, indicators, levels, the proposal's own
 * @param close scales what looks like a price: from a third of it to three times
 */
export function unknownPrices(text: string, known: readonly number[], close: number): readonly number[] {
  const claimed = [...text.matchAll(/(?<![\w.])\d{1,7}(?:,\d{3})*\.\d+(?![\w%]|\s?%)/g)]
    .map(([found]) => Number(found.replaceAll(',', '')))
    .filter((value) => value >= close / 3 && value <= close * 3);
  return [...new Set(claimed)].filter(
    (value) => !known.some((other) => Math.abs(value - other) <= tolerance * Math.abs(other)),
  );
}
