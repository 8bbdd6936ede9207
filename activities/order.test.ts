import { describe, expect, it } from 'vitest';
import type { IntentState } from '../contracts/wire/order.js';
import { KeelError } from '../ports/errors.js';
import type { IntentRow } from '../ports/stores.js';
import { putJson } from './objects.js';
import { createOrderActivities } from './order.js';
import { sentIntent } from './testing/orders.js';

const intent: IntentRow = { ...sentIntent, mode: 'live', accountId: 'U1', state: 'INTENT' };

const never = () => Promise.reject(new Error('not called'));

describe('recordSubmission', () => {
  it('gives way to a poll that has found the order which the answer calls rejected', async () => {
    let state: IntentState = 'ACKNOWLEDGED';
    const activities = createOrderActivities({
      accountId: 'U1',
      broker: { waitForOrderSlot: never, cancelOrder: never, placeOrder: never },
      objects: { get: never },
      intents: {
        get: () => Promise.resolve({ ...intent, state }),
        cancelAsked: never,
        move: (_id, from, to) => {
          const moved = from.includes(state);
          if (moved) state = to;
          return Promise.resolve(moved);
        },
      },
      clock: { now: () => 0 },
      marketClock: { now: never },
      tradingState: () => 'ACTIVE',
    });
    const submission = { kind: 'rejected', evidence: 'IBKR asked, and Keel declined' } as const;
    const record = () => activities.recordSubmission({ clientOrderId: 'mine', submission });
    expect(await record()).toBe('ACKNOWLEDGED');
    state = 'SENT';
    expect(await record()).toBe('REJECTED');
    expect(await record()).toBe('REJECTED');
  });
});

type Busy =
  'claims' | 'is busy' | 'never claims' | 'is cancelled' | 'is turned away' | 'is turned away, and found';

/** The machine is the market's clock; the broker takes `waitMs` until it is about to write the order. */
async function submit(at: string, waitMs: number, busy: Busy = 'claims') {
  let now = Date.parse(at);
  let state: IntentState = 'INTENT';
  let written = false;
  const objects = new Map<string, Uint8Array>();
  const store = {
    put: (key: string, bytes: Uint8Array) => Promise.resolve(void objects.set(key, bytes)),
    get: (key: string) => Promise.resolve(objects.get(key) ?? new Uint8Array()),
  };
  const activities = createOrderActivities({
    accountId: 'U1',
    broker: {
      waitForOrderSlot: () => Promise.resolve(),
      cancelOrder: () => Promise.resolve('asked' as const),
      placeOrder: async (_request, beforeSend, claim) => {
        if (busy === 'is busy')
          throw new KeelError('LOCK_BUSY', 'another order', { errorClass: 'retryable' });
        if (busy !== 'never claims') await claim?.();
        now += waitMs;
        beforeSend();
        written = true;
        if (busy === 'is turned away, and found') state = 'ACKNOWLEDGED';
        if (busy !== 'claims')
          return { kind: 'turned_away', code: 'GATEWAY_NO_SESSION', message: 'no bridge' };
        return { kind: 'accepted', brokerOrderId: '1' };
      },
    },
    objects: store,
    intents: {
      get: () => Promise.resolve({ ...intent, state }),
      cancelAsked: () => Promise.resolve(busy === 'is cancelled'),
      move: (_id, from, to) => {
        const moved = from.includes(state) && !(busy === 'is cancelled' && to === 'SENT');
        if (moved) state = to;
        return Promise.resolve(moved);
      },
    },
    clock: { now: () => now },
    marketClock: { now: () => Promise.resolve({ now: new Date(now).toISOString(), step: 0 }) },
    tradingState: () => 'ACTIVE',
  });
  const submission = await activities
    .submitOrder({
      clientOrderId: 'mine',
      riskInput: await putJson(store, 'risk', { contract: { conid: '265598', symbol: 'AAPL' } }),
      sendBy: new Date(now + 60_000).toISOString(),
    })
    .catch((error: unknown) => (error instanceof KeelError ? error.code : error));
  return { submission, state, written };
}

describe('submitOrder while another order of the login is placed', () => {
  it('leaves the intent as it is, so that it may be attempted again', async () => {
    expect(await submit('2014-07-08T15:00:00.000Z', 0, 'is busy')).toEqual({
      submission: 'LOCK_BUSY',
      state: 'INTENT',
      written: false,
    });
  });
  it('takes the intent back where the run was asked to stop, and writes nothing', async () => {
    expect(await submit('2014-07-08T15:00:00.000Z', 0, 'is cancelled')).toMatchObject({
      submission: { kind: 'not_sent', code: 'CANCELLED' },
      state: 'ABANDONED',
      written: false,
    });
  });
  it('writes nothing that was not marked SENT before', async () => {
    expect(await submit('2014-07-08T15:00:00.000Z', 0, 'never claims')).toEqual({
      submission: 'NOT_CLAIMED',
      state: 'INTENT',
      written: false,
    });
  });
});

describe('submitOrder that the gateway turned away', () => {
  it('was not sent, in its words', async () => {
    expect(await submit('2014-07-08T15:00:00.000Z', 0, 'is turned away')).toEqual({
      submission: { kind: 'not_sent', code: 'GATEWAY_NO_SESSION', message: 'no bridge' },
      state: 'NOT_SENT',
      written: true,
    });
  });
  it('is unknown where a poll has found the order all the same', async () => {
    expect(await submit('2014-07-08T15:00:00.000Z', 0, 'is turned away, and found')).toEqual({
      submission: { kind: 'unknown', reason: 'no bridge' },
      state: 'ACKNOWLEDGED',
      written: true,
    });
  });
});

describe('submitOrder near the close', () => {
  it('sends while the session lasts', async () => {
    expect(await submit('2014-07-08T19:59:58.000Z', 1000)).toMatchObject({
      submission: { kind: 'accepted' },
      state: 'SENT',
      written: true,
    });
  });
  it('writes nothing once the session is over, also when it ended while the order waited for its turn', async () => {
    expect(await submit('2014-07-08T19:59:58.000Z', 2000)).toMatchObject({
      submission: { kind: 'not_sent', code: 'SESSION_OVER' },
      state: 'NOT_SENT',
      written: false,
    });
  });
});
