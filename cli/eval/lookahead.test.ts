// What comes after a date changes nothing that was said at it: bars seen, regime, the rules' opinion, and every byte that
// a model is asked.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createModelAnalyst } from '../../adapters/openai/analyst.js';
import type { Ask } from '../../adapters/openai/ask.js';
import { mirrored, nameless } from '../../domain/evaluation/view.js';
import type { Bar } from '../../domain/market/bar.js';
import { createNyseCalendar } from '../../domain/market/nyse.js';
import { weeksOf } from '../weeks.js';
import { askRules } from './asker.js';
import { opinionOf } from './opinion.js';
import { readSeries } from './series.js';
import { pointAt, type Point } from './walk.js';

const calendar = createNyseCalendar();
const weeks = (daily: readonly Bar[]) => weeksOf(daily, calendar);
const limits = { minimumRCoefficient: 1.5, priceCollar: 0.05, costShare: 0.01 };
const horizon = 10;

const answers = {
  reading: {
    ...{ trend: 'up', momentum: 'rising', volatility: 'normal', support: [], resistance: [], signals: [] },
    ...{ confidence: 50, invalidation: 'x', summary: 'x' },
  },
  decision: {
    consolidation: { agreements: [], conflicts: [] },
    decision: {
      ...{ action: 'hold', entry: null, stop: null, target: null, horizonSessions: null, confidence: 50 },
      ...{ rationale: 'x', risks: [] },
    },
  },
};

/** Every question that a model gets at a point. */
async function questionsAt({ view }: Point): Promise<string[]> {
  const asked: string[] = [];
  const ask: Ask = (request, read) => {
    asked.push(request.text);
    const parsed = read(
      JSON.stringify(request.schemaName === 'decision' ? answers.decision : answers.reading),
    );
    if (parsed.kind === 'bad') throw new Error(parsed.complaints.join());
    return Promise.resolve(parsed);
  };
  const analyst = createModelAnalyst({ askReading: () => ask, askDecision: () => ask });
  const object = { key: '', sha256: '', bytes: 0, width: 0, height: 0 };
  const draw = () => Promise.resolve({ object, png: new Uint8Array() });
  const call = { runId: 'r', strategyId: 'eval' };
  const common = { analyst, symbol: 'ASSET', call, rules: limits, draw };
  for (const each of [nameless(view), nameless(mirrored(view)), view]) {
    expect((await opinionOf({ ...common, view: each })).kind).toBe('said');
  }
  return asked.sort();
}

describe('a decision of the past', () => {
  it('never depends on a bar after its date', { timeout: 120_000 }, async () => {
    const { bars } = await readSeries('aapl', calendar);
    const rules = askRules(limits);
    const index = fc.integer({ min: 310, max: bars.length - horizon - 1 });
    const later = fc.array(fc.double({ min: 0.2, max: 5, noNaN: true }), { minLength: 40, maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(index, later, async (at, factors) => {
        const changed = bars.map((bar, place) => {
          const factor = place <= at ? 1 : (factors[(place - at) % factors.length] ?? 1);
          const { open, high, low, close, volume } = bar;
          return {
            ...{ time: bar.time, open: open * factor, high: high * factor, low: low * factor },
            ...{ close: close * factor, volume: volume * factor },
          };
        });
        const [before, after] = [pointAt(bars, at, horizon, weeks), pointAt(changed, at, horizon, weeks)];
        if (before === null || after === null) throw new Error('no decision there');
        expect(after.view).toEqual(before.view);
        expect(after.regime).toEqual(before.regime);
        const where = { series: 'AAPL', date: before.date, chart: 'plain', turn: 0 } as const;
        expect(await rules.ask(after.view, where)).toEqual(await rules.ask(before.view, where));
        expect(await questionsAt(after)).toEqual(await questionsAt(before));
      }),
      { numRuns: 25 },
    );
  });
});
