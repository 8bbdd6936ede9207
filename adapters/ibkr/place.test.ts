// Placing an order: what goes out, when nothing goes out, and what every answer means.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { shareGrid } from '../../domain/testing/facts.js';
import type { OrderRequest } from '../../ports/broker.js';
import { KeelError } from '../../ports/errors.js';
import type { LocksPort } from '../../ports/locks.js';
import type { IbkrGateway, IbkrGatewayOptions } from './gateway.js';
import { readPlaceAnswer } from './placeAnswer.js';
import { paperAccount } from './testing/connect.js';
import { recorded } from './testing/gateway.js';
import type { Answer, TestGateway } from './testing/gateway.js';
import { onFreshGateway } from './testing/hooks.js';

let gateway: TestGateway;
let ibkr: IbkrGateway;

const connect = onFreshGateway(
  (fresh, connected) => {
    gateway = fresh;
    ibkr = connected;
  },
  { timeoutMs: 20_000 },
);

/** A gateway that gives an order that is never answered up soon; its session stands, however long that took. */
async function giveUpSoon(change: Partial<IbkrGatewayOptions> = {}): Promise<void> {
  ibkr.close();
  ibkr = connect({ timeoutMs: 4000, ...change });
  await expect
    .poll(() =>
      ibkr.broker.ensureSession().then(
        () => true,
        () => false,
      ),
    )
    .toBe(true);
}
const isNeverAnswered = ({ fault }: Answer): boolean => fault === 'hang';

const path = `POST /iserver/account/${paperAccount}/orders`;
const reply = 'POST /iserver/reply/07a13a5a-4a48-44a5-bb25-5ab37b79186c';
const clientOrderId = 'KEEL0123456789ABCDEFGHIJKL';
const request: OrderRequest = {
  accountId: paperAccount,
  clientOrderId,
  contract: {
    conid: '265598',
    symbol: 'AAPL',
    name: 'APPLE INC',
    exchange: 'NASDAQ',
    currency: 'USD',
    ...shareGrid,
  },
  side: 'BUY',
  quantity: '10',
  limit: null,
  stop: '180.10',
  target: '201.5',
};
const go = (): void => undefined;
const place = () => ibkr.broker.placeOrder(request, go);
const thrownBy = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => 'nothing was thrown',
    (error: unknown) => error,
  );

describe('the order on the wire', () => {
  it('is a bracket in one post: the parent has our id, the children name it and have none', async () => {
    gateway.on(path, { json: recorded('place-accepted') });
    expect(await place()).toEqual({ kind: 'accepted', brokerOrderId: '1171486718' });
    const common = {
      acctId: paperAccount,
      conid: 265598,
      secType: '265598:STK',
      quantity: 10,
      outsideRTH: false,
      listingExchange: 'SMART',
      ticker: 'AAPL',
    };
    expect(JSON.parse(gateway.to(path)[0]?.body ?? '')).toEqual({
      orders: [
        { ...common, cOID: clientOrderId, orderType: 'MKT', side: 'BUY', tif: 'DAY' },
        { ...common, parentId: clientOrderId, orderType: 'STP', price: 180.1, side: 'SELL', tif: 'GTC' },
        { ...common, parentId: clientOrderId, orderType: 'LMT', price: 201.5, side: 'SELL', tif: 'GTC' },
      ],
    });
  });

  it('enters at a limit where the order has one', async () => {
    gateway.on(path, { json: recorded('place-accepted') });
    await ibkr.broker.placeOrder({ ...request, limit: '185.50' }, go);
    const body = JSON.parse(gateway.to(path)[0]?.body ?? '') as { orders: unknown[] };
    expect(body.orders[0]).toMatchObject({ cOID: clientOrderId, orderType: 'LMT', price: 185.5, tif: 'DAY' });
  });

  it('has no children without stop and target', async () => {
    gateway.on(path, { json: recorded('place-accepted') });
    await ibkr.broker.placeOrder({ ...request, stop: null, target: null }, go);
    const body = JSON.parse(gateway.to(path)[0]?.body ?? '') as { orders: unknown[] };
    expect(body.orders).toHaveLength(1);
  });

  it.each([
    ['quantity', '0'],
    ['quantity', '-1'],
    ['stop', '1234567890.12345678901'],
    ['limit', '0'],
    ['clientOrderId', 'a b'],
    ['clientOrderId', 'x'.repeat(65)],
    ['clientOrderId', ''],
  ])('does not go out with %s "%s"', async (field, value) => {
    let asked = false;
    const error = await thrownBy(
      ibkr.broker.placeOrder({ ...request, [field]: value }, () => {
        asked = true;
      }),
    );
    expect(error).toMatchObject({ code: 'ORDER_INVALID', errorClass: 'final' });
    expect(asked).toBe(false);
    expect(gateway.to(path)).toHaveLength(0);
  });
});

describe('when nothing was written', () => {
  it('throws what beforeSend throws', async () => {
    await ibkr.broker.waitForOrderSlot(Date.now() + 20_000);
    const before = { ...gateway.counts };
    const refusal = new Error('halted');
    const error = await thrownBy(
      ibkr.broker.placeOrder(request, () => {
        throw refusal;
      }),
    );
    expect(error).toBe(refusal);
    expect(gateway.counts.bytes).toBe(before.bytes);
    expect(gateway.to(path)).toHaveLength(0);
  });

  it('throws that very error also when it looks like one of the connection', async () => {
    const refusal = new KeelError('LATE', 'too late', { facts: { sent: false } });
    const error = await thrownBy(
      ibkr.broker.placeOrder(request, () => {
        throw refusal;
      }),
    );
    expect(error).toBe(refusal);
  });

  it('throws NOT_SENT_AWAY when the gateway went away before the connection', async () => {
    await ibkr.broker.ensureSession();
    await gateway.close();
    let asked = false;
    const error = await thrownBy(
      ibkr.broker.placeOrder(request, () => {
        asked = true;
      }),
    );
    expect(error).toMatchObject({
      ...{ code: 'NOT_SENT_AWAY', errorClass: 'final' },
      message: expect.stringContaining('(or, by OAuth, to IBKR itself)') as string,
    });
    expect(asked).toBe(false);
  });

  it('throws when the limits leave no slot before the deadline', async () => {
    ibkr.close();
    ibkr = connect({ pacingFactor: 1, pacingWaitMs: 1000 });
    await ibkr.broker.ensureSession();
    expect(await thrownBy(ibkr.broker.waitForOrderSlot(Date.now()))).toMatchObject({
      code: 'IBKR_PACING_DEADLINE',
      errorClass: 'retryable',
    });
  });
});

it('goes out in the slot that was waited for, without another wait', async () => {
  gateway.on(path, { json: recorded('place-accepted') });
  ibkr.close();
  ibkr = connect({ pacingFactor: 0.1, pacingWaitMs: 10_000 });
  await ibkr.broker.waitForOrderSlot(Date.now() + 10_000);
  const started = performance.now();
  await place();
  expect(performance.now() - started).toBeLessThan(1000);
}, 20_000);

describe('the five shapes of the answer', () => {
  const leg = (id: string): object => ({
    order_id: id,
    order_status: 'PreSubmitted',
    parent_order_id: '1',
  });
  it.each<[string, Answer, unknown]>([
    ['A accepted', { json: recorded('place-accepted') }, { kind: 'accepted', brokerOrderId: '1171486718' }],
    [
      'C error',
      { json: recorded('place-error') },
      { kind: 'rejected', evidence: expect.stringMatching(/^We cannot accept/) as string },
    ],
    [
      'C error in an array',
      { json: [recorded('place-error')] },
      { kind: 'rejected', evidence: expect.stringMatching(/^We cannot accept/) as string },
    ],
    [
      'D prompt',
      { json: recorded('place-prompt') },
      { kind: 'rejected', evidence: expect.stringMatching(/^If your order/) as string },
    ],
    [
      'E failed',
      { json: recorded('place-failed') },
      { kind: 'rejected', evidence: 'The contract is not available for trading. Order rejected' },
    ],
    [
      'E of a child',
      { json: recorded('place-child-failed') },
      { kind: 'accepted', brokerOrderId: '1171486718' },
    ],
  ])('%s', async (_shape, answer, outcome) => {
    gateway.on(path, answer);
    expect(await place()).toEqual(outcome);
    expect(gateway.to(path)).toHaveLength(1);
  });

  it.each<[string, object[], unknown]>([
    [
      'the entry after its legs, without an echo of its id',
      [{ ...leg('2') }, { ...leg('3') }, { order_id: '1', order_status: 'Submitted' }],
      { kind: 'accepted', brokerOrderId: '1' },
    ],
    [
      'the entry after its legs, by the echo of its id alone',
      [
        { order_id: '2', order_status: 'PreSubmitted' },
        { order_id: '1', order_status: 'Submitted', local_order_id: clientOrderId },
      ],
      { kind: 'accepted', brokerOrderId: '1' },
    ],
    [
      'orders of which none says that it is the entry: unknown, and no leg is taken for it',
      [
        { order_id: '2', order_status: 'PreSubmitted' },
        { order_id: '1', order_status: 'Submitted' },
      ],
      { kind: 'unknown', reason: 'the answer holds no order that Keel can read' },
    ],
    ['a leg alone, which names the entry', [leg('2')], { kind: 'accepted', brokerOrderId: '1' }],
  ])('A of a bracket: %s', async (_what, json, outcome) => {
    gateway.on(path, { json });
    expect(await place()).toEqual(outcome);
  });

  it('B question: declined at once, and rejected with the question as evidence', async () => {
    gateway.on(path, { json: recorded('place-question') });
    gateway.on(reply, { json: recorded('reply-declined') });
    const outcome = await place();
    expect(outcome.kind).toBe('rejected');
    expect(JSON.stringify(outcome)).toContain('price exceeds the Percentage constraint of 3%.');
    expect(gateway.seen.slice(-2).map((seen) => seen.route)).toEqual([path, reply]);
    expect(gateway.to(reply)[0]?.body).toBe('{"confirmed":false}');
  });

  it('B after B: declined again', async () => {
    gateway.on(path, { json: recorded('place-question') });
    gateway.on(reply, { json: recorded('place-question') }, { json: recorded('reply-declined') });
    expect((await place()).kind).toBe('rejected');
    expect(gateway.to(reply)).toHaveLength(2);
  });

  it('B without end: unknown', async () => {
    gateway.on(path, { json: recorded('place-question') });
    gateway.on(reply, { json: recorded('place-question') });
    expect((await place()).kind).toBe('unknown');
    expect(gateway.to(reply)).toHaveLength(20);
  });

  it.each<[string, Answer, string]>([
    ['an id that is not found', { status: 400, json: { error: "reply id not found: '07a1'" } }, 'rejected'],
    ['an order all the same', { json: recorded('place-accepted') }, 'accepted'],
    ['a 503', { status: 503, json: { error: 'request aborted', statusCode: 503 } }, 'unknown'],
    ['nothing', { fault: 'hang' }, 'unknown'],
  ])('B whose no is answered with %s', async (_what, answer, kind) => {
    if (isNeverAnswered(answer)) await giveUpSoon();
    gateway.on(path, { json: recorded('place-question') });
    gateway.on(reply, answer);
    expect((await place()).kind).toBe(kind);
  });

  it('B that cannot be answered at all: unknown, never thrown', async () => {
    gateway.on(path, { text: '[{"id":"\\ud800","message":["?"]}]' });
    expect((await place()).kind).toBe('unknown');
  });

  it('A and B together: accepted, the question declined', async () => {
    const [row] = recorded('place-accepted') as object[];
    const [question] = recorded('place-question') as object[];
    gateway.on(path, { json: [row, question] });
    gateway.on(reply, { json: recorded('reply-declined') });
    expect(await place()).toEqual({ kind: 'accepted', brokerOrderId: '1171486718' });
    expect(gateway.to(reply)).toHaveLength(1);
  });
});

describe('a question whose kind is on the list', () => {
  const allow = (...confirmMessageIds: string[]): void => {
    ibkr.close();
    ibkr = connect({ timeoutMs: 20_000, confirmMessageIds });
    gateway.on(path, { json: recorded('place-question') });
  };
  const confirmed = () =>
    gateway.to(reply).map(({ body }) => (JSON.parse(body) as { confirmed: boolean }).confirmed);
  const [question] = recorded('place-question') as { messageIds: string[] }[];
  const other = { json: [{ ...question, messageIds: ['o383'], message: ['size limit'] }] };

  it('is answered with yes at once, and the order is accepted', async () => {
    allow('o163');
    gateway.on(reply, { json: recorded('place-accepted') });
    expect(await place()).toEqual({ kind: 'accepted', brokerOrderId: '1171486718' });
    expect(confirmed()).toEqual([true]);
    expect(gateway.seen.slice(-2).map((seen) => seen.route)).toEqual([path, reply]);
  });

  it('is answered again when it is asked again', async () => {
    allow('o163');
    gateway.on(reply, { json: recorded('place-question') }, { json: recorded('place-accepted') });
    expect((await place()).kind).toBe('accepted');
    expect(confirmed()).toEqual([true, true]);
  });

  it('may be followed by one that is not: that ends the order, with its text and kind', async () => {
    allow('o163');
    gateway.on(reply, other, { json: recorded('reply-declined') });
    expect(await place()).toEqual({
      kind: 'rejected',
      evidence:
        'IBKR asked, and Keel declined: size limit (o383). ' +
        'Set IBKR_CONFIRM_MESSAGE_IDS=o163,o383 to have such questions answered with yes, and start Keel again.',
    });
    expect(confirmed()).toEqual([true, false]);
  });

  it('never gets a yes after a no', async () => {
    allow('o163');
    gateway.on(path, other);
    gateway.on(reply, { json: recorded('place-question') }, { json: recorded('reply-declined') });
    expect((await place()).kind).toBe('rejected');
    expect(confirmed()).toEqual([false, false]);
  });

  it.each([
    [['o163', 'o383'], / IBKR_CONFIRM_MESSAGE_IDS=o163,o383 /],
    [[], /names no kind, so no setting allows it/],
    [undefined, /names no kind, so no setting allows it/],
  ])('gets a no when its kinds are %j, and its words say what would allow it', async (messageIds, says) => {
    allow('o163');
    gateway.on(path, { json: [{ ...question, messageIds }] });
    gateway.on(reply, { json: recorded('reply-declined') });
    expect(await place()).toEqual({ kind: 'rejected', evidence: expect.stringMatching(says) as string });
    expect(confirmed()).toEqual([false]);
  });

  it.each<[string, Answer]>([
    ['came too late', { status: 400, json: { error: "reply id not found: '07a1'" } }],
    ['is answered with 503', { status: 503, json: { error: 'request aborted', statusCode: 503 } }],
    ['is never answered', { fault: 'hang' }],
    ['breaks the connection', { fault: 'drop' }],
    ['is answered with HTML', { text: '<html></html>' }],
  ])('leaves the order unknown when the yes %s, and nothing is said twice', async (_what, answer) => {
    allow('o163');
    if (isNeverAnswered(answer)) await giveUpSoon({ confirmMessageIds: ['o163'] });
    gateway.on(reply, answer);
    expect((await place()).kind).toBe('unknown');
    expect(confirmed()).toEqual([true]);
    expect(gateway.to(path)).toHaveLength(1);
  });

  it('is answered before anything else is asked', async () => {
    allow('o163');
    gateway.on(reply, { json: recorded('place-accepted') });
    gateway.on('GET /iserver/account/trades', { json: recorded('trades') });
    await ibkr.broker.ensureSession();
    await Promise.all([place(), ibkr.broker.executions(paperAccount), place()]);
    const routes = gateway.seen.map((seen) => seen.route);
    for (const [index, route] of routes.entries()) if (route === path) expect(routes[index + 1]).toBe(reply);
  });
});

describe('the lock of the login', () => {
  const withLocks = (locks: LocksPort): void => {
    ibkr.close();
    ibkr = connect({ locks });
    gateway.on(path, { json: recorded('place-accepted') });
  };

  it('stands around the order and its questions', async () => {
    const acts: string[] = [];
    withLocks({
      withLock: async (name, _waitMs, work) => {
        acts.push(name);
        const done = await work({ held: () => true });
        acts.push(`${gateway.to(path).length} and ${gateway.to(reply).length}`);
        return done;
      },
    });
    gateway.on(path, { json: recorded('place-question') });
    gateway.on(reply, { json: recorded('reply-declined') });
    await place();
    expect(acts).toEqual(['orders of paper-login', '1 and 1']);
  });

  it('cannot be had: nothing is sent', async () => {
    const away = new KeelError('LOCK_AWAY', 'no PostgreSQL', { errorClass: 'retryable' });
    withLocks({ withLock: () => Promise.reject(away) });
    expect(await thrownBy(place())).toBe(away);
    expect(gateway.to(path)).toHaveLength(0);
  });

  it('is lost before the order is written: nothing is sent', async () => {
    withLocks({ withLock: (_name, _waitMs, work) => work({ held: () => false }) });
    expect(await thrownBy(place())).toMatchObject({ code: 'LOCK_LOST', errorClass: 'final' });
    expect(gateway.to(path)).toHaveLength(0);
  });
});

describe('answers that leave the order unknown', () => {
  it.each<[string, Answer]>([
    ['none before the timeout', { fault: 'hang' }],
    ['a broken connection', { fault: 'drop' }],
    ['half an answer', { json: recorded('place-accepted'), fault: 'cut' }],
    ['500', { status: 500, json: { error: 'Internal' } }],
    ['503', { status: 503, json: { error: 'request aborted', statusCode: 503 } }],
    ['an HTML page', { text: '<html>login</html>' }],
    ['an HTML 404', { status: 404, text: '<html><body><h1>Resource not found</h1></body></html>' }],
    ['401 without words', { status: 401, text: '' }],
    ['429 without words', { status: 429, text: '' }],
    ['a redirect to the login', { status: 302, text: '', headers: { Location: '/sso/Login' } }],
    ['a redirect', { status: 302, json: {}, headers: { Location: '/' } }],
    ['an empty list', { json: [] }],
    ['an empty object', { json: {} }],
    ['null', { json: null }],
    ['an id that is no number', { json: [{ order_id: 'abc', order_status: 'Submitted' }] }],
    ['id 0', { json: [{ order_id: 0, order_status: 'Submitted' }] }],
    ['a duplicate id', { json: recorded('place-duplicate') }],
    ['a duplicate id with 400', { status: 400, json: recorded('place-duplicate') }],
    [
      'a parent that failed and a child that lives',
      {
        json: [
          { order_id: '-1', order_status: 'Failed' },
          { order_id: '7', order_status: 'Submitted' },
        ],
      },
    ],
  ])('%s', async (_what, answer) => {
    if (isNeverAnswered(answer)) await giveUpSoon();
    gateway.on(path, answer);
    expect((await place()).kind).toBe('unknown');
    expect(gateway.to(path)).toHaveLength(1);
  });
});

describe('refusals of the gateway before it passes anything on', () => {
  const noBridge = { status: 400, json: { error: 'Bad Request: no bridge', statusCode: 400 } };

  it.each<[string, Answer, string]>([
    ['401', { status: 401, json: { error: 'not authenticated', statusCode: 401 } }, 'not authenticated'],
    [
      '401 of OAuth',
      { status: 401, json: { title: 'Unauthorized', status: 401, detail: 'Access token expired' } },
      'Access token expired',
    ],
    ['400', noBridge, 'Bad Request: no bridge'],
    ['400 in a list', { status: 400, json: [{ error: 'no bridge' }] }, 'no bridge'],
    ['500', { status: 500, json: { error: 'Please query /accounts first' } }, 'Please query /accounts first'],
    ['200', { json: { error: 'no session' } }, 'no session'],
  ])(
    '%s for want of a session is no rejection of the broker, and the session is opened again',
    async (...given) => {
      const [, answer, words] = given;
      gateway.on(path, answer, { json: recorded('place-accepted') });
      expect(await place()).toEqual({
        kind: 'turned_away',
        code: 'GATEWAY_NO_SESSION',
        message: `The order was not passed on to the broker: there was no session at the broker ("${words}"). Nothing was placed, and it is not sent again by itself; once the login is up, run the session again (keel run … --again).`,
      });
      expect(gateway.to(path)).toHaveLength(1);
      await place();
      expect(gateway.to('GET /iserver/accounts')).toHaveLength(2);
    },
  );

  it('429 with words is no rejection of the broker either', async () => {
    gateway.on(path, { status: 429, json: { error: 'Too many requests', statusCode: 429 } });
    expect(await place()).toMatchObject({
      kind: 'turned_away',
      code: 'GATEWAY_LIMITED',
      message: expect.stringContaining('"Too many requests"') as string,
    });
    expect(gateway.to(path)).toHaveLength(1);
  });

  it.each<[string, Answer, string]>([
    ['no bridge', noBridge, 'Bad Request: no bridge'],
    ['no session', { json: { error: 'no session' } }, 'no session'],
    ['429', { status: 429, json: { error: 'Too many requests' } }, 'Too many requests'],
  ])('say nothing of an order whose question was answered with yes: %s', async (_what, answer, words) => {
    ibkr.close();
    ibkr = connect({ confirmMessageIds: ['o163'] });
    gateway.on(path, { json: recorded('place-question') });
    gateway.on(reply, answer);
    const reason = `the yes to IBKR's question was answered with "${words}"`;
    expect(await place()).toEqual({ kind: 'unknown', reason });
    expect(gateway.to(reply)).toHaveLength(1);
  });

  it('are the end of an order whose question was answered with no', async () => {
    gateway.on(path, { json: recorded('place-question') });
    gateway.on(reply, noBridge);
    expect(await place()).toMatchObject({ kind: 'rejected' });
    expect(gateway.to(reply)).toHaveLength(1);
  });

  it('say nothing of an order that the same answer calls accepted', async () => {
    const [row] = recorded('place-accepted') as object[];
    gateway.on(path, { json: [row, { error: 'no bridge' }] });
    expect(await place()).toEqual({ kind: 'accepted', brokerOrderId: '1171486718' });
  });
});

describe('refusals in the words of the broker', () => {
  it('400 with words is a rejection with them', async () => {
    const words = 'java.lang.String cannot be cast to java.lang.Number';
    gateway.on(path, { status: 400, json: { error: words } });
    expect(await place()).toEqual({ kind: 'rejected', evidence: words });
  });
});

it('places one order at a time, each with its questions answered before the next', async () => {
  gateway.on(path, { json: recorded('place-question') });
  gateway.on(reply, { json: recorded('reply-declined') });
  await ibkr.broker.ensureSession();
  await Promise.all([place(), place(), place()]);
  const routes = gateway.seen.map((seen) => seen.route).filter((route) => route === path || route === reply);
  expect(routes).toEqual([path, reply, path, reply, path, reply]);
});

it('is never called accepted without a positive order id, whatever the answer', () => {
  const value = fc.oneof(
    fc.string(),
    fc.integer(),
    fc.constant(null),
    fc.constant('-1'),
    fc.constant('Failed'),
  );
  const row = fc.dictionary(
    fc.constantFrom(
      'order_id',
      'order_status',
      'error',
      'id',
      'message',
      'text',
      'orderId',
      'local_order_id',
    ),
    value,
  );
  fc.assert(
    fc.property(
      fc.oneof(row, fc.array(row, { maxLength: 3 })),
      fc.integer({ min: 200, max: 599 }),
      (body, status) => {
        const reading = readPlaceAnswer({ status, text: JSON.stringify(body) }, clientOrderId);
        if (reading.kind === 'accepted') {
          expect(status).toBeLessThan(300);
          expect(reading.brokerOrderId).toMatch(/^[1-9]\d*$/);
        }
        if (reading.kind === 'rejected') expect(reading.evidence).not.toBe('');
      },
    ),
  );
});
