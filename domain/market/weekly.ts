// Weekly bars from daily ones, and the rule that no unfinished bar is ever computed with.
// Called by the market data adapters, the simulator and the CLI.
import type { Bar, Timeframe } from './bar.js';
import type { Calendar, Session } from './calendarTypes.js';
import { addDays, isInstant, weekOf } from './dates.js';

/** NYSE sessions begin and end on one UTC date, so the date of a bar's start is the date of its session. */
const dateOf = (time: string): string => time.slice(0, 10);

/**
 * The date of a daily bar's session. The bar's time is the session's open (or any instant until the close), or the
 * bare date at 00:00:00.000Z.
 * @throws RangeError when no session is then, or outside the calendar
 */
export function sessionDateOf(barTime: string, calendar: Calendar): string {
  return sessionOf(barTime, calendar).date;
}

function sessionOf(barTime: string, calendar: Calendar): Session {
  const dated = barTime.endsWith('T00:00:00.000Z') && isInstant(barTime);
  const session = dated ? calendar.session(dateOf(barTime)) : calendar.openAt(barTime);
  if (session === null)
    throw new RangeError(`the bar of ${barTime} belongs to no session: the exchange was shut then`);
  return session;
}

/**
 * One bar a week (ISO, Monday to Sunday) from validated daily bars, oldest first: the time and open of the week's
 * first bar, the highest high, the lowest low, the close of the last, the sum of volumes. The last week may be
 * unfinished; see dropUnfinished.
 * @param sessionDate the session date of a bar's time; the UTC date of the time unless given
 */
export function aggregateWeekly(
  dailyBars: readonly Bar[],
  sessionDate: (barTime: string) => string = dateOf,
): readonly Bar[] {
  const weeks: Bar[] = [];
  let monday = '';
  for (const bar of dailyBars) {
    const week = weekOf(sessionDate(bar.time));
    const open = weeks.at(-1);
    if (open === undefined || week !== monday) {
      weeks.push({ ...bar });
      monday = week;
    } else {
      weeks[weeks.length - 1] = {
        ...open,
        high: Math.max(open.high, bar.high),
        low: Math.min(open.low, bar.low),
        close: bar.close,
        volume: open.volume + bar.volume,
      };
    }
  }
  return weeks;
}

/**
 * Leaves out the bars at the end whose interval is not complete at a market instant: a daily bar until its session
 * has closed, a weekly bar until the week's last session has. Bars of the future go as well.
 * @param bars validated, oldest first
 * @param marketNow the market clock's instant, ISO 8601 UTC with milliseconds
 * @throws RangeError when a bar belongs to no session, or to a week without one, or lies outside the calendar
 */
export function dropUnfinished(
  bars: readonly Bar[],
  timeframe: Timeframe,
  marketNow: string,
  calendar: Calendar,
): readonly Bar[] {
  if (!isInstant(marketNow))
    throw new RangeError(`not an instant of the form 2014-07-07T13:30:00.000Z: ${JSON.stringify(marketNow)}`);
  const finished = bars.findLastIndex((bar) => lastSessionOf(bar, timeframe, calendar).close <= marketNow);
  return bars.slice(0, finished + 1);
}

function lastSessionOf(bar: Bar, timeframe: Timeframe, calendar: Calendar): Session {
  if (timeframe === 'daily') return sessionOf(bar.time, calendar);
  const monday = weekOf(dateOf(bar.time));
  const last = calendar.between(monday, addDays(monday, 6)).at(-1);
  if (last === undefined) throw new RangeError(`the bar of ${bar.time} is in a week without any session`);
  return last;
}
