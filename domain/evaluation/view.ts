// What an analyst may see at a decision, and that same view upside down or without a name. Called by cli/eval.
import type { Bar, Timeframe } from '../market/bar.js';
import { addDays, weekOf } from '../market/dates.js';

/** The timeframes of the standard definition, which an evaluation asks about. */
export const viewed = ['daily', 'weekly'] as const satisfies readonly Timeframe[];

export type View = Readonly<Record<(typeof viewed)[number], readonly Bar[]>>;

/** As long as what a run fetches: two years of days, ten of weeks. */
const kept = { daily: 504, weekly: 520 } as const;

/**
 * @param bars all daily bars of the series, oldest first
 * @param index of the bar that was the last one then: nothing after it is looked at
 * @param weeksOf finished weeks of daily bars
 */
export function viewAt(
  bars: readonly Bar[],
  index: number,
  weeksOf: (daily: readonly Bar[]) => readonly Bar[],
): View {
  const seen = bars.slice(0, index + 1);
  return { daily: seen.slice(-kept.daily), weekly: weeksOf(seen).slice(-kept.weekly) };
}

const perView = (view: View, change: (bar: Bar) => Bar): View => ({
  daily: view.daily.map(change),
  weekly: view.weekly.map(change),
});

/** Seven digits are what a chart and a table show. */
const digits = 7;
const short = (value: number): number => Number(value.toPrecision(digits));

/**
 * Every rise a fall of the same share and the other way round: each price p becomes c² / p, with c the last close. Who
 * has no lean to a side says the opposite of it.
 */
export function mirrored(view: View): View {
  const close = view.daily.at(-1)?.close ?? NaN;
  const turn = (price: number): number => short((close * close) / price);
  return perView(view, (bar) => ({
    ...bar,
    open: turn(bar.open),
    high: turn(bar.low),
    low: turn(bar.high),
    close: turn(bar.close),
  }));
}

/** A Monday; every nameless chart ends in this week. */
const namelessWeek = '2001-01-01';
const namelessClose = 100;

/**
 * Moves the bars by whole weeks to one date and scales them to one price, so that a model can not know from memory what
 * came next. Shapes, shares and weekdays stay.
 */
export function nameless(view: View): View {
  const last = view.daily.at(-1);
  if (last === undefined) return view;
  const factor = namelessClose / last.close;
  const weeks = daysBetween(weekOf(last.time.slice(0, 10)), namelessWeek);
  return perView(view, (bar) => ({
    time: `${addDays(bar.time.slice(0, 10), weeks)}${bar.time.slice(10)}`,
    open: short(bar.open * factor),
    high: short(bar.high * factor),
    low: short(bar.low * factor),
    close: short(bar.close * factor),
    volume: bar.volume,
  }));
}

const dayMs = 86_400_000;
const midnight = (date: string): number => Date.parse(`${date}T00:00:00.000Z`);
const daysBetween = (from: string, to: string): number => (midnight(to) - midnight(from)) / dayMs;
