import { describe, expect, it } from 'vitest';
import { timeframeRules } from '../domain/market/bar.js';
import { createNyseCalendar } from '../domain/market/nyse.js';
import type { Api, ExecuteOptions } from './api.js';
import type { Market } from './market.js';
import { afterWarmUp, runSession } from './runSession.js';

const calendar = createNyseCalendar();
const [first, last] = ['2013-05-13', '2018-05-11'];

describe('afterWarmUp', () => {
  it('waits for days and weeks, and for nothing else unless it is told to', () => {
    const date = afterWarmUp(calendar, first, last);
    expect(calendar.between(first, date)).toHaveLength(305);
    expect(afterWarmUp(calendar, first, last, ['weekly'])).toBe(date);
  });

  it('waits for complete months where a strategy looks at them', () => {
    const date = afterWarmUp(calendar, first, last, ['monthly']);
    const months = new Set(calendar.between(first, date).map((session) => session.date.slice(0, 7)));
    // The one that is on does not count.
    expect(months.size - 1).toBeGreaterThanOrEqual(timeframeRules.monthly.warmUp);
  });

  it('is the last session there is where the bars are too few', () => {
    expect(afterWarmUp(calendar, first, '2014-07-07', ['monthly'])).toBe('2014-07-07');
  });
});

/** A market that stands at the close of 2014-07-07 and steps from close to close; sessions of `taken` are in Temporal alone. */
function keelWith(taken: readonly string[]) {
  let now = '2014-07-07T20:00:00.000Z';
  const said: string[] = [];
  const asked: ExecuteOptions[] = [];
  const market = {
    dataOf: (symbol: string) => Promise.resolve({ symbol, first, last, synthetic: false }),
    now: () => Promise.resolve({ now, step: 1 }),
    stepThrough: (closes: readonly string[]) => {
      now = closes.at(-1) ?? now;
      return Promise.resolve();
    },
    stores: {
      runs: { listOpen: () => Promise.resolve([]), list: () => Promise.resolve([]) },
      strategies: { get: () => Promise.resolve(null) },
    },
  } as unknown as Market;
  const api = {
    execute: (_id: string, _symbol: string, how: ExecuteOptions) => {
      asked.push(how);
      const session = now.slice(0, 10);
      return Promise.resolve({ runId: session, session, existing: taken.includes(session) });
    },
    follow: async function* () {
      await Promise.resolve();
      yield* [];
    },
    run: (id: string) =>
      Promise.resolve({
        id,
        session: id,
        slot: 'after-close',
        code: taken.includes(id) ? 'ENDED_UNSTORED' : null,
      }),
  } as unknown as Api;
  const request = { api, market, symbol: 'AAPL', strategyId: 'demo-aapl', slot: 'after-close' };
  return {
    said,
    asked,
    run: (asOf: string | null = null, again = false) =>
      runSession({
        ...request,
        asOf,
        again,
        signal: new AbortController().signal,
        say: (line) => said.push(line),
        tell: () => undefined,
      }),
  };
}

describe('runSession', () => {
  it('goes on behind sessions that Temporal has and a restore has taken back', async () => {
    const { run, said } = keelWith(['2014-07-07', '2014-07-08']);
    expect(await run()).toMatchObject({ session: '2014-07-09', code: null });
    expect(said.filter((line) => line.includes('nothing is stored of it'))).toHaveLength(2);
  });

  it('shows such a session where it was asked for', async () => {
    expect(await keelWith(['2014-07-07']).run('2014-07-07')).toMatchObject({ code: 'ENDED_UNSTORED' });
  });
  it('runs the session that closed last again where it is asked to, and steps no market', async () => {
    const { run, asked, said } = keelWith(['2014-07-07']);
    expect(await run(null, true)).toMatchObject({ session: '2014-07-07' });
    expect(asked).toEqual([{ again: true }]);
    expect(said.join('\n')).not.toContain('Stepping');
  });
});
