// Finished weeks of daily bars, for commands that take a CSV file. Used by cli/commands/chart.ts and cli/eval.
import type { Bar } from '../domain/market/bar.js';
import type { Calendar } from '../domain/market/calendarTypes.js';
import { dayOfWeek } from '../domain/market/dates.js';
import { aggregateWeekly, dropUnfinished } from '../domain/market/weekly.js';

/** Finished weeks only. Outside the calendar a week counts as finished when its last bar is of Friday or later. */
export function weeksOf(daily: readonly Bar[], calendar: Calendar): readonly Bar[] {
  const weeks = aggregateWeekly(daily);
  const last = daily.at(-1)?.time.slice(0, 10) ?? '';
  try {
    return dropUnfinished(weeks, 'weekly', `${last}T23:59:59.999Z`, calendar);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    const complete = dayOfWeek(last) >= 4;
    return complete ? weeks : weeks.slice(0, -1);
  }
}
