import { describe, expect, it } from 'vitest';
import { createNyseCalendar } from '../domain/market/nyse.js';
import type { LookName } from '../contracts/wire/monitor.js';
import { KeelError } from '../ports/errors.js';
import type { Price } from '../ports/prices.js';
import type { EquityRow, MonitorRow } from '../ports/monitors.js';
import type { News } from '../ports/notifications.js';
import type { BrokerSnapshot, IntentRow, RunRow } from '../ports/stores.js';
import { createMonitorActivities, type MonitorDeps } from './monitors.js';

const now = Date.UTC(2026, 0, 5, 15);
const accountId = 'DU1234567';

const snapshotOf = (changes: Partial<BrokerSnapshot> = {}): BrokerSnapshot => ({
  mode: 'paper',
  accountId,
  readStartedAt: new Date(now - 10_000).toISOString(),
  marketTime: '2026-01-05T15:00:00.000Z',
  marketStep: 0,
  account: { accountId, currency: 'USD', netLiquidation: '100000', settledCash: '60000' },
  positions: [
    { conid: '1', symbol: 'AAPL', quantity: '100', averageCost: '250', marketPrice: '260' },
    { conid: '2', symbol: 'SPY', quantity: '-20', averageCost: '600', marketPrice: '700' },
  ],
  orders: [],
  executions: [],
  ...changes,
});

/** A worker's ports around one snapshot; tests change what they are about. */
function world(changes: Partial<MonitorDeps> = {}, snapshot: BrokerSnapshot | null = snapshotOf()) {
  const rows = new Map<LookName, MonitorRow>();
  const news: News[] = [];
  const equity: EquityRow[] = [];
  const deps: MonitorDeps = {
    mode: 'paper',
    accountId,
    clock: { now: () => now },
    marketClock: { now: () => Promise.resolve({ now: new Date(now).toISOString(), step: 0 }) },
    calendar: createNyseCalendar(),
    brokerState: { latest: () => Promise.resolve(snapshot), trouble: () => Promise.resolve(null) },
    strategies: { list: () => Promise.resolve([]) },
    prices: { batch: () => Promise.resolve({ prices: [], problems: [] }), memory: () => [] },
    intents: {
      listOpen: () => Promise.resolve([]),
      get: () => Promise.resolve(null),
      listUnstopped: () => Promise.resolve([]),
      byRun: () => Promise.resolve(null),
      askCancel: () => Promise.resolve(),
    },
    runs: {
      listOpen: () => Promise.resolve([]),
      get: () => Promise.resolve(null),
      end: () => Promise.resolve(),
    },
    runWorkflows: {
      listOpen: () => Promise.resolve(new Set<string>()),
      describe: () => Promise.resolve(null),
    },
    monitorsEveryMs: {
      ...{ prices: 60_000, portfolioSync: 300_000, reconciliation: 30_000, kpis: 300_000, health: 30_000 },
    },
    wellAfterMs: 900_000,
    orderWorkflows: { isOpen: () => Promise.resolve(false) },
    objects: { has: () => Promise.resolve(false) },
    lookAtRetention: () => Promise.resolve({ status: 'ok', message: 'deleted nothing', facts: {} }),
    cache: { check: () => Promise.resolve({ kind: 'memory', ok: true, reason: null }) },
    monitors: {
      get: (name) => Promise.resolve(rows.get(name) ?? null),
      list: () => Promise.resolve([...rows.values()]),
      put: (row) => {
        rows.set(row.name, row);
        return Promise.resolve();
      },
    },
    notifications: {
      add: (each) => {
        const known = news.some(({ key }) => key === each.key);
        if (!known) news.push(each);
        return Promise.resolve(!known);
      },
    },
    equity: {
      put: (row) => {
        equity.push(row);
        return Promise.resolve();
      },
      latest: () => Promise.resolve(equity.at(-1) ?? null),
      before: () => Promise.resolve(null),
      executions: () => Promise.resolve([]),
    },
    ...changes,
  };
  const look = (name: LookName) => createMonitorActivities(deps).lookOnce({ name });
  return { look, rows, news, equity, deps };
}

const foreign = {
  brokerOrderId: '7',
  parentBrokerOrderId: null,
  clientOrderId: 'not-of-this-database',
  conid: '1',
  symbol: 'AAPL',
  side: 'BUY' as const,
  type: 'LMT' as const,
  timeInForce: 'GTC',
  quantity: '1',
  filledQuantity: '0',
  averagePrice: null,
  price: '200',
  status: 'WORKING' as const,
  reason: null,
};

describe('the monitor of orders', () => {
  it('names an order that nobody follows only when it sees it twice, and tells it once', async () => {
    const { look, news } = world({}, snapshotOf({ orders: [foreign] }));
    expect(await look('reconciliation')).toMatchObject({ status: 'ok', facts: { alarmed: [] } });
    expect(await look('reconciliation')).toMatchObject({
      status: 'warning',
      facts: { alarmed: ['not-of-this-database'] },
    });
    await look('reconciliation');
    expect(news.map(({ key }) => key)).toEqual(['unfollowed/not-of-this-database']);
  });

  it('names a live order of which the database says that it was never sent, as after a restore', async () => {
    const intents = {
      ...world().deps.intents,
      get: () => Promise.resolve({ state: 'ABANDONED' } as IntentRow),
    };
    const { look } = world({ intents }, snapshotOf({ orders: [foreign] }));
    await look('reconciliation');
    expect((await look('reconciliation')).facts['alarmed']).toEqual(['not-of-this-database']);
    const followed = { ...intents, get: () => Promise.resolve({ state: 'ACKNOWLEDGED' } as IntentRow) };
    const other = world({ intents: followed }, snapshotOf({ orders: [foreign] }));
    expect((await other.look('reconciliation')).facts['unfollowed']).toEqual([]);
  });

  it('names an order that has filled, too, where the database says that it was never sent', async () => {
    const filled = { ...foreign, status: 'FILLED' as const, filledQuantity: '1' };
    const alarmedFor = async (intent: IntentRow | null) => {
      const intents = { ...world().deps.intents, get: () => Promise.resolve(intent) };
      const { look } = world({ intents }, snapshotOf({ orders: [filled] }));
      await look('reconciliation');
      return (await look('reconciliation')).facts['alarmed'];
    };
    expect(await alarmedFor({ state: 'NOT_SENT' } as IntentRow)).toEqual(['not-of-this-database']);
    // It came back after its session, of which nothing had told any more.
    expect(await alarmedFor({ state: 'EXPIRED' } as IntentRow)).toEqual(['not-of-this-database']);
    expect(await alarmedFor({ state: 'FILLED' } as IntentRow)).toEqual([]);
    expect(await alarmedFor(null)).toEqual([]);
  });

  it('ends a run that nobody goes on with, and names it, also while the broker is not read', async () => {
    const ends: string[] = [];
    const run = {
      ...{ id: 'r1', workflowId: 'run/paper/lost', symbol: 'AAPL' },
      ...{ endedAt: null, restoredAt: '2026-01-05T14:00:00.000Z' },
    } as RunRow;
    const runs = {
      listOpen: () => Promise.resolve(ends.length === 0 ? [run] : []),
      get: () => Promise.resolve(run),
      end: (id: string) => {
        ends.push(id);
        return Promise.resolve();
      },
    };
    expect(await world({ runs }).look('reconciliation')).toMatchObject({
      status: 'warning',
      message: expect.stringContaining('nobody went on with run/paper/lost, ended as failed') as string,
      facts: { lostRuns: ['run/paper/lost'] },
    });
    ends.length = 0;
    expect(await world({ runs }, null).look('reconciliation')).toMatchObject({ status: 'failed' });
    expect(ends).toEqual(['r1']);
  });

  it('names an order made elsewhere that nobody can read', async () => {
    const unreadable = [
      { brokerOrderId: '77', clientOrderId: 'x', conid: '1', side: null, status: null, problem: 'side' },
    ];
    expect(await world({}, snapshotOf({ unreadable })).look('reconciliation')).toMatchObject({
      status: 'warning',
      message: 'nobody can read 77, made elsewhere: look at these orders at the broker',
      facts: { unreadable: ['77'] },
    });
    const over = unreadable.map((order) => ({ ...order, status: 'CANCELLED' as const }));
    expect(await world({}, snapshotOf({ unreadable: over })).look('reconciliation')).toMatchObject({
      status: 'ok',
    });
  });

  it('leaves alone what was made elsewhere, what is over, and legs', async () => {
    const orders = [
      { ...foreign, clientOrderId: null },
      { ...foreign, status: 'FILLED' as const },
    ];
    const { look } = world({}, snapshotOf({ orders }));
    expect((await look('reconciliation')).facts['unfollowed']).toEqual([]);
  });

  it('has failed, and says so, when the state of the broker is old', async () => {
    const old = snapshotOf({ readStartedAt: new Date(now - 300_000).toISOString(), orders: [foreign] });
    const { look, rows } = world({}, old);
    expect(await look('reconciliation')).toMatchObject({
      status: 'failed',
      message: expect.stringContaining('was last read 300 s ago') as string,
      facts: { code: 'BROKER_STATE_STALE' },
    });
    expect(rows.get('reconciliation')).toMatchObject({ status: 'failed', at: '2026-01-05T15:00:00.000Z' });
  });
});

describe('the monitor of figures', () => {
  it('keeps none of an account that is not read any more, and says so', async () => {
    const old = snapshotOf({ readStartedAt: new Date(now - 300_000).toISOString() });
    const { look, equity } = world({}, old);
    expect(await look('kpis')).toMatchObject({
      status: 'failed',
      message: expect.stringContaining('was last read 300 s ago') as string,
      facts: { code: 'BROKER_STATE_STALE' },
    });
    expect(await world({}, null).look('kpis')).toMatchObject({ status: 'failed' });
    expect(equity).toEqual([]);
  });
});

describe('the look that deletes what is old', () => {
  const orphans = new KeelError('ORPHANS_TOO_MANY', '60 of 70 objects are named by no row.');

  it('tells that it failed, once a day', async () => {
    const clock = { now: () => now };
    const { look, news } = world({ lookAtRetention: () => Promise.reject(orphans), clock });
    await look('retention');
    expect(await look('retention')).toMatchObject({ status: 'failed' });
    expect(news).toEqual([
      {
        key: 'retention/2026-01-05',
        event: 'retention.failed',
        title: 'What is old was not deleted',
        body: '60 of 70 objects are named by no row.',
        facts: { code: 'ORPHANS_TOO_MANY' },
      },
    ]);
    clock.now = () => now + 86_400_000;
    await look('retention');
    expect(news.map(({ key }) => key)).toEqual(['retention/2026-01-05', 'retention/2026-01-06']);
  });

  it('tells nothing of one that worked, and nothing of one beside a backup, which is a warning of health', async () => {
    const { look, news } = world();
    await look('retention');
    expect(news).toEqual([]);
    const busy = new KeelError('LOCK_BUSY', 'Another process has held the lock.', {
      errorClass: 'retryable',
    });
    const beside = world({ lookAtRetention: () => Promise.reject(busy) });
    expect(await beside.look('retention')).toMatchObject({ status: 'warning', facts: { code: 'LOCK_BUSY' } });
    expect(beside.news).toEqual([]);
  });

  it('tells of a defect, too, and is an error then', async () => {
    const { look, news } = world({ lookAtRetention: () => Promise.reject(new TypeError('secret words')) });
    await expect(look('retention')).rejects.toThrow(TypeError);
    expect(news).toMatchObject([{ event: 'retention.failed', facts: { code: 'DEFECT' } }]);
    expect(JSON.stringify(news)).not.toContain('secret words');
  });
});

describe('the monitor of health', () => {
  it('tells once that the broker is lost, also where it comes and goes, and again when it is lost anew', async () => {
    const at = { readStartedAt: '' };
    let later = now;
    const day = 86_400_000;
    const lost = (ms: number) => (at.readStartedAt = new Date(later - ms).toISOString());
    const { look, news } = world({
      brokerState: { latest: () => Promise.resolve(snapshotOf(at)), trouble: () => Promise.resolve(null) },
      clock: { now: () => later },
      // Nobody but health looks here.
      monitorsEveryMs: { prices: day, portfolioSync: day, reconciliation: day, kpis: day, health: 30_000 },
    });
    lost(130_000);
    await look('health');
    expect(await look('health')).toMatchObject({ status: 'warning' });
    expect(news.map(({ event }) => event)).toEqual(['broker.lost']);
    lost(1000);
    await look('health');
    lost(125_000);
    await look('health');
    expect(news).toHaveLength(1);
    for (let looks = 0; looks <= 30; looks += 1) {
      later += 30_000;
      lost(1000);
      await look('health');
    }
    expect(news.map(({ event }) => event)).toContain('platform.well');
    lost(125_000);
    await look('health');
    expect(news.filter(({ event }) => event === 'broker.lost')).toHaveLength(2);
  });

  it('tells why the state of the broker is not read, and not to look at a session that stands', async () => {
    const old = snapshotOf({ readStartedAt: new Date(now - 300_000).toISOString() });
    const trouble = {
      at: new Date(now - 5000).toISOString(),
      ...{ code: 'ORDER_UNREADABLE', message: 'The broker lists order 81, which Keel cannot read.' },
    };
    const brokerState = { latest: () => Promise.resolve(old), trouble: () => Promise.resolve(trouble) };
    const { look, news } = world({ brokerState }, old);
    const words = `The state of ${accountId} was last read 300 s ago: ORDER_UNREADABLE: ${trouble.message}`;
    expect(await look('health')).toMatchObject({ status: 'warning', message: words });
    expect(news).toMatchObject([
      { event: 'broker.lost', title: `The state of ${accountId} at the broker is not read`, body: words },
    ]);
  });

  it('names every part that does not answer', async () => {
    const away = () => Promise.reject(new KeelError('OBJECT_STORE_AWAY', 'the bucket does not answer'));
    const { look } = world({ objects: { has: away } });
    expect(await look('health')).toMatchObject({ status: 'warning', message: 'the bucket does not answer' });
  });
});

describe('a look that fails', () => {
  it('tells how many have failed in a row', async () => {
    const old = snapshotOf({ readStartedAt: new Date(now - 300_000).toISOString() });
    const { look } = world({}, old);
    expect((await look('kpis')).facts['failedInARow']).toBe(1);
    expect((await look('kpis')).facts['failedInARow']).toBe(2);
  });

  it('at health forgets nothing of what was told', async () => {
    const away = () => Promise.reject(new KeelError('OBJECT_STORE_AWAY', 'the bucket does not answer'));
    const reads = { latest: () => Promise.resolve(snapshotOf()), trouble: () => Promise.resolve(null) };
    const { look, news } = world({ objects: { has: away }, brokerState: reads });
    await look('health');
    expect((await look('health')).facts['told']).toEqual(['object store']);
    reads.latest = () =>
      Promise.reject(new KeelError('DATABASE_SLOW', 'too long', { errorClass: 'retryable' }));
    expect(await look('health')).toMatchObject({
      status: 'failed',
      facts: { code: 'DATABASE_SLOW', told: ['object store'], wrong: ['object store'] },
    });
    reads.latest = () => Promise.resolve(snapshotOf());
    await look('health');
    expect(news.map(({ event }) => event)).toEqual(['platform.degraded']);
  });
});

describe('the monitor of figures', () => {
  it('adds longs and shorts up for the exposure, and takes the day from the last row before the session', async () => {
    const asked: string[] = [];
    const { deps } = world();
    const { look, equity } = world({
      equity: {
        ...deps.equity,
        put: (row) => {
          equity.push(row);
          return Promise.resolve();
        },
        before: (_account, marketTime) => {
          asked.push(marketTime);
          return Promise.resolve({ equity: '99000.5' } as EquityRow);
        },
      },
    });
    await look('kpis');
    // The open of Monday, 2026-01-05; 100 x 260 + 20 x 700 of 100,000.
    expect(asked).toEqual(['2026-01-05T14:30:00.000Z']);
    expect(equity).toMatchObject([
      { equity: '100000', cash: '60000', exposure: '0.400000', dayResult: '999.5', winRate: null },
    ]);
  });
});

describe('the monitor of prices', () => {
  const priceOf = (symbol: string, changes: Partial<Price> = {}): Price => ({
    ...{
      symbol,
      price: '95.97',
      currency: 'USD',
      at: '2026-01-05T14:59:00.000Z',
      ageMs: 1000,
      ofMarket: true,
    },
    ...{
      previousClose: null,
      volume: null,
      marketCap: null,
      freshness: 'live',
      reason: null,
      source: 'replay',
    },
    fetchedAt: '2026-01-05T15:00:00.000Z',
    ...changes,
  });
  const pricesAre = (...prices: Price[]): Partial<MonitorDeps> => ({
    prices: { batch: () => Promise.resolve({ prices, problems: [] }), memory: () => [] },
  });

  it('tells how old the oldest price is', async () => {
    const { look } = world(pricesAre(priceOf('AAPL', { ageMs: 61_000 }), priceOf('SPY', { ageMs: 5000 })));
    expect(await look('prices')).toEqual({
      status: 'ok',
      message: '2 of 2 symbols have a price, 0 a stale one, the oldest of 61 s ago',
      facts: { symbols: 2, priced: 2, stale: [], missing: [], oldestSeconds: 61 },
    });
  });

  it('names prices of today beside a simulated market, by which nothing is valued', async () => {
    const { look } = world(pricesAre(priceOf('AAPL'), priceOf('SPY', { ofMarket: false })));
    const result = await look('prices');
    expect(result).toMatchObject({ status: 'ok', facts: { ofOtherTime: ['SPY'] } });
    expect(result.message).toMatch(/; 1 of them are of today and not of the simulated market/);
  });
});

describe('a look', () => {
  it('that meets a defect stays an error, and keeps nothing that looks like a result', async () => {
    const { look, rows } = world({ strategies: { list: () => Promise.reject(new TypeError('a defect')) } });
    await expect(look('prices')).rejects.toThrow(TypeError);
    expect(rows.size).toBe(0);
  });
});
