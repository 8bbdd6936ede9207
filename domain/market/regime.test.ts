import { describe, expect, it } from 'vitest';
import type { Bar } from './bar.js';
import { addDays } from './dates.js';
import { regimeOf } from './regime.js';

/** Closes as shares of change, one bar a day; each bar a little wider than its move. */
function barsOf(changes: readonly number[]): Bar[] {
  let close = 50;
  return changes.map((change, at) => {
    const open = close;
    close = open * (1 + change);
    const [low, high] = [Math.min(open, close) * 0.998, Math.max(open, close) * 1.002];
    const time = `${addDays('2010-01-04', at)}T14:30:00.000Z`;
    return { time, open, high, low, close, volume: 1000 };
  });
}
const every = (count: number, change: (at: number) => number): number[] =>
  Array.from({ length: count }, (_, at) => change(at));
/** Two bars up, two bars down. */
const upAndDown = (size: number) => (at: number) => (at % 4 < 2 ? size : -size);
/** A year of wider days before, so that what follows is not the widest. */
const before = every(60, upAndDown(0.02));

describe('the regime', () => {
  it('is trending, with its direction, where prices go one way', () => {
    const up = regimeOf(barsOf([...before, ...every(200, () => 0.004)]));
    expect(up).toMatchObject({ kind: 'trending', direction: 'up' });
    const down = regimeOf(barsOf([...before, ...every(200, () => -0.004)]));
    expect(down).toMatchObject({ kind: 'trending', direction: 'down' });
    expect(down?.adx).toBeGreaterThan(90);
  });

  it('is ranging where they go back and forth', () => {
    const regime = regimeOf(barsOf([...before, ...every(200, upAndDown(0.005))]));
    expect(regime?.kind).toBe('ranging');
    expect(regime?.adx).toBeLessThan(20);
  });

  it('is mixed where a trend has just begun: ADX from 20 to 25', () => {
    const kinds = every(20, (days) => days).map((days) =>
      regimeOf(barsOf([...before, ...every(200, upAndDown(0.005)), ...every(days, () => 0.004)])),
    );
    const first = kinds.findIndex((regime) => regime?.kind === 'mixed');
    expect(kinds.slice(0, first).every((regime) => regime?.kind === 'ranging')).toBe(true);
    expect(kinds[first]?.adx).toBeGreaterThanOrEqual(20);
    expect(kinds[first]?.adx).toBeLessThan(25);
    expect(kinds.at(-1)?.kind).toBe('trending');
  });

  it('is turbulent where the range is wider than on 90 of 100 days, trend or none', () => {
    const calm = every(240, upAndDown(0.005));
    const falling = regimeOf(barsOf([...calm, ...every(20, () => -0.03)]));
    expect(falling).toMatchObject({ kind: 'turbulent', direction: 'down' });
    expect(falling?.adx).toBeGreaterThan(25);
    expect(falling?.volatilityRank).toBeGreaterThan(0.9);
    expect(regimeOf(barsOf([...calm, ...every(20, upAndDown(0.03))]))?.kind).toBe('turbulent');
  });

  it('compares with the last year alone', () => {
    const wild = every(300, upAndDown(0.05));
    const calm = every(270, upAndDown(0.005));
    const wider = every(30, upAndDown(0.008));
    expect(regimeOf(barsOf([...wild, ...calm, ...wider]))?.kind).toBe('turbulent');
    expect(regimeOf(barsOf([...wild, ...calm.slice(0, 100), ...wider]))?.kind).toBe('ranging');
  });

  it('does not take rounding for a wider range: days alike are not turbulent', () => {
    expect(regimeOf(barsOf(every(300, () => 0.002)))).toMatchObject({ kind: 'trending' });
    expect(regimeOf(barsOf(every(300, () => 0)))).toMatchObject({ kind: 'ranging', volatilityRank: 0 });
  });

  it('is unknown with less than 200 bars', () => {
    expect(regimeOf(barsOf(every(199, () => 0.001)))).toBeNull();
    expect(regimeOf(barsOf(every(200, () => 0.001)))).not.toBeNull();
  });
});
