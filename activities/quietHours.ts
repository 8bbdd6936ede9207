// When quiet hours end. Called by notifications.ts.
import type { QuietHours } from '../contracts/wire/notification.js';

const minuteMs = 60_000;
const dayMinutes = 24 * 60;

const minutesOf = (text: string): number => Number(text.slice(0, 2)) * 60 + Number(text.slice(3, 5));

function minuteOfDay(ms: number, zone: string): number {
  const parts = new Intl.DateTimeFormat('en-GB', {
    timeZone: zone,
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  }).format(new Date(ms));
  return minutesOf(parts);
}

/**
 * @param now milliseconds since the epoch
 * @returns the end of the quiet hours that are on, in milliseconds, or `now` when none are. Where the clocks change in
 *   between, the end is found by walking the zone's own minutes.
 */
export function endOfQuietHours(quiet: QuietHours | null, now: number): number {
  if (quiet === null || quiet.from === quiet.to) return now;
  const [from, to] = [minutesOf(quiet.from), minutesOf(quiet.to)];
  const isQuiet = (ms: number): boolean => {
    const minute = minuteOfDay(ms, quiet.zone);
    return from < to ? minute >= from && minute < to : minute >= from || minute < to;
  };
  if (!isQuiet(now)) return now;
  const left = (to - minuteOfDay(now, quiet.zone) + dayMinutes) % dayMinutes;
  const guess = Math.floor(now / minuteMs) * minuteMs + left * minuteMs;
  // A changed clock moves the end by an hour at most.
  for (let ms = guess - 60 * minuteMs; ms <= guess + 60 * minuteMs; ms += minuteMs) {
    if (ms > now && !isQuiet(ms)) return ms;
  }
  return guess;
}
