import { describe, expect, it } from 'vitest';
import { endOfQuietHours } from './quietHours.js';

const night = { from: '22:00', to: '07:00', zone: 'America/New_York' };
const end = (now: string, quiet = night): string =>
  new Date(endOfQuietHours(quiet, Date.parse(now))).toISOString();

describe('quiet hours', () => {
  it.each([
    ['in the evening', '2026-01-06T03:30:20.000Z', '2026-01-06T12:00:00.000Z'],
    ['after midnight', '2026-01-06T11:59:59.000Z', '2026-01-06T12:00:00.000Z'],
    ['over the start of summer time', '2026-03-08T04:00:00.000Z', '2026-03-08T11:00:00.000Z'],
    ['over its end', '2026-11-01T03:00:00.000Z', '2026-11-01T12:00:00.000Z'],
  ])('%s end in the morning of the zone', (_what, now, at) => {
    expect(end(now)).toBe(at);
  });

  it('are not on by day, nor where there are none', () => {
    const noon = '2026-01-06T17:00:00.000Z';
    expect(end(noon)).toBe(noon);
    expect(end(noon, { ...night, from: '07:00' })).toBe(noon);
    expect(endOfQuietHours(null, 5)).toBe(5);
  });

  it('may lie within a day', () => {
    const lunch = { from: '12:00', to: '13:30', zone: 'UTC' };
    expect(end('2026-01-06T12:10:00.000Z', lunch)).toBe('2026-01-06T13:30:00.000Z');
  });
});
