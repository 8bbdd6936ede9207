// Bars up to today for the gateway of tests/support/gateway.ts: a steady rise that ends in a breakout on high volume, calmer
// than the months before, so that the rules buy whatever day it is. gatewayBars.test.ts holds them to that.
import { createNyseCalendar } from '../../domain/market/nyse.js';

export interface WireBar {
  readonly o: number;
  readonly h: number;
  readonly l: number;
  readonly c: number;
  /** In lots of `volumeFactor`. */
  readonly v: number;
  /** Start, milliseconds since the epoch. */
  readonly t: number;
}

const cents = (value: number): number => Math.round(value * 100) / 100;
const day = 24 * 60 * 60_000;
/** Before these days moved more: a breakout after them is no turbulence. */
const calmSessions = 100;

/** Daily bars of the sessions that have closed, oldest first, stamped at their open. */
export function dailyBars(nowMs: number, years: number): readonly WireBar[] {
  const now = new Date(nowMs).toISOString();
  const from = new Date(nowMs - years * 365 * day).toISOString().slice(0, 10);
  const sessions = createNyseCalendar()
    .between(from, now.slice(0, 10))
    .filter(({ close }) => close <= now);
  return sessions.map(({ open }, index) => {
    const ago = sessions.length - 1 - index;
    const base = 200 / 1.0005 ** ago - 2 * Math.sin(ago / 5);
    const wide = ago < calmSessions ? 1 : 3;
    const c = cents(ago === 0 ? base * 1.03 : base);
    return {
      o: cents(base * (1 - 0.002 * wide)),
      h: cents(c * (1 + 0.004 * wide)),
      l: cents(base * (1 - 0.006 * wide)),
      c,
      v: ago === 0 ? 90_000 : 40_000,
      t: Date.parse(open),
    };
  });
}

/** The same by weeks or months, each stamped at the open of its first session. */
export const weeklyBars = (nowMs: number, years: number): readonly WireBar[] =>
  // Day 4 of the epoch was a Monday.
  joined(dailyBars(nowMs, years), ({ t }) => String(Math.floor((t / day - 4) / 7)));
export const monthlyBars = (nowMs: number, years: number): readonly WireBar[] =>
  joined(dailyBars(nowMs, years), ({ t }) => new Date(t).toISOString().slice(0, 7));

function joined(daily: readonly WireBar[], intervalOf: (bar: WireBar) => string): readonly WireBar[] {
  const intervals = new Map<string, WireBar[]>();
  for (const bar of daily) {
    const interval = intervalOf(bar);
    intervals.set(interval, [...(intervals.get(interval) ?? []), bar]);
  }
  return [...intervals.values()].flatMap((bars) => {
    const [first] = bars;
    const last = bars.at(-1);
    if (first === undefined || last === undefined) return [];
    return {
      o: first.o,
      h: Math.max(...bars.map(({ h }) => h)),
      l: Math.min(...bars.map(({ l }) => l)),
      c: last.c,
      v: bars.reduce((sum, { v }) => sum + v, 0),
      t: first.t,
    };
  });
}
