// Finished weeks and months of daily bars, for commands that take a CSV file. Used by cli/commands/chart.ts and cli/eval.
import type { Bar, Timeframe } from '../domain/market/bar.js';
import type { Calendar } from '../domain/market/calendarTypes.js';
import { addDays, dayOfWeek, monthOf } from '../domain/market/dates.js';
import { barsOfTimeframe, dropUnfinished } from '../domain/market/weekly.js';

/** Finished weeks only. */
export const weeksOf = (daily: readonly Bar[], calendar: Calendar): readonly Bar[] =>
  finishedBars(daily, 'weekly', calendar);

/**
 * Finished bars of a timeframe only. Outside the calendar a week counts as finished when its last bar is of Friday or later,
 * a month when the next weekday is in another one.
 */
export function finishedBars(
  daily: readonly Bar[],
  timeframe: Timeframe,
  calendar: Calendar,
): readonly Bar[] {
  if (timeframe === 'daily') return daily;
  const bars = barsOfTimeframe(daily, timeframe);
  const last = daily.at(-1)?.time.slice(0, 10) ?? '';
  try {
    return dropUnfinished(bars, timeframe, `${last}T23:59:59.999Z`, calendar);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    const complete =
      timeframe === 'weekly' ? dayOfWeek(last) >= 4 : monthOf(nextWeekday(last)) !== monthOf(last);
    return complete ? bars : bars.slice(0, -1);
  }
}

const nextWeekday = (date: string): string => addDays(date, dayOfWeek(date) < 4 ? 1 : 7 - dayOfWeek(date));
