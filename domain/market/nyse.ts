// The calendar of the New York Stock Exchange, 2000 to 2028. Called by composition roots and the simulator.
import { createCalendar } from './calendar.js';
import type { CalendarOverride } from './calendar.js';
import type { Calendar } from './calendarTypes.js';
import table from './nyse.json' with { type: 'json' };

/**
 * NYSE sessions with opens and closes in UTC, half days included, and the operator's overrides.
 * @throws RangeError when an override is wrong (see createCalendar)
 */
export function createNyseCalendar(overrides: readonly CalendarOverride[] = []): Calendar {
  return createCalendar(table, overrides);
}
