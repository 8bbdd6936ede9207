// Dates (YYYY-MM-DD) and instants (ISO 8601 UTC with milliseconds) as text, without a clock or a time zone.
// Used by the calendar, the aggregation of bars and the CSV reader.

const DAY_MS = 86_400_000;

/** True for a date that exists, written YYYY-MM-DD. */
export function isDate(text: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return false;
  const ms = Date.parse(`${text}T00:00:00.000Z`);
  return Number.isFinite(ms) && new Date(ms).toISOString().startsWith(text);
}

/** True for an instant that exists, written 2014-07-07T13:30:00.000Z. Only this form compares as text. */
export function isInstant(text: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/.test(text)) return false;
  const ms = Date.parse(text);
  return Number.isFinite(ms) && new Date(ms).toISOString() === text;
}

/** The date a number of days later (earlier when negative). @throws RangeError when the date does not exist. */
export function addDays(date: string, days: number): string {
  if (!isDate(date)) throw new RangeError(`not a date of the form YYYY-MM-DD: ${JSON.stringify(date)}`);
  return new Date(Date.parse(`${date}T00:00:00.000Z`) + days * DAY_MS).toISOString().slice(0, 10);
}

/** Days since Monday: 0 on a Monday, 6 on a Sunday. @throws RangeError when the date does not exist. */
export function dayOfWeek(date: string): number {
  if (!isDate(date)) throw new RangeError(`not a date of the form YYYY-MM-DD: ${JSON.stringify(date)}`);
  // 1970-01-01 was a Thursday, three days after a Monday.
  const days = Date.parse(`${date}T00:00:00.000Z`) / DAY_MS + 3;
  return ((days % 7) + 7) % 7;
}

/** The Monday of the date's ISO week. @throws RangeError when the date does not exist. */
export function weekOf(date: string): string {
  return addDays(date, -dayOfWeek(date));
}

/** The first day of the date's month. @throws RangeError when the date does not exist. */
export const monthOf = (date: string): string => `${addDays(date, 0).slice(0, 7)}-01`;

/** The last day of the date's month. @throws RangeError when the date does not exist. */
export const monthEnd = (date: string): string => addDays(monthOf(addDays(monthOf(date), 31)), -1);
