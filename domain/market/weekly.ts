// Weekly and monthly bars from daily ones, and the rule that no unfinished bar is ever computed with.
// Called by the market data adapters, the simulator and the CLI.
import type { Bar, Timeframe } from './bar.js';
import type { Calendar, Session } from './calendarTypes.js';
import { addDays, isInstant, monthEnd, monthOf, weekOf } from './dates.js';

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
export const aggregateWeekly = (
  dailyBars: readonly Bar[],
  sessionDate: (barTime: string) => string = dateOf,
): readonly Bar[] => aggregate(dailyBars, (time) => weekOf(sessionDate(time)));

/** The same by calendar months: the last one may be unfinished. */
export const aggregateMonthly = (
  dailyBars: readonly Bar[],
  sessionDate: (barTime: string) => string = dateOf,
): readonly Bar[] => aggregate(dailyBars, (time) => monthOf(sessionDate(time)));

/** Bars of a timeframe from daily ones, which are those of `daily`. */
export function barsOfTimeframe(dailyBars: readonly Bar[], timeframe: Timeframe): readonly Bar[] {
  if (timeframe === 'daily') return dailyBars;
  return timeframe === 'weekly' ? aggregateWeekly(dailyBars) : aggregateMonthly(dailyBars);
}

/** @param intervalOf names the interval that a daily bar's time is in */
function aggregate(dailyBars: readonly Bar[], intervalOf: (barTime: string) => string): readonly Bar[] {
  const made: Bar[] = [];
  let interval = '';
  for (const bar of dailyBars) {
    const own = intervalOf(bar.time);
    const open = made.at(-1);
    if (open === undefined || own !== interval) {
      made.push({ ...bar });
      interval = own;
    } else {
      made[made.length - 1] = {
        ...open,
        high: Math.max(open.high, bar.high),
        low: Math.min(open.low, bar.low),
        close: bar.close,
        volume: open.volume + bar.volume,
      };
    }
  }
  return made;
}

/**
 * Leaves out the bars at the end whose interval is not complete at a market instant: a daily bar until its session
 * has closed, a weekly or monthly bar until the last session of its week or month has. Bars of the future go as well.
 * A first month of which the bars begin later than its sessions is a piece, and is left out too; a first week is kept as
 * it is, because what was decided with it would be decided otherwise.
 * @param bars validated, oldest first
 * @param marketNow the market clock's instant, ISO 8601 UTC with milliseconds
 * @throws RangeError when a bar belongs to no session, or to a week or month without one, or lies outside the calendar
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
  return bars.slice(timeframe === 'monthly' && isPieceOfMonth(bars[0], calendar) ? 1 : 0, finished + 1);
}

/** Outside the calendar nothing is known of earlier sessions, and the bar counts as whole. */
function isPieceOfMonth(bar: Bar | undefined, calendar: Calendar): boolean {
  if (bar === undefined) return false;
  const date = dateOf(bar.time);
  const first = monthOf(date);
  if (first < calendar.first || date > calendar.last) return false;
  return calendar.between(first, date).some((session) => session.date < date);
}

function lastSessionOf(bar: Bar, timeframe: Timeframe, calendar: Calendar): Session {
  if (timeframe === 'daily') return sessionOf(bar.time, calendar);
  const date = dateOf(bar.time);
  const [first, end] =
    timeframe === 'weekly' ? [weekOf(date), addDays(weekOf(date), 6)] : [monthOf(date), monthEnd(date)];
  const last = calendar.between(first, end).at(-1);
  if (last === undefined) {
    const interval = timeframe === 'weekly' ? 'week' : 'month';
    throw new RangeError(`the bar of ${bar.time} is in a ${interval} without any session`);
  }
  return last;
}
