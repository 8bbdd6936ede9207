// Every fault knob of the simulator, over its real fronts: what the client sees, and what the ledger says of it.
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { simulatorCommand } from '../cli/commands/simulator.js';
import { faultKinds } from '../simulator/faults.js';
import { startSimulator } from '../simulator/server.js';
import type { Simulator } from '../simulator/server.js';
import {
  AAPL,
  ACCOUNT,
  OPEN_PLUS_5,
  TOKEN,
  admin,
  get,
  optionsFor,
  order,
  ordersOf,
  place,
  post,
  prime,
  request,
  step,
  bracket,
} from './support/simulator.js';
import type { Rows } from './support/simulator.js';
import { tempFolder } from './support/temp.js';

const folder = tempFolder('simulator-faults');
let simulator: Simulator;
/** Wall milliseconds that the simulator's clock is ahead of the machine's. */
let ahead = 0;

beforeAll(async () => {
  simulator = await startSimulator({
    ...optionsFor(folder.path),
    clock: { now: () => Date.now() + ahead },
  });
  await step(simulator, OPEN_PLUS_5);
});
beforeEach(async () => {
  await admin(simulator, '/faults', undefined, 'DELETE');
  await admin(simulator, '/login', {});
  await prime(simulator);
});
afterAll(async () => {
  await simulator.close();
  folder.remove();
});

const fault = (kind: string, rest: object = {}): Promise<{ status: number; body: unknown }> =>
  admin(simulator, '/faults', { kind, ...rest });
const acted = async (): Promise<unknown[]> => {
  const { faults } = (await admin(simulator, '/faults')).body as { faults: { acted: number }[] };
  return faults.map((each) => each.acted);
};
const limit = (cOID: string): object => ({
  orders: [order({ cOID, quantity: 1, orderType: 'LMT', price: 50, tif: 'GTC' })],
});
const market = (cOID: string): object => ({ orders: [order({ cOID, quantity: 1 })] });
/** How many orders of this id the ledger has. */
const booked = (cOID: string): number =>
  readFileSync(simulator.ledgerFile, 'utf8')
    .split('\n')
    .filter((line) => line.includes('"type":"order"') && line.includes(`"cOID":"${cOID}"`)).length;

describe('faults of an answer', () => {
  test('accept then drop: the order is in the ledger, the connection is cut', async () => {
    await fault('accept-then-drop', { skip: 1 });
    expect(await place(simulator, limit('drop-1'))).toMatchObject({ status: 200 });
    await expect(place(simulator, limit('drop-2'))).rejects.toThrow(/socket hang up|ECONNRESET/);
    expect(await place(simulator, limit('drop-3'))).toMatchObject({ status: 200 });
    expect(['drop-1', 'drop-2', 'drop-3'].map(booked)).toEqual([1, 1, 1]);
    expect(await acted()).toEqual([1]);
  });

  test('does not count an order that was refused', async () => {
    await fault('accept-then-500');
    expect(await place(simulator, { orders: [order({ quantity: 1e8 })] })).toMatchObject({ status: 200 });
    expect(await place(simulator, limit('five-1'))).toMatchObject({ status: 500 });
    expect(booked('five-1')).toBe(1);
  });

  test('half of the JSON, an HTML page, no session, no bridge', async () => {
    await fault('truncated-json', { on: 'place' });
    const half = await request(simulator, 'POST', `/iserver/account/${ACCOUNT}/orders`, {
      body: limit('half-1'),
      parse: false,
    });
    expect(() => JSON.parse(half.text) as unknown).toThrow();
    expect(booked('half-1')).toBe(1);
    await fault('html', { on: 'place' });
    expect(await place(simulator, limit('html-1'))).toMatchObject({
      status: 404,
      text: expect.stringContaining('<html>') as string,
    });
    expect(booked('html-1')).toBe(0);
    await fault('no-session');
    expect(await request(simulator, 'POST', '/tickle', { body: {} })).toMatchObject({
      status: 200,
      body: { error: 'no session' },
    });
    await fault('no-bridge', { on: 'orders' });
    expect(await request(simulator, 'GET', '/iserver/account/orders')).toMatchObject({
      status: 400,
      body: { error: 'Bad Request: no bridge', statusCode: 400 },
    });
    expect(await acted()).toEqual([1, 1, 1, 1]);
  });

  test('waits before it works, and lets an answer trickle', async () => {
    await fault('delay', { on: 'accounts', ms: 300 });
    await fault('slow', { on: 'snapshot', ms: 300 });
    for (const where of ['/iserver/accounts', `/iserver/marketdata/snapshot?conids=${AAPL}&fields=31`]) {
      const from = performance.now();
      expect(await request(simulator, 'GET', where)).toMatchObject({ status: 200 });
      expect(performance.now() - from).toBeGreaterThan(250);
    }
    await fault('aborted-503', { on: 'orders', ms: 10 });
    expect(await request(simulator, 'GET', '/iserver/account/orders')).toMatchObject({
      status: 503,
      body: { error: 'request aborted', statusCode: 503 },
    });
  });
});

describe('faults of orders', () => {
  test('asks what nobody has asked before; only a yes places the order', async () => {
    await fault('unknown-question', { times: 2 });
    const question = async (cOID: string): Promise<string> => {
      const [row] = (await place(simulator, limit(cOID))).body as Rows;
      expect(row).toMatchObject({ messageIds: ['o99999'], isSuppressed: false });
      return String(row?.['id']);
    };
    const declined = await question('asked-1');
    expect(await post(simulator, `/iserver/reply/${declined}`, { confirmed: false })).toEqual({
      error: 'Order not confirmed ',
    });
    const agreed = await question('asked-2');
    expect(await post(simulator, `/iserver/reply/${agreed}`, { confirmed: true })).toMatchObject([
      { local_order_id: 'asked-2' },
    ]);
    expect(['asked-1', 'asked-2'].map(booked)).toEqual([0, 1]);
    expect(await post(simulator, `/iserver/reply/${agreed}`, { confirmed: true })).toEqual({
      error: `reply id not found: '${agreed}'`,
    });
  });

  test('names the legs of a bracket before its entry, and no id of the client', async () => {
    await fault('legs-first');
    const rows = (await place(simulator, bracket('legs-first-1'))).body as Rows;
    const entry = rows.at(-1)?.['order_id'];
    expect(rows).toEqual([
      expect.objectContaining({ parent_order_id: entry }),
      expect.objectContaining({ parent_order_id: entry }),
      { order_id: entry, order_status: 'Submitted', encrypt_message: '1' },
    ]);
    const [, , first] = await ordersOf(simulator);
    expect(first).toMatchObject({ orderId: Number(entry), order_ref: 'legs-first-1' });
  });

  test('asks what the broker has words for in these words', async () => {
    await fault('question', { messageIds: ['o403'] });
    const [row] = (await place(simulator, limit('in-its-words'))).body as Rows;
    expect(row?.['message']).toEqual([
      'This order will most likely trigger and fill immediately.\nAre you sure you want to submit this order?',
    ]);
  });

  test('another order discards the one that waits for an answer', async () => {
    await fault('unknown-question');
    const [row] = (await place(simulator, limit('waits-1'))).body as Rows;
    await place(simulator, limit('waits-2'));
    const id = String(row?.['id']);
    expect(
      await request(simulator, 'POST', `/iserver/reply/${id}`, { body: { confirmed: true } }),
    ).toMatchObject({ status: 400, body: { error: `reply id not found: '${id}'` } });
    expect(['waits-1', 'waits-2'].map(booked)).toEqual([0, 1]);
  });

  test.each([
    ['a cancel', 'DELETE', `/iserver/account/${ACCOUNT}/order/1`],
    ['a read', 'GET', '/iserver/accounts'],
    ['a tickle', 'POST', '/tickle'],
  ])('%s discards the order that waits for an answer', async (what, method, where) => {
    await fault('unknown-question');
    const cOID = `void-${what.replace(' ', '-')}`;
    const [row] = (await place(simulator, limit(cOID))).body as Rows;
    await request(simulator, method, where, method === 'POST' ? { body: {} } : {});
    const id = String(row?.['id']);
    expect(
      await request(simulator, 'POST', `/iserver/reply/${id}`, { body: { confirmed: true } }),
    ).toMatchObject({ status: 400, body: { error: `reply id not found: '${id}'` } });
    expect(booked(cOID)).toBe(0);
  });

  test('lists orders without saying that the list is complete, as often as it is told to', async () => {
    await fault('snapshot-false', { times: 2 });
    const where = `/iserver/account/orders?accountId=${ACCOUNT}`;
    const said = [await get(simulator, where), await get(simulator, where), await get(simulator, where)];
    expect(said).toMatchObject([{ snapshot: false }, { snapshot: false }, { snapshot: true }]);
  });

  test('gives an empty list of orders that says it is complete; each order is still known by its id', async () => {
    const placed = (await place(simulator, limit('left-out'))).body as Rows;
    const where = `/iserver/account/orders?accountId=${ACCOUNT}`;
    await fault('empty-orders');
    expect(await get(simulator, where)).toEqual({ orders: [], snapshot: true });
    expect(
      await get(simulator, `/iserver/account/order/status/${String(placed[0]?.['order_id'])}`),
    ).toMatchObject({
      order_status: 'Submitted',
    });
    const { orders } = (await get(simulator, where)) as { orders: Rows };
    expect(orders.map((row) => row['order_ref'])).toContain('left-out');
  });

  test('lists no order that has ended, and knows it no more by its id, as after the end of a session', async () => {
    const placed = [await place(simulator, market('over')), await place(simulator, limit('goes-on'))];
    const [over, open] = placed.map(({ body }) => String((body as Rows)[0]?.['order_id']));
    await fault('ended-unlisted', { on: 'any', times: 3 });
    const { orders } = (await get(simulator, `/iserver/account/orders?accountId=${ACCOUNT}`)) as {
      orders: Rows;
    };
    expect(orders.map((row) => row['status'])).not.toContain('Filled');
    expect(orders.map((row) => row['order_ref'])).toContain('goes-on');
    const status = (id = ''): Promise<{ status: number }> =>
      request(simulator, 'GET', `/iserver/account/order/status/${id}`);
    expect([(await status(over)).status, (await status(open)).status]).toEqual([503, 200]);
    expect((await status(over)).status).toBe(200);
  });

  test.each([false, true])('answers a reply with 503, the order taken: %s', async (accepted) => {
    await fault('unknown-question');
    await fault('reply-503', { accepted });
    const cOID = `reply-${String(accepted)}`;
    const [row] = (await place(simulator, limit(cOID))).body as Rows;
    expect(
      await request(simulator, 'POST', `/iserver/reply/${String(row?.['id'])}`, {
        body: { confirmed: true },
      }),
    ).toMatchObject({ status: 503, body: { error: 'request aborted', statusCode: 503 } });
    expect(booked(cOID)).toBe(Number(accepted));
  });

  test('answers with a prompt for a person, and takes nothing', async () => {
    await fault('prompt');
    expect((await place(simulator, limit('prompt-1'))).body).toMatchObject({
      messageId: 'p12',
      prompt: true,
      orderId: 123456789,
    });
    expect(booked('prompt-1')).toBe(0);
  });

  test('asks one question after the other, those that are suppressed left out', async () => {
    await fault('question', { messageIds: ['o354', 'o382', 'p6'] });
    await post(simulator, '/iserver/questions/suppress', { messageIds: ['o382'] });
    const asked: unknown[] = [];
    let [row] = (await place(simulator, limit('chain-1'))).body as Rows;
    while (row !== undefined && 'messageIds' in row && asked.length < 5) {
      asked.push(row['messageIds']);
      const reply = `/iserver/reply/${String(row['id'])}`;
      [row] = (await post(simulator, reply, { confirmed: true })) as Rows;
    }
    expect(asked).toEqual([['o354'], ['p6']]);
    expect(booked('chain-1')).toBe(1);
  });

  test('takes a cancel, and does it only after a while', async () => {
    const [row] = (await place(simulator, limit('slow-cancel'))).body as Rows;
    const where = `/iserver/account/${ACCOUNT}/order/${String(row?.['order_id'])}`;
    await fault('slow-cancel', { ms: 3000 });
    expect((await request(simulator, 'DELETE', where)).body).toMatchObject({ conid: AAPL, account: ACCOUNT });
    const seen = async (): Promise<unknown> =>
      (await ordersOf(simulator)).find((each) => each['order_ref'] === 'slow-cancel')?.['status'];
    expect(await seen()).toBe('PendingCancel');
    await expect.poll(seen).toBe('Cancelled');
  });

  test('hides an order from every list for a while', async () => {
    await fault('invisible-order', { ms: 300_000 });
    const [row] = (await place(simulator, market('hidden-1'))).body as Rows;
    const seen = async (): Promise<boolean[]> => [
      (await ordersOf(simulator)).some((each) => each['order_ref'] === 'hidden-1'),
      ((await get(simulator, '/iserver/account/trades?days=7')) as Rows).some(
        (each) => each['order_ref'] === 'hidden-1',
      ),
      (await request(simulator, 'GET', `/iserver/account/order/status/${String(row?.['order_id'])}`))
        .status === 200,
    ];
    expect(await seen()).toEqual([false, false, false]);
    ahead += 300_000;
    expect(await seen()).toEqual([true, true, true]);
  });

  test('lists executions twice from then on, in an order of chance, and each corrected beside the first', async () => {
    for (const number of [1, 2, 3, 4, 5]) await place(simulator, market(`mixed-${number}`));
    const rows = async (): Promise<Rows> => (await get(simulator, '/iserver/account/trades?days=7')) as Rows;
    const ids = async (): Promise<string[]> => (await rows()).map((row) => String(row['execution_id']));
    const plain = await rows();
    const first = plain.map((row) => String(row['execution_id']));
    const twice = first.flatMap((id) => [id, id]);
    await fault('duplicate-executions');
    expect([await ids(), await ids()]).toEqual([twice, twice]);
    await place(simulator, market('mixed-later'));
    expect((await ids()).slice(1)).toEqual(twice);
    await fault('shuffled-executions', { seed: 7 });
    const shuffled = await ids();
    const [later] = await ids();
    expect(shuffled).not.toEqual([later, ...twice]);
    expect([...shuffled].sort()).toEqual([later, ...twice].sort());
    await admin(simulator, '/faults', undefined, 'DELETE');
    expect(await ids()).toEqual([later, ...first]);
    await fault('correct-executions');
    const corrected = await rows();
    await admin(simulator, '/faults', undefined, 'DELETE');
    expect(await rows()).toEqual(corrected);
    const second = (id = ''): string => id.replace(/1$/, '2');
    expect(corrected.map((row) => row['execution_id'])).toEqual(
      [later, ...first].flatMap((id) => [second(id), id]),
    );
    const cent = (row: Rows[number] | undefined): number => Math.round(Number(row?.['price']) * 100);
    expect(cent(corrected[2])).toBe(cent(corrected[3]) - 1);
  });
});

describe('faults of the session', () => {
  const status = () => post(simulator, '/iserver/auth/status');
  const init = (compete: boolean) => post(simulator, '/iserver/auth/ssodh/init', { publish: true, compete });

  test('loses the brokerage session, which an init opens again', async () => {
    await fault('session-loss', { on: 'orders' });
    expect(await request(simulator, 'GET', '/iserver/account/orders')).toMatchObject({
      status: 400,
      body: { error: 'Bad Request: no bridge' },
    });
    expect(await status()).toMatchObject({ authenticated: false, connected: true, competing: false });
    expect(await request(simulator, 'GET', '/portfolio/accounts')).toMatchObject({ status: 200 });
    expect(await init(false)).toMatchObject({ authenticated: true });
    expect(await request(simulator, 'GET', '/iserver/account/orders')).toMatchObject({
      status: 500,
      body: { error: 'Please query /accounts first' },
    });
  });

  test('loses the login, which only a person brings back', async () => {
    await fault('login-loss');
    expect(await request(simulator, 'GET', '/portfolio/accounts')).toMatchObject({ status: 401 });
    expect(await status()).toMatchObject({ authenticated: false, connected: false });
    expect(await init(true)).toEqual({ error: 'not authenticated', statusCode: 401 });
    await admin(simulator, '/login', {});
    expect(await status()).toMatchObject({ authenticated: true, connected: true });
  });

  test('is taken over by another login, and taken back only on purpose', async () => {
    await fault('competing', { on: 'session' });
    expect(await status()).toMatchObject({ authenticated: false, competing: true });
    expect(await init(false)).toMatchObject({ authenticated: false, competing: true });
    expect(await init(true)).toMatchObject({ authenticated: true, competing: false });
  });

  test('answers 429 to everything until the penalty is over', async () => {
    await fault('pacing-429', { on: 'trades', ms: 300_000 });
    const pacing = { status: 429, body: { error: 'Too Many Requests', statusCode: 429 } };
    expect(await request(simulator, 'GET', '/iserver/account/trades')).toMatchObject(pacing);
    expect(await request(simulator, 'GET', '/iserver/accounts')).toMatchObject(pacing);
    ahead += 240_000;
    expect(await request(simulator, 'POST', '/tickle', { body: {} })).toMatchObject(pacing);
    ahead += 60_001;
    expect(await request(simulator, 'GET', '/iserver/accounts')).toMatchObject({ status: 200 });
  });
});

describe('setting faults', () => {
  test('acts on a share of the requests that the seed names, the same each time', async () => {
    const run = async (): Promise<number[]> => {
      await admin(simulator, '/faults', undefined, 'DELETE');
      await fault('no-bridge', { on: 'accounts', times: null, share: 0.4, seed: 11 });
      const statuses: number[] = [];
      for (let n = 0; n < 40; n += 1)
        statuses.push((await request(simulator, 'GET', '/iserver/accounts')).status);
      return statuses;
    };
    const first = await run();
    expect(await run()).toEqual(first);
    expect(first.filter((each) => each === 400).length).toBeGreaterThan(5);
    expect(first.filter((each) => each === 200).length).toBeGreaterThan(15);
  });

  test('refuses what is no fault, and says what is wrong', async () => {
    for (const [wish, words] of [
      [{ kind: 'flood' }, 'kind'],
      [{ kind: 'delay', times: 0 }, 'times'],
      [{ kind: 'delay', on: 'everything' }, 'on'],
      [{ kind: 'delay', color: 'red' }, 'color'],
      [[], 'object'],
    ] as const)
      expect(await admin(simulator, '/faults', wish)).toMatchObject({
        status: 400,
        body: { code: 'BAD_REQUEST', error: expect.stringContaining(words) as string },
      });
    expect(await acted()).toEqual([]);
  });

  test.each([
    ['accept-then-drop', 'history', 'place, reply, any'],
    ['delay', 'socket', 'history'],
    ['slow-cancel', 'place', 'cancel, any'],
    ['socket-drop', 'orders', 'socket, any'],
  ] as const)('says of %s that it never acts on %s, and on what it does', async (kind, on, fitting) => {
    expect(await admin(simulator, '/faults', { kind, on })).toMatchObject({
      status: 400,
      body: { error: expect.stringMatching(`${kind} can never act on ${on}.*${fitting}`) as string },
    });
    expect(await acted()).toEqual([]);
  });

  test('says what is wrong with a field, and with a body or an id that is none', async () => {
    expect((await admin(simulator, '/faults', { kind: 'delay', ms: 1e9 })).body).toMatchObject({
      error: expect.stringMatching(/^No fault was set: ms: Too big/) as string,
    });
    const headers = { authorization: `Bearer ${TOKEN}` };
    const answer = await fetch(`${simulator.adminUrl}/faults`, { method: 'POST', headers, body: 'null' });
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({
      error: expect.stringContaining('expected object, received null') as string,
    });
    expect(await admin(simulator, '/faults/abc', undefined, 'DELETE')).toMatchObject({
      status: 404,
      body: { code: 'NOT_FOUND' },
    });
  });

  test('takes one back by its id', async () => {
    const { id } = (await fault('html')).body as { id: number };
    expect((await admin(simulator, `/faults/${id}`, undefined, 'DELETE')).body).toEqual({ cleared: 1 });
    expect((await admin(simulator, `/faults/${id}`, undefined, 'DELETE')).body).toEqual({ cleared: 0 });
  });

  test('keel simulator fault, faults, clear and login', async () => {
    const env = { KEEL_SIMULATOR_ADMIN_URL: simulator.adminUrl, KEEL_SIMULATOR_ADMIN_TOKEN: TOKEN };
    const keel = async (...args: string[]): Promise<unknown> => {
      const lines: string[] = [];
      const where = ['--data-dir', folder.path];
      expect(await simulatorCommand([...args, ...where], (line) => lines.push(line), env)).toBe(0);
      return JSON.parse(lines.join('\n')) as unknown;
    };
    expect(
      await keel('fault', 'slow', '--on', 'history', '--times', '0', '--share', '0.5', '--ms', '20'),
    ).toMatchObject({ kind: 'slow', on: 'history', times: null, share: 0.5, ms: 20, seed: 1 });
    expect(await keel('faults')).toMatchObject({ faults: [{ kind: 'slow', matched: 0 }] });
    expect(await keel('clear')).toEqual({ cleared: 1 });
    expect(await keel('login')).toEqual({ loggedIn: true });
    await expect(keel('fault')).rejects.toThrow(faultKinds.join(', '));
    await expect(keel('fault', 'delayy')).rejects.toThrow('did you mean delay?');
    await expect(keel('fault', 'delay', '--accepted')).rejects.toThrow('--accepted is of reply-503 alone');
    expect(await keel('fault', 'question', '--message-ids', 'o163,o451')).toMatchObject({
      messageIds: ['o163', 'o451'],
    });
    await expect(keel('fault', 'slow', '--ms', 'long')).rejects.toThrow('--ms needs a number');
  });
});
