import { describe, expect, it } from 'vitest';
import type { Bar } from '../../domain/market/bar.js';
import { KeelError } from '../../ports/errors.js';
import { checkRequest } from './request.js';
import { barsOf, requestOf } from './testing/samples.js';

const good = barsOf([100, 101, 99, 102]);

/** The good bars with one of them changed. */
const withBar = (at: number, change: Partial<Bar>): Bar[] =>
  good.map((bar, index) => (index === at ? { ...bar, ...change } : bar));

function refusalOf(bars: readonly Bar[], window = 252): KeelError {
  try {
    checkRequest(requestOf(bars, { window }));
  } catch (error) {
    if (error instanceof KeelError) return error;
    throw error;
  }
  throw new Error('not refused');
}

describe('a chart request', () => {
  it('passes with one bar or more', () => {
    expect(() => {
      checkRequest(requestOf(good));
      checkRequest(requestOf(good.slice(0, 1)));
    }).not.toThrow();
  });

  it('is refused without bars', () => {
    expect(refusalOf([])).toMatchObject({ code: 'CHART_INPUT', errorClass: 'final' });
    expect(refusalOf([]).message).toBe('No chart of AAPL (daily): there are no bars; fetch some first.');
  });

  it.each<[string, Partial<Bar>, RegExp]>([
    ['a close that is NaN', { close: NaN }, /no finite close/],
    ['an endless high', { high: Infinity }, /no finite high/],
    ['a price of zero', { low: 0 }, /not above 0: low/],
    ['a volume that is NaN', { volume: NaN }, /no finite volume/],
    ['a negative volume', { volume: -1 }, /negative volume/],
    ['a high below the close', { high: 99.5 }, /high 99.5 below its/],
    ['a low above the open', { low: 500, high: 600 }, /low 500 above its/],
    ['a time without a zone', { time: '2017-01-03' }, /no time of the form/],
    ['a day that does not exist', { time: '2017-02-30T14:30:00.000Z' }, /no time of the form/],
    ['the time of the bar before', { time: good[0]?.time ?? '' }, /more than once/],
  ])('is refused for %s, and names the bar', (_name, change, reason) => {
    const refusal = refusalOf(withBar(1, change));
    expect(refusal).toMatchObject({ code: 'CHART_INPUT', errorClass: 'final', facts: { bar: 2 } });
    expect(refusal.message).toMatch(reason);
    expect(refusal.message).toMatch(/^No chart of AAPL \(daily\): the bar of 2017/);
  });

  it.each([0, -1, 1.5, NaN, 1001])('is refused for a window of %s bars', (window) => {
    expect(refusalOf(good, window).message).toMatch(/window/);
  });
});
