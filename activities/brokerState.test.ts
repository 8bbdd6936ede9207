import { describe, expect, it } from 'vitest';
import { createNyseCalendar } from '../domain/market/nyse.js';
import type { IntentState, OrderState } from '../contracts/wire/order.js';
import type { BrokerExecution, BrokerOrder, UnreadableOrder } from '../ports/broker.js';
import type { BrokerNewsPort } from '../ports/brokerNews.js';
import { KeelError } from '../ports/errors.js';
import type { BrokerSnapshot, IntentRow } from '../ports/stores.js';
import { createBrokerStateActivities } from './brokerState.js';
import { execution, sentIntent as intent, workingOrder } from './testing/orders.js';

const order: BrokerOrder = { ...workingOrder, filledQuantity: '10', averagePrice: '100', status: 'FILLED' };

/** An intent that the broker has taken, with a leg. */
const followed = {
  ...intent,
  state: 'ACKNOWLEDGED',
  brokerOrderId: '1',
  legs: [{ role: 'stop', brokerOrderId: '2', status: 'WORKING', quantity: '10', filledQuantity: '0' }],
} as const;

interface Far {
  /** What the broker lists; asked at the moment of the read. */
  readonly orders?: () => readonly BrokerOrder[];
  readonly unreadable?: readonly UnreadableOrder[];
  /** False: the list is empty, and the broker does not say that it is all. */
  readonly complete?: boolean;
  /** What the broker tells of single orders, by order id; nothing of others. */
  readonly singly?: Readonly<Record<string, Partial<BrokerOrder>>>;
  /** What the stored snapshot has of orders. */
  readonly listed?: readonly BrokerOrder[];
  /** Executions as they are listed. */
  readonly executions?: readonly BrokerExecution[];
  /** Ids of orders that are asked for alone, in order. */
  readonly asked?: string[];
  /** Orders of executions that cannot be read. */
  readonly unreadableFills?: readonly UnreadableOrder[];
  /** What the stored snapshot has of them. */
  readonly before?: readonly UnreadableOrder[];
  /** Client order ids of intents that the database has; every one unless given. */
  readonly known?: readonly string[];
  readonly cash?: () => string;
  /** Intents as they are listed. */
  readonly open?: readonly IntentRow[];
  /** The state that the database has for an intent by the time it is written, where that is another one. */
  readonly moved?: Readonly<Record<string, IntentState>>;
  readonly marketNow?: string;
  /** False: another poller has stored a later read meanwhile. */
  readonly newest?: boolean;
  /** What storing the snapshot fails with. */
  readonly unstored?: Error;
  readonly ensureSession?: () => Promise<void>;
  readonly brokerNews?: BrokerNewsPort;
  /** How long each pause lasts, milliseconds; the watch ends after the last one. */
  readonly pausesMs?: readonly number[];
  /** Whether an order is open; without one the next poll is an hour away. */
  readonly demand?: boolean;
  /** Who hears of an intent or a snapshot, in order: its lifecycle or the database. */
  readonly heard?: string[];
  /** Codes of reads that failed, as they were kept. */
  readonly troubles?: string[];
}

const stored: BrokerSnapshot = {
  mode: 'simulated',
  accountId: 'DU1',
  readStartedAt: '2025-12-31T23:59:00.000Z',
  marketTime: '2014-07-08T13:35:00.000Z',
  marketStep: 1,
  account: { accountId: 'DU1', currency: 'USD', netLiquidation: '10000', settledCash: '10000' },
  positions: [],
  orders: [],
  executions: [],
};

const silence: BrokerNewsPort = {
  open: () => ({ next: () => new Promise<void>(() => undefined), close: () => undefined }),
};

/** One poll, or more, against the far sides of the ports. */
async function poll({
  orders = () => [],
  unreadable = [],
  complete = true,
  singly = {},
  listed = [],
  executions = [],
  asked = [],
  unreadableFills = [],
  before = [],
  known,
  cash = () => '10000',
  open = [],
  moved = {},
  marketNow,
  newest = true,
  unstored,
  ensureSession = () => Promise.resolve(),
  brokerNews = silence,
  pausesMs = [1000],
  demand = true,
  heard = [],
  troubles = [],
}: Far) {
  const saved: BrokerSnapshot[] = [];
  const applied: { id: string; next: IntentState }[] = [];
  const told: OrderState[] = [];
  let now = Date.parse('2026-01-01T00:00:00.000Z');
  let polls = 0;
  const deps = {
    mode: 'simulated',
    accountId: 'DU1',
    broker: {
      ensureSession,
      orders: async () => {
        // The orders have a limit of their own and come last.
        await new Promise((resolve) => setTimeout(resolve, 5));
        return { orders: orders(), unreadable, complete };
      },
      orderNow: (_account: string, known: BrokerOrder) => {
        asked.push(known.brokerOrderId);
        const now = singly[known.brokerOrderId];
        return Promise.resolve(now === undefined ? null : { ...known, ...now });
      },
      executions: () => Promise.resolve({ executions, unreadable: unreadableFills }),
      account: () =>
        Promise.resolve({
          accountId: 'DU1',
          currency: 'USD',
          netLiquidation: '10000',
          settledCash: cash(),
        }),
      positions: () => Promise.resolve([]),
    },
    brokerNews,
    calendar: createNyseCalendar(),
    brokerState: {
      save: (read: BrokerSnapshot) => {
        if (unstored !== undefined) return Promise.reject(unstored);
        if (newest) saved.push(read);
        heard.push('snapshot');
        return Promise.resolve(newest);
      },
      latest: () => Promise.resolve({ ...stored, orders: listed, unreadable: before }),
      demand: () => Promise.resolve({ runs: demand, orders: demand }),
      putTrouble: (_account: string, { code }: { readonly code: string }) =>
        Promise.resolve(void troubles.push(code)),
    },
    intents: {
      listOpen: () => Promise.resolve(open),
      applyState: (id: string, _state: OrderState, next: IntentState) => {
        if (moved[id] !== undefined && moved[id] !== next) {
          return Promise.reject(new KeelError('ILLEGAL_TRANSITION', `${moved[id]} to ${next}`));
        }
        heard.push('database');
        return Promise.resolve(void applied.push({ id, next }));
      },
      get: (id: string) =>
        Promise.resolve(
          known?.includes(id) === false
            ? null
            : { ...intent, clientOrderId: id, state: moved[id] ?? intent.state },
        ),
      move: (id: string, from: readonly IntentState[], to: IntentState) => {
        const listed = open.find(({ clientOrderId }) => clientOrderId === id);
        const may = listed !== undefined && from.includes(listed.state);
        if (may) applied.push({ id, next: to });
        return Promise.resolve(may);
      },
    },
    runs: { listOpen: () => Promise.resolve([]) },
    signals: {
      orderState: (state: OrderState) => {
        heard.push('lifecycle');
        return Promise.resolve(void told.push(state));
      },
    },
    clock: { now: () => now },
    marketClock: { now: () => Promise.resolve({ now: marketNow ?? '2014-07-08T13:36:00.000Z', step: 1 }) },
    pause: () => {
      now += pausesMs[polls - 1] ?? 0;
      return Promise.resolve();
    },
    freshness: { snapshotMaxAgeMs: 15_000 },
    pollMs: 1000,
    idlePollMs: 3_600_000,
    stopping: () => (polls += 1) > pausesMs.length,
  } as const;
  await createBrokerStateActivities(deps).watchBroker({ forMs: 4 * 3_600_000 });
  return { saved, applied, told, heard };
}

describe('one poll of the broker', () => {
  it('shows no fill whose cash is still there', async () => {
    // The order fills while the poll reads.
    let filled = false;
    const { saved, applied } = await poll({
      open: [intent],
      orders: () => {
        filled = true;
        return [order];
      },
      cash: () => (filled ? '9000' : '10000'),
    });
    expect(applied).toEqual([{ id: 'mine', next: 'FILLED' }]);
    expect(saved[0]?.account.settledCash).toBe('9000');
  });
  it('tells the lifecycle before it stores, so that a poller that dies in between tells again', async () => {
    // Once it is stored as filled and has no legs, a sell is open no more: nobody would look at it again.
    const sell = { ...intent, side: 'SELL', stop: null, target: null } as const;
    const { heard } = await poll({ open: [sell], orders: () => [{ ...order, side: 'SELL' }] });
    expect(heard).toEqual(['snapshot', 'lifecycle', 'database']);
  });
  it('goes on over an intent that its lifecycle moved since it was listed', async () => {
    // The poll read the orders before this one arrived; its answer was written before the poll got to its intent.
    const { applied, told } = await poll({
      open: [intent, { ...intent, clientOrderId: 'next' }],
      moved: { mine: 'ACKNOWLEDGED' },
    });
    expect(applied).toContainEqual({ id: 'mine', next: 'ACKNOWLEDGED' });
    expect(applied).toContainEqual({ id: 'next', next: 'SENT' });
    expect(told.map(({ clientOrderId }) => clientOrderId)).toEqual(['mine', 'next']);
  });
  it('takes back what was never sent once it could not be valid any more, and no sooner', async () => {
    const open = [{ ...intent, state: 'INTENT' }] as const;
    expect((await poll({ open })).applied).toEqual([]);
    const { applied, told } = await poll({ open, marketNow: intent.validUntil });
    expect(applied).toEqual([{ id: 'mine', next: 'ABANDONED' }]);
    expect(told).toEqual([]);
  });
  it('that another has overtaken tells nobody anything', async () => {
    const { applied, told } = await poll({ open: [intent], orders: () => [order], newest: false });
    expect([applied, told]).toEqual([[], []]);
  });
});

describe('an order that the list lacks', () => {
  const stop: BrokerOrder = {
    ...workingOrder,
    ...{ brokerOrderId: '2', parentBrokerOrderId: '1', clientOrderId: null, side: 'SELL', type: 'STP' },
  };
  const filled = { ...followed, state: 'FILLED', filledQuantity: '10' } as const;
  const over = { listed: [order, stop], open: [filled] } as const;

  it('lives on where the broker says so when it is asked for it alone', async () => {
    const { saved, told } = await poll({ ...over, singly: { 2: { filledQuantity: '4' } } });
    expect(saved[0]?.orders).toEqual([{ ...stop, filledQuantity: '4' }]);
    expect(told[0]?.legs).toMatchObject([{ role: 'stop', status: 'WORKING', filledQuantity: '4' }]);
  });
  it('has ended as the broker says then', async () => {
    const { told } = await poll({ ...over, singly: { 2: { status: 'FILLED', filledQuantity: '10' } } });
    expect(told[0]?.legs).toMatchObject([{ status: 'FILLED', filledQuantity: '10' }]);
  });
  it('is gone where the broker has it no more', async () => {
    const { saved, told } = await poll(over);
    expect(saved[0]?.orders).toEqual([]);
    expect(told[0]?.legs).toMatchObject([{ status: 'CANCELLED' }]);
  });
  it('is held for alive for ten minutes where the broker has it no more, and no list that it calls complete', async () => {
    const { saved, told } = await poll({ ...over, complete: false });
    expect(saved[0]?.orders).toEqual([{ ...stop, unlistedSince: '2014-07-08T13:36:00.000Z' }]);
    expect(told[0]?.legs).toMatchObject([{ status: 'WORKING' }]);
    const at = async (marketNow: string) => {
      const later = await poll({ ...over, listed: saved[0]?.orders ?? [], complete: false, marketNow });
      return [later.saved[0]?.orders, later.told[0]?.legs[0]?.status];
    };
    expect(await at('2014-07-08T13:45:59.000Z')).toEqual([saved[0]?.orders, 'WORKING']);
    expect(await at('2014-07-08T13:46:00.000Z')).toEqual([[], 'CANCELLED']);
    const back = { ...over, listed: saved[0]?.orders ?? [], complete: false, singly: { 2: {} } };
    expect((await poll(back)).saved[0]?.orders).toEqual([stop]);
  });
  it('has filled where its executions say so, whatever it was', async () => {
    const fill = {
      ...execution,
      brokerOrderId: '2',
      clientOrderId: null,
      side: 'SELL',
      quantity: '10',
    } as const;
    const { told } = await poll({ ...over, complete: false, executions: [fill] });
    expect(told[0]?.legs).toMatchObject([{ status: 'FILLED', filledQuantity: '10' }]);
  });
  it('is not held for alive where it is an entry: it has ended with its validity', async () => {
    const entry = { ...workingOrder, brokerOrderId: '1' };
    const open = [{ ...followed, legs: [] }] as const;
    const { saved, told } = await poll({
      ...{ listed: [entry], open, complete: false, marketNow: '2014-07-08T20:05:00.000Z' },
    });
    expect(saved[0]?.orders).toEqual([]);
    expect(told).toMatchObject([{ found: false, pastValidity: true }]);
  });
  it('is asked for by ten at most in one poll; the others stay as they were, and are asked for next', async () => {
    const stops = Array.from({ length: 12 }, (_, at) => ({ ...stop, brokerOrderId: String(100 + at) }));
    const [leg] = followed.legs;
    const legs = stops.map(({ brokerOrderId }) => ({ ...leg, brokerOrderId }));
    const asked: string[] = [];
    const singly = Object.fromEntries(stops.map(({ brokerOrderId }) => [brokerOrderId, {}]));
    const open = [{ ...filled, legs }];
    const { saved } = await poll({ ...over, listed: stops, open, singly, asked });
    expect(asked).toEqual(stops.slice(0, 10).map(({ brokerOrderId }) => brokerOrderId));
    expect(saved[0]?.orders).toHaveLength(12);
    await poll({ ...over, listed: saved[0]?.orders ?? [], open, singly, asked });
    expect(asked.slice(10, 12)).toEqual(stops.slice(10).map(({ brokerOrderId }) => brokerOrderId));
  });
  it('is held for alive where the broker has it no more, and no list while the exchange is shut', async () => {
    const other = { ...order, brokerOrderId: '9', clientOrderId: null };
    for (const orders of [[], [other]]) {
      const { told } = await poll({ ...over, marketNow: '2014-07-08T22:00:00.000Z', orders: () => orders });
      expect(told[0]?.legs).toMatchObject([{ status: 'WORKING' }]);
    }
  });
  it('is asked for only while it is alive', async () => {
    const cancelled = { ...stop, status: 'CANCELLED' } as const;
    const { saved } = await poll({ ...over, listed: [cancelled], singly: { 2: {} } });
    expect(saved[0]?.orders).toEqual([]);
  });

  it.each<[string, IntentRow]>([
    ['an entry that the broker has taken', { ...intent, state: 'ACKNOWLEDGED', brokerOrderId: '1' }],
    ['the legs of an entry that has filled', { ...filled, legs: [] }],
  ])('is waited for, for five minutes, where an empty list may not be all: %s', async (_what, given) => {
    const troubles: string[] = [];
    const missing = { ...given, updatedAt: '2025-12-31T23:55:00.001Z' };
    await expect(poll({ open: [missing], complete: false, troubles })).rejects.toMatchObject({
      code: 'ORDERS_NOT_LISTED',
      errorClass: 'retryable',
    });
    expect(troubles).toEqual(['ORDERS_NOT_LISTED']);
    const old = { ...missing, updatedAt: '2025-12-31T23:55:00.000Z' };
    expect((await poll({ open: [old], complete: false })).saved).toHaveLength(1);
    // Its session is over: it is listed no more.
    const { saved } = await poll({ open: [missing], complete: false, marketNow: intent.validUntil });
    expect(saved).toHaveLength(1);
  });
  const taken = { ...intent, state: 'ACKNOWLEDGED', brokerOrderId: '1' } as const;
  it('is not waited for where the list is all there is', async () => {
    expect((await poll({ open: [taken] })).saved).toHaveLength(1);
  });
  it('is asked for by its id, an entry that no list has had yet too, as it was sent', async () => {
    const { quantity, limit } = taken;
    const singly = { 1: { status: 'FILLED', filledQuantity: quantity, averagePrice: '96' } } as const;
    const { saved, told } = await poll({ open: [taken], singly });
    expect(saved[0]?.orders).toMatchObject([
      { brokerOrderId: '1', clientOrderId: taken.clientOrderId, side: 'BUY', quantity, price: limit },
    ]);
    expect(told[0]).toMatchObject({ found: true, status: 'FILLED', filledQuantity: quantity });
    expect((await poll({ open: [taken] })).told[0]).toMatchObject({ found: false });
  });
});

describe('an order that cannot be read', () => {
  const elsewhere: UnreadableOrder = {
    brokerOrderId: '77',
    clientOrderId: 'of-another-tool',
    conid: '1',
    side: 'BUY',
    status: 'WORKING',
    problem: 'totalSize: Invalid input',
  };
  it('and was made elsewhere is told of in the snapshot, and the rest is used', async () => {
    const { saved, applied } = await poll({
      open: [intent],
      orders: () => [order],
      unreadable: [elsewhere],
      known: ['mine'],
    });
    expect(saved).toMatchObject([{ orders: [{ brokerOrderId: '1' }], unreadable: [elsewhere] }]);
    expect(applied).toEqual([{ id: 'mine', next: 'FILLED' }]);
  });

  const bare = { clientOrderId: null, conid: '8314' } as const;
  const leg = { clientOrderId: null, conid: '265598', side: 'SELL' } as const;

  it.each<[string, Partial<UnreadableOrder>, string?]>([
    ['of a contract that Keel has no open order in', bare],
    [
      'of such a contract, on the side of an entry whose order id is known',
      { ...bare, conid: '265598', side: 'BUY' },
    ],
    [
      'of such a contract and side, and over, by a word that nobody knows',
      { ...bare, conid: '265598', side: 'BUY', status: null },
    ],
    ['of such a contract, and in a state that nobody knows', { ...bare, status: null }],
    ['of such a contract, and over', { ...bare, status: 'FILLED' }],
    ['that was another’s before Keel ordered', { clientOrderId: null, conid: '265598' }, '77'],
    ['that was another’s and is over', { clientOrderId: null, conid: null, status: 'CANCELLED' }, '77'],
    ['of an intent that is over, and over too', { clientOrderId: 'closed', status: 'FILLED' }],
    [
      'of a leg that was cancelled',
      { brokerOrderId: '2', clientOrderId: null, conid: '265598', status: 'CANCELLED' },
    ],
  ])('%s is left out', async (_what, change, elsewhereBefore) => {
    const { saved } = await poll({
      open: [followed],
      orders: () => [order],
      unreadable: [{ ...elsewhere, ...change }],
      before: elsewhereBefore === undefined ? [] : [{ ...elsewhere, brokerOrderId: elsewhereBefore }],
      known: ['mine', 'closed'],
      moved: { closed: 'FILLED' },
    });
    expect(saved).toMatchObject([{ unreadable: [change] }]);
  });

  it.each<[string, Partial<UnreadableOrder>]>([
    ['has the contract of an open order and the side of its legs', { ...leg }],
    ['has the contract of an open order and no side', { ...leg, side: null }],
    ['is over, has the contract of an open order and the side of its legs', { ...leg, status: 'CANCELLED' }],
    ['has no id and no contract', { ...bare, conid: null }],
    ['is over and has no id and no contract', { ...bare, conid: null, status: 'CANCELLED' }],
    ['has no id and no order id', { ...bare, brokerOrderId: null }],
    ['has the id of an intent', { clientOrderId: 'mine' }],
    ['has the id of an intent that is over, and is not over itself', { clientOrderId: 'closed' }],
    ['filled and has the id of an intent that did not', { clientOrderId: 'rejected', status: 'FILLED' }],
    ['has the order id of an entry', { brokerOrderId: '1' }],
    ['has the order id of an entry and is over', { ...bare, brokerOrderId: '1', status: 'CANCELLED' }],
    ['has the order id of a leg', { brokerOrderId: '2' }],
    ['has the order id of a leg and filled', { ...bare, brokerOrderId: '2', status: 'FILLED' }],
    ['has nothing', { brokerOrderId: null, clientOrderId: null, conid: null, side: null, status: null }],
    ['is over and has the id of an intent', { clientOrderId: 'mine', status: 'CANCELLED' }],
  ])(
    'and %s may be one of ours: nothing of the list is used, and nobody is told anything',
    async (_what, change) => {
      const heard: string[] = [];
      const troubles: string[] = [];
      const read = poll({
        troubles,
        open: [followed],
        unreadable: [{ ...elsewhere, ...change }],
        // One that the snapshot before has no order id of says nothing of this one.
        before: [{ ...elsewhere, brokerOrderId: null }],
        known: ['mine', 'closed', 'rejected'],
        moved: { closed: 'FILLED', rejected: 'REJECTED' },
        heard,
      });
      await expect(read).rejects.toMatchObject({ code: 'ORDER_UNREADABLE', errorClass: 'retryable' });
      expect(heard).toEqual([]);
      expect(troubles).toEqual(['ORDER_UNREADABLE']);
    },
  );
});

describe('an execution that cannot be read', () => {
  const fill: UnreadableOrder = {
    ...{ brokerOrderId: '2', clientOrderId: null, conid: '265598', side: null, status: null },
    problem: 'its execution 0000e0d5.00000001.01.01: price: Invalid input',
  };
  it('stores nothing of a list with an execution that may be of its own order and cannot be read', async () => {
    const heard: string[] = [];
    const read = poll({ open: [followed], orders: () => [order], unreadableFills: [fill], heard });
    await expect(read).rejects.toMatchObject({
      code: 'ORDER_UNREADABLE',
      message: expect.stringContaining('order 2, which Keel cannot read (its execution 0000e0d5') as string,
    });
    expect(heard).toEqual([]);
  });

  it('and is of a contract that Keel has no open order in is passed over, and names no open order', async () => {
    const elsewhere = { ...fill, brokerOrderId: '77', conid: '8314' };
    const { saved } = await poll({ open: [followed], orders: () => [order], unreadableFills: [elsewhere] });
    expect(saved).toMatchObject([{ unreadable: [] }]);
  });
});

describe('a read that came to nothing', () => {
  it.each<[string, string, Far]>([
    [
      'was not stored',
      'DATABASE_REJECTED',
      { unstored: new KeelError('DATABASE_REJECTED', 'a value is too long') },
    ],
    [
      'has a number that is none',
      'BAD_NUMBER',
      { ensureSession: () => Promise.reject(new RangeError('"x" is no number')) },
    ],
    ['met a defect', 'DEFECT', { ensureSession: () => Promise.reject(new TypeError('x is undefined')) }],
  ])('is kept as the trouble of the account where it %s', async (_what, code, far) => {
    const troubles: string[] = [];
    await expect(poll({ ...far, troubles })).rejects.toThrow();
    expect(troubles).toEqual([code]);
  });
});

describe('an order made elsewhere in a contract that Keel trades', () => {
  const filled: UnreadableOrder = {
    ...{ brokerOrderId: '81', clientOrderId: null, conid: '265598' },
    ...{ side: 'BUY', status: 'FILLED', problem: 'totalSize: Invalid input' },
  };
  const legs = [
    { role: 'stop', brokerOrderId: '2', status: 'WORKING', quantity: '10', filledQuantity: '0' },
    { role: 'target', brokerOrderId: '3', status: 'WORKING', quantity: '10', filledQuantity: '0' },
  ] as const;
  const sent = { ...intent, state: 'ACKNOWLEDGED', brokerOrderId: '1' } as const;

  it('may be any entry whose order id nobody knows yet', async () => {
    const read = poll({ open: [{ ...intent, state: 'SENT', brokerOrderId: null }], unreadable: [filled] });
    await expect(read).rejects.toMatchObject({ code: 'ORDER_UNREADABLE' });
  });

  it('is left out, also on the side of legs, once both legs are known', async () => {
    const { saved } = await poll({
      open: [{ ...sent, legs }],
      orders: () => [order],
      unreadable: [filled, { ...filled, brokerOrderId: '82', side: 'SELL', status: null }],
    });
    expect(saved).toMatchObject([{ unreadable: [{ brokerOrderId: '81' }, { brokerOrderId: '82' }] }]);
  });
});

describe('hints of the broker', () => {
  /** One listener, as the feed has it: a hint ends the wait that there is, or else the next one. */
  function createNews() {
    let resolve: (() => void) | null = null;
    let waiting: Promise<void> | null = null;
    let pending = false;
    const happened: string[] = [];
    const hint = (): void => {
      if (resolve === null) pending = true;
      else resolve();
      [resolve, waiting] = [null, null];
    };
    const next = (): Promise<void> => {
      if (pending) {
        pending = false;
        return Promise.resolve();
      }
      waiting ??= new Promise((done) => {
        resolve = done;
      });
      return waiting;
    };
    const open = () => {
      happened.push('opened');
      return { next, close: () => void happened.push('closed') };
    };
    return { hint, happened, port: { open } };
  }

  it('that come while it polls, after a pause that none had ended, make it poll again at once', async () => {
    const news = createNews();
    let polls = 0;
    const { saved } = await poll({
      brokerNews: news.port,
      demand: false,
      // The first pause lasts until the next poll is due. After the second one none is, but for the hint.
      pausesMs: [3_600_000, 1, 1],
      orders: () => {
        polls += 1;
        if (polls === 2) news.hint();
        return [];
      },
    });
    expect(saved).toHaveLength(3);
  });
  it('are not listened to before a poll has compared the login with the mode, nor after a watch', async () => {
    const news = createNews();
    const refused = () => Promise.reject(new KeelError('BROKER_SESSION', 'another mode'));
    await expect(poll({ brokerNews: news.port, ensureSession: refused })).rejects.toThrow('another mode');
    expect(news.happened).toEqual([]);
    const orders = () => {
      news.happened.push('polled');
      return [];
    };
    await poll({ brokerNews: news.port, orders });
    expect(news.happened).toEqual(['polled', 'opened', 'closed']);
  });
});
