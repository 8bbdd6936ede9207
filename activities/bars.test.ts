import { describe, expect, it } from 'vitest';
import type { Mode } from '../contracts/wire/names.js';
import type { Bar } from '../domain/market/bar.js';
import { createNyseCalendar } from '../domain/market/nyse.js';
import type { BarSetRow } from '../ports/evidence.js';
import { KeelError } from '../ports/errors.js';
import { createBarsActivities } from './bars.js';
import { appleContract } from './testing/orders.js';

const calendar = createNyseCalendar();

/** A bar of each session until a date, the last one cut short as that of an open session would be. */
const barsUntil = (last: string): readonly Bar[] =>
  calendar.between('2012-01-03', last).map(({ open }) => ({
    ...{ time: open, open: 100, high: 101, low: 99, close: 100, volume: 1000 },
  }));

interface Moment {
  readonly mode?: Mode;
  readonly session?: string;
  readonly now?: string;
}

/** What became of bars that end with a session, an hour after the close of 2014-07-07 unless another moment is given. */
async function fetched(
  last: string,
  { mode = 'paper', session = '2014-07-07', now = '2014-07-07T21:00:00.000Z' }: Moment = {},
): Promise<{ readonly stored: readonly BarSetRow[]; readonly error: KeelError | null }> {
  const stored: BarSetRow[] = [];
  const activities = createBarsActivities({
    mode,
    broker: { resolveContract: () => Promise.resolve(appleContract) },
    marketData: { history: () => Promise.resolve({ bars: barsUntil(last), source: 'ibkr' }) },
    objects: {
      put: () => Promise.resolve(),
      get: () => Promise.reject(new Error('nothing is read')),
    } as never,
    evidence: { putBars: (row) => Promise.resolve(void stored.push(row)) },
    marketClock: { now: () => Promise.resolve({ now, step: 1 }) },
    calendar,
  });
  const error = await activities
    .fetchBars({ runId: 'r1', contract: appleContract, timeframe: 'daily', session })
    .then(
      () => null,
      (caught: unknown) => {
        if (caught instanceof KeelError) return caught;
        throw caught;
      },
    );
  return { stored, error };
}

describe('daily bars that end before the last session that has closed', () => {
  it('are refused with the session that is missing, and nothing is stored of them', async () => {
    const { stored, error } = await fetched('2014-07-07', {
      session: '2026-11-27',
      now: '2026-11-28T15:00:00.000Z',
    });
    expect(error).toMatchObject({ code: 'STALE_BARS', errorClass: 'final' });
    expect(error?.message).toContain('AAPL is that of 2014-07-07, and that of 2026-11-27 should be there');
    expect(stored).toEqual([]);
  });

  it('are asked for again where one bar is missing, which the broker may have late', async () => {
    // The third of July was a half day, and the fourth a holiday.
    const { error } = await fetched('2014-07-03');
    expect(error).toMatchObject({ code: 'STALE_BARS', errorClass: 'retryable' });
    expect(error?.facts).toMatchObject({ found: '2014-07-03', expected: '2014-07-07' });
    const halfDay = { session: '2014-07-03', now: '2014-07-03T17:30:00.000Z' };
    expect((await fetched('2014-07-02', halfDay)).error).toMatchObject({ errorClass: 'retryable' });
    expect((await fetched('2014-07-03', halfDay)).error).toBeNull();
  });

  it('are refused at once in the simulated market, where no bar is late', async () => {
    const { error } = await fetched('2014-07-03', { mode: 'simulated' });
    expect(error).toMatchObject({ code: 'STALE_BARS', errorClass: 'final' });
  });

  it('are whole while the session of the run is open: its own bar is not there yet', async () => {
    const { stored, error } = await fetched('2014-07-07', { now: '2014-07-07T15:00:00.000Z' });
    expect(error).toBeNull();
    expect(stored).toMatchObject([{ last: '2014-07-03T13:30:00.000Z' }]);
  });

  it('are whole for a run that starts late and sees no more than one in time', async () => {
    const { stored, error } = await fetched('2014-07-09', { now: '2014-07-09T21:00:00.000Z' });
    expect(error).toBeNull();
    expect(stored).toMatchObject([{ last: '2014-07-07T13:30:00.000Z' }]);
  });
});
