// How long a login lasts: until midnight of New York, also where its clocks are moved before.
import { expect, it } from 'vitest';
import { untilExpiry } from './sessionClock.js';

const hours = (at: string): number => {
  const clock = { now: () => Date.parse(at) };
  return untilExpiry({ clock, clockFactor: 1, startedAt: 0 }) / 3_600_000;
};

it.each([
  ['a usual day', '2026-06-05T16:00:00.000Z', 12],
  ['the day that ends an hour later', '2026-11-01T04:30:00.000Z', 24.5],
  ['that day, once its clocks are moved', '2026-11-01T15:00:00.000Z', 14],
  ['the day that ends an hour sooner', '2027-03-14T05:30:00.000Z', 22.5],
])('%s', (_name, at, left) => {
  expect(hours(at)).toBe(left);
});
