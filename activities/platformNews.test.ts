import { describe, expect, it } from 'vitest';
import type { LookName, MonitorResult } from '../contracts/wire/monitor.js';
import type { MonitorRow } from '../ports/monitors.js';
import type { News } from '../ports/notifications.js';
import { failedInARow, keptOf, tellOfPlatform, type Trouble } from './platformNews.js';

const begin = Date.UTC(2026, 0, 5, 15);
const everyMs = {
  prices: 60_000,
  portfolioSync: 300_000,
  reconciliation: 30_000,
  kpis: 300_000,
  health: 30_000,
};
const cache: Trouble = { name: 'cache', words: 'Redis does not answer.' };
const store: Trouble = { name: 'object store', words: 'The bucket does not answer.' };
const broker: Trouble = { name: 'broker', words: 'It was last read 130 s ago.', toldElsewhere: true };

/** A platform whose other monitors look when they should, unless `stopped` names them. */
function platform() {
  let now = begin;
  const rows = new Map<LookName, MonitorRow>();
  const news: News[] = [];
  const stopped = new Set<LookName>();
  const put = (name: LookName, { status, facts }: Pick<MonitorResult, 'status' | 'facts'>): void => {
    rows.set(name, {
      name,
      status,
      message: `${name} is ${status}.`,
      facts,
      at: new Date(now).toISOString(),
      ms: 1,
    });
  };
  const deps = {
    clock: { now: () => now },
    monitorsEveryMs: everyMs,
    wellAfterMs: 900_000,
    monitors: {
      get: (name: LookName) => Promise.resolve(rows.get(name) ?? null),
      list: () => Promise.resolve([...rows.values()]),
    },
    notifications: {
      add: (each: News) => {
        const known = news.some(({ key }) => key === each.key);
        if (!known) news.push(each);
        return Promise.resolve(!known);
      },
    },
  };
  const result = {
    news,
    rows,
    put,
    stopped,
    wait: (ms: number) => (now += ms),
    /** One look at health, half a minute after the last. */
    look: async (...parts: Trouble[]): Promise<MonitorResult['facts']> => {
      now += everyMs.health;
      for (const name of ['prices', 'portfolioSync', 'reconciliation', 'kpis'] as const) {
        const failing = rows.get(name)?.status === 'failed';
        if (!stopped.has(name) && !failing) put(name, { status: 'ok', facts: {} });
      }
      const facts = await tellOfPlatform(deps, parts);
      put('health', { status: parts.length === 0 ? 'ok' : 'warning', facts });
      return facts;
    },
    /** Looks at a platform whose parts are all there, for so many minutes. */
    well: async (minutes: number): Promise<void> => {
      for (let looks = 0; looks < minutes * 2; looks += 1) await result.look();
    },
    /** The same look once more, as after a crash before its result was kept. */
    again: (...parts: Trouble[]) => tellOfPlatform(deps, parts),
    titles: () => news.map(({ title }) => title),
  };
  return result;
}

describe('a part that is away', () => {
  it('is told by the second look in a row, once, and that all is well after a quarter of an hour', async () => {
    const { look, well, titles, news } = platform();
    for (const parts of [[], [cache], [cache], [cache], [cache]]) await look(...parts);
    expect(titles()).toEqual(['Keel is degraded: cache']);
    expect(news[0]).toMatchObject({ event: 'platform.degraded', body: 'cache: Redis does not answer.' });
    await well(14.5);
    expect(titles()).toHaveLength(1);
    await look();
    await well(20);
    expect(titles()).toEqual(['Keel is degraded: cache', 'Keel is well again']);
    expect(news[1]).toMatchObject({ event: 'platform.well', facts: { was: 'cache' } });
  });

  it('is not told of by one look, and once when it comes and goes', async () => {
    const { look, well, titles } = platform();
    for (let count = 0; count < 5; count += 1) {
      await look(cache);
      await look();
    }
    expect(titles()).toEqual([]);
    // Away for a minute and back for two, by turns: it is told once, and that it is well when it stays.
    for (let count = 0; count < 20; count += 1) {
      await look(cache);
      await look(cache);
      await well(2);
    }
    expect(titles()).toEqual(['Keel is degraded: cache']);
    await well(13);
    expect(titles()).toEqual(['Keel is degraded: cache', 'Keel is well again']);
  });

  it('is told with the others that are away, and once more for each change to the worse', async () => {
    const { look, well, titles } = platform();
    for (const parts of [[cache], [cache], [cache, store], [cache, store], [store], [store]]) {
      await look(...parts);
    }
    await well(15);
    expect(titles()).toEqual([
      'Keel is degraded: cache',
      'Keel is degraded: cache, object store',
      'Keel is well again',
    ]);
  });

  it('is told no second time by a look that is done again', async () => {
    const { look, again, news } = platform();
    await look(cache);
    await again(cache);
    await again(cache);
    expect(news).toHaveLength(1);
  });

  it('is told again when it is away anew', async () => {
    const { look, well, titles } = platform();
    for (const parts of [[cache], [cache]]) await look(...parts);
    await well(15);
    for (const parts of [[cache], [cache]]) await look(...parts);
    expect(titles()).toEqual(['Keel is degraded: cache', 'Keel is well again', 'Keel is degraded: cache']);
  });

  it('is not seen twice in a row by looks with a gap between them, and is not forgotten in it', async () => {
    const { look, well, wait, titles } = platform();
    await look(cache);
    wait(3_600_000);
    await look(cache);
    expect(titles()).toEqual([]);
    await look(cache);
    wait(3_600_000);
    await look();
    await well(14.5);
    expect(titles()).toEqual(['Keel is degraded: cache']);
    await look();
    expect(titles()).toEqual(['Keel is degraded: cache', 'Keel is well again']);
  });

  it('is not held to be there by looks at health that failed', async () => {
    const { look, put, rows, wait, well, titles } = platform();
    for (const parts of [[cache], [cache]]) await look(...parts);
    for (let count = 0; count < 60; count += 1) {
      wait(everyMs.health);
      const before = rows.get('health');
      put('health', { status: 'failed', facts: before === undefined ? {} : keptOf(before) });
    }
    await well(15);
    expect(titles()).toEqual(['Keel is degraded: cache']);
    await look();
    expect(titles()).toContain('Keel is well again');
  });

  it('and has an event of its own is told here only when it is over', async () => {
    const { look, well, titles } = platform();
    for (const parts of [[broker], [broker], [broker]]) await look(...parts);
    await well(15);
    expect(titles()).toEqual(['Keel is well again']);
  });

  it('and was told of at once is over after a quarter of an hour, also when one look alone had seen it', async () => {
    const { look, well, titles } = platform();
    for (const parts of [[], [broker]]) await look(...parts);
    await well(15);
    expect(titles()).toEqual(['Keel is well again']);
  });
});

describe('a monitor', () => {
  it('is late after three of its intervals', async () => {
    const { look, stopped, news } = platform();
    await look();
    stopped.add('prices');
    for (let count = 0; count < 7; count += 1) await look();
    expect(news).toEqual([]);
    await look();
    expect(news).toMatchObject([{ title: 'Keel is degraded: monitor prices' }]);
    expect(news[0]?.body).toContain('has not looked since 2026-01-05T15:00:30.000Z');
  });

  it('is not late where no worker was there to look, until one has had the time', async () => {
    const { look, wait, stopped, titles } = platform();
    await look();
    wait(8 * 3_600_000);
    stopped.add('kpis');
    for (let count = 0; count < 31; count += 1) await look();
    expect(titles()).toEqual([]);
    for (let count = 0; count < 2; count += 1) await look();
    expect(titles()).toEqual(['Keel is degraded: monitor kpis']);
  });

  it('that has never looked is late, too', async () => {
    const { look, stopped, news } = platform();
    stopped.add('reconciliation');
    for (let count = 0; count < 6; count += 1) await look();
    expect(news).toMatchObject([{ body: expect.stringContaining('has never looked') as string }]);
  });

  it('fails when it has failed twice in a row, however often health looks meanwhile', async () => {
    const { look, put, news } = platform();
    put('kpis', { status: 'failed', facts: { code: 'DATABASE_SLOW', failedInARow: 1 } });
    for (let count = 0; count < 5; count += 1) await look();
    expect(news).toEqual([]);
    put('kpis', { status: 'failed', facts: { code: 'DATABASE_SLOW', failedInARow: 2 } });
    await look();
    await look();
    expect(news).toMatchObject([
      { title: 'Keel is degraded: monitor kpis', body: 'monitor kpis: kpis is failed.' },
    ]);
  });

  it('that fails because the broker is lost is told by that', async () => {
    const { look, put, news } = platform();
    put('kpis', { status: 'failed', facts: { code: 'BROKER_STATE_STALE', failedInARow: 7 } });
    for (let count = 0; count < 4; count += 1) await look();
    expect(news).toEqual([]);
  });

  it('counts the failed looks in a row', () => {
    const row = (status: MonitorRow['status'], facts: MonitorRow['facts']): MonitorRow => ({
      ...{ name: 'kpis', status, message: '', facts, at: '2026-01-05T15:00:00.000Z', ms: 1 },
    });
    expect(failedInARow(null)).toBe(1);
    expect(failedInARow(row('ok', {}))).toBe(1);
    expect(failedInARow(row('failed', {}))).toBe(2);
    expect(failedInARow(row('failed', { failedInARow: 2 }))).toBe(3);
  });
});
