// What holds of the rules on any bars: the same bars give the same answer, scores stay within -1 to 1, a market upside down
// is read upside down, and no kind of market is decided against its rules. The decision of each kind: propose.test.ts.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { analysis as analysisContract } from '../../contracts/http/evidence.js';
import type { Analysis, Proposal } from '../../domain/decision/decision.js';
import { makeDecision } from '../../domain/decision/makeDecision.js';
import { computeIndicators } from '../../domain/indicators/compute.js';
import { defaultIndicators } from '../../domain/indicators/defaults.js';
import type { Bar, Timeframe } from '../../domain/market/bar.js';
import { toColumns } from '../../domain/market/columns.js';
import { addDays } from '../../domain/market/dates.js';
import { createRulesAnalyst } from './analyst.js';

const rules = createRulesAnalyst();
const minimumRCoefficient = 1.5;

/** Bars around 10,000 that follow a trend and go back to it, with noise, by sums and not by shares. */
interface Walk {
  readonly seed: number;
  readonly drift: number;
  readonly pull: number;
  readonly noise: readonly [number, number];
}
const walks: fc.Arbitrary<Walk> = fc.record({
  seed: fc.nat(),
  drift: fc.integer({ min: -12, max: 12 }),
  pull: fc.constantFrom(0, 0.2),
  noise: fc.tuple(fc.integer({ min: 5, max: 60 }), fc.integer({ min: 5, max: 60 })),
});

/** @param count noise changes from its first to its second size at bar 200 */
function barsOf({ seed, drift, pull, noise }: Walk, count = 260): Bar[] {
  let state = seed;
  const random = (): number => {
    state = (state * 1_664_525 + 1_013_904_223) % 2 ** 32;
    return state / 2 ** 32 - 0.5;
  };
  let close = 10_000;
  return Array.from({ length: count }, (_, at) => {
    const size = noise[at < 200 ? 0 : 1];
    const open = close;
    close += drift + pull * (10_000 + drift * at - close) + random() * size * 2;
    const high = Math.max(open, close) + (random() + 0.5) * size;
    const low = Math.min(open, close) - (random() + 0.5) * size;
    const time = `${addDays('2010-01-04', at)}T14:30:00.000Z`;
    return { time, open, high, low, close, volume: 1000 + Math.round(random() * 500) };
  });
}
/** A narrow range around 100, wider in its first months, whose last close is beyond it. */
function rangeThatEndsAt(last: number): Bar[] {
  const closes = Array.from({ length: 240 }, (_, at) =>
    at === 239 ? last : 100 + ([0, 0.2, 0, -0.2][at % 4] ?? 0),
  );
  return closes.map((close, at) => {
    const open = closes[at - 1] ?? 100;
    const wick = at < 100 ? 1 : 0.2;
    const [high, low] = [Math.max(open, close) + wick, Math.min(open, close) - wick];
    const time = `${addDays('2010-01-04', at)}T14:30:00.000Z`;
    return { time, open, high, low, close, volume: 1000 };
  });
}
/** Wilder's average of 14 true ranges, of bars that open at the close before. */
function wilderRange(bars: readonly Bar[]): number {
  const [, ...ranges] = bars.map(({ high, low }) => high - low);
  const first = ranges.slice(0, 14).reduce((sum, range) => sum + range, 0) / 14;
  return ranges.slice(14).reduce((average, range) => (average * 13 + range) / 14, first);
}
/** Each price as far below the last close as it was above. */
function upsideDown(bars: readonly Bar[]): Bar[] {
  const twice = 2 * (bars.at(-1)?.close ?? NaN);
  return bars.map((bar) => ({
    ...bar,
    open: twice - bar.open,
    high: twice - bar.low,
    low: twice - bar.high,
    close: twice - bar.close,
  }));
}

async function read(bars: readonly Bar[], timeframe: Timeframe = 'daily'): Promise<Analysis> {
  const outcome = await rules.analyze({ timeframe, bars, indicators: defaultIndicators });
  if (outcome.kind === 'failed') throw new Error(outcome.message);
  return outcome.value;
}
async function decide(analyses: readonly Analysis[]): Promise<Proposal> {
  const outcome = await rules.decide({ analyses, limits: { minimumRCoefficient } });
  if (outcome.kind === 'failed') throw new Error(outcome.message);
  return outcome.value;
}

describe('the rules', () => {
  it('say the same of the same bars, to the bit, and change none', async () => {
    await fc.assert(
      fc.asyncProperty(walks, async (walk) => {
        const bars = barsOf(walk).map((bar) => Object.freeze(bar));
        const first = await read(Object.freeze(bars));
        expect(await read(barsOf(walk))).toEqual(first);
        expect(await decide([first])).toEqual(await decide([await read(bars)]));
      }),
      { numRuns: 25 },
    );
  });

  it('score from -1 to 1, in the form of the API', async () => {
    await fc.assert(
      fc.asyncProperty(walks, fc.integer({ min: 1, max: 260 }), async (walk, count) => {
        for (const timeframe of ['daily', 'weekly'] as const) {
          const said = await read(barsOf(walk, count), timeframe);
          expect(analysisContract.parse(said)).toEqual(said);
          expect(said.regime !== undefined).toBe(timeframe === 'daily' && count >= 200);
        }
      }),
      { numRuns: 60 },
    );
  });

  it('read a market upside down as its opposite', async () => {
    const direction = (bars: readonly Bar[]): number =>
      computeIndicators(toColumns(bars), defaultIndicators).superTrend?.direction.at(-1) ?? 0;
    let compared = 0;
    await fc.assert(
      fc.asyncProperty(walks, async (walk) => {
        const bars = barsOf(walk);
        const turned = upsideDown(bars);
        // SuperTrend begins as falling whatever the market, and is no mirror of itself until it has turned.
        fc.pre(direction(bars) === -direction(turned));
        const [one, other] = [await read(bars), await read(turned)];
        for (const part of ['trend', 'momentum', 'volatility', 'levels'] as const) {
          expect(other.parts[part]).toBeCloseTo(-one.parts[part], 9);
        }
        expect(other.regime?.adx).toBeCloseTo(one.regime?.adx ?? NaN, 6);
        expect(other.regime?.direction).not.toBe(one.regime?.direction);
        // Ranges are weighed as shares of a price, which has no mirror: turbulence may differ, and the score with it.
        if (other.regime?.kind !== one.regime?.kind) return;
        compared += 1;
        expect(other.score).toBeCloseTo(-one.score, 9);
        if (one.reversal === undefined || other.reversal === undefined) return;
        const opposite = { buy: 'sell', sell: 'buy' } as const;
        expect(other.reversal.score).toBeCloseTo(-one.reversal.score, 9);
        const { action } = one.reversal;
        expect(other.reversal.action).toBe(action === null ? null : opposite[action]);
      }),
      { numRuns: 60, seed: 1 },
    );
    expect(compared).toBeGreaterThan(20);
  });

  it('keep to the kind of market on many walks, each kind among them', async () => {
    const seen = new Set<string>();
    for (let seed = 1; seed <= 240; seed++) {
      const drift = (seed % 13) - 6;
      const pull = seed % 3 === 0 ? 0.2 : 0;
      const walk = { seed: seed * 7919, drift, pull, noise: [30, seed % 4 === 0 ? 50 : 20] } as const;
      const daily = await read(barsOf(walk, 220 + (seed % 40)));
      const { action, entry, stop, target, rationale } = await decide([daily]);
      const kind = daily.regime?.kind ?? 'none';
      seen.add(`${kind} ${action}`);
      expect(rationale).toContain(`${kind} market`);
      if (action !== 'buy') {
        expect([entry, stop, target]).toEqual([null, null, null]);
        continue;
      }
      expect(kind).not.toBe('turbulent');
      const reward = ((target ?? NaN) - daily.close) / (daily.close - (stop ?? NaN));
      expect(reward).toBeGreaterThanOrEqual(minimumRCoefficient - 1e-9);
      expect(entry).toBe(daily.close);
    }
    for (const each of ['trending buy', 'trending sell', 'mixed buy', 'ranging hold', 'turbulent hold'])
      expect([...seen], each).toContain(each);
  });

  it('buy at the lower edge of a range, with the stop an ATR below and the middle as target', async () => {
    const bars = rangeThatEndsAt(97);
    const daily = await read(bars);
    const proposal = await decide([daily]);
    const middle = bars.slice(-20).reduce((sum, { close }) => sum + close, 0) / 20;
    const atr = wilderRange(bars);
    expect(daily).toMatchObject({ regime: { kind: 'ranging' }, reversal: { score: 1, action: 'buy' } });
    expect(proposal).toMatchObject({ action: 'buy', entry: 97 });
    expect(proposal.stop).toBeCloseTo(97 - atr, 9);
    expect(proposal.target).toBeCloseTo(middle, 9);
    const made = makeDecision(proposal, 'rules', [{ from: '0', increment: '0.01' }]);
    if (made.kind === 'failed') throw new Error(made.message);
    const [stop, target] = [97 - atr, middle].map((value) => Math.floor(value * 100) / 100);
    expect([made.decision.stop, made.decision.target].map(Number)).toEqual([stop, target]);
    const reward = ((target ?? NaN) - 97) / (97 - (stop ?? NaN));
    expect(Number(made.decision.rCoefficient)).toBeCloseTo(reward, 3);
    expect(reward).toBeGreaterThan(minimumRCoefficient);
  });

  it('sell at the upper edge of a range', async () => {
    const daily = await read(rangeThatEndsAt(103));
    expect(daily).toMatchObject({ regime: { kind: 'ranging' }, reversal: { score: -1, action: 'sell' } });
    expect(await decide([daily])).toMatchObject({ action: 'sell', entry: null, stop: null, target: null });
  });

  it('leave the score what it was before kinds of market: the parts by their weights, in a range too', async () => {
    const daily = await read(rangeThatEndsAt(97));
    const { trend, momentum, levels, volatility } = daily.parts;
    expect(daily.score).toBeCloseTo(0.4 * trend + 0.3 * momentum + 0.2 * levels + 0.1 * volatility, 12);
    // What version 1 would make of it: no buy.
    expect(daily.score).toBeLessThan(0);
  });

  it('refuse to decide on what an earlier version read', async () => {
    const { regime, ...outdated } = await read(barsOf({ seed: 1, drift: 2, pull: 0, noise: [20, 20] }));
    expect(regime).toBeDefined();
    const outcome = await rules.decide({ analyses: [outdated], limits: { minimumRCoefficient } });
    expect(outcome).toMatchObject({ kind: 'failed', code: 'ANALYSIS_OUTDATED' });
  });

  it('decide nothing without daily bars', async () => {
    const weekly = await read(barsOf({ seed: 1, drift: 2, pull: 0, noise: [20, 20] }), 'weekly');
    const outcome = await rules.decide({ analyses: [weekly], limits: { minimumRCoefficient } });
    expect(outcome).toMatchObject({ kind: 'failed', code: 'NO_DAILY_ANALYSIS' });
  });
});
