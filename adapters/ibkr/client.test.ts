// What an order that IBKR asks about may rely on: nothing ordinary is on its way meanwhile.
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createIbkrClient } from './client.js';
import type { Endpoint, IbkrClient } from './client.js';
import { transportError } from './errors.js';
import type { Exchange } from './errors.js';
import { createPacing } from './pacing.js';
import { statusEndpoint } from './sessionEndpoints.js';
import { machineTimer } from './timer.js';
import { KeelError } from '../../ports/errors.js';

const clock = { now: () => 0 };
const order = { method: 'POST', path: '/order' } as const;
const reply = { method: 'POST', path: '/reply' } as const;
const status = { method: 'POST', path: '/status' } as const;
const turn = (): Promise<void> => new Promise(setImmediate);

/** Something that a test lets happen. */
function latch<T>() {
  let open: (value: T) => void = () => undefined;
  const opened = new Promise<T>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

/** A client whose first ordinary turn and whose answers to `/status` come when the test says so. */
function clientOf(firstTurn: Promise<void>, statusAnswer: Promise<Exchange>, timer = machineTimer) {
  const sent: string[] = [];
  let turns = 0;
  const client: IbkrClient = createIbkrClient({
    clock,
    timer,
    pacingWaitMs: 3000,
    pacing: {
      ...createPacing({ clock, factor: 1 }),
      takeReserved: () => true,
      slot: (lane) => (lane === 'ordinary' && (turns += 1) === 1 ? firstTurn : Promise.resolve()),
    },
    http: {
      exchange: ({ path }) => {
        sent.push(path);
        return path === '/status' ? statusAnswer : Promise.resolve({ status: 200, text: '{}' });
      },
      close: () => undefined,
    },
  });
  const place = (meanwhile: () => Promise<void>) =>
    client.quietly(async () => {
      await client.exchange(order, { lane: 'order' });
      await meanwhile();
      await client.exchange(reply, { lane: 'reply' });
    });
  return { client, sent, place };
}

it('keeps a request back whose turn comes between the order and the reply', async () => {
  const first = latch<undefined>();
  const { client, sent, place } = clientOf(first.opened, Promise.resolve({ status: 200, text: '{}' }));
  const asked = client.exchange(status, {});
  await turn();
  await place(async () => {
    first.open(undefined);
    await turn();
  });
  await asked;
  expect(sent).toEqual(['/order', '/reply', '/status']);
});

it.each([
  ['has its answer', () => Promise.resolve({ status: 200, text: '{}' })],
  ['has failed', () => Promise.reject(new Error('no answer in time'))],
])('lets the order out only when a request on its way %s', async (_what, answer) => {
  const ended = latch<undefined>();
  const { client, sent, place } = clientOf(Promise.resolve(), ended.opened.then(answer));
  const asked = client.exchange(status, {}).catch(() => undefined);
  await turn();
  const placed = place(turn);
  await turn();
  expect(sent).toEqual(['/status']);
  ended.open(undefined);
  await Promise.all([placed, asked]);
  expect(sent).toEqual(['/status', '/order', '/reply']);
});

const cancel = { method: 'DELETE', path: '/cancel' } as const;

it('keeps a cancel back while an order is asked about', async () => {
  const { client, sent, place } = clientOf(Promise.resolve(), Promise.resolve({ status: 200, text: '{}' }));
  let cancelled: Promise<unknown> = Promise.resolve();
  await place(async () => {
    cancelled = client.exchange(cancel, { lane: 'cancel' });
    await turn();
  });
  await cancelled;
  expect(sent).toEqual(['/order', '/reply', '/cancel']);
});

it('keeps a cancel back for two seconds at most', async () => {
  const waits: number[] = [];
  const answered = latch<undefined>();
  const timer = {
    after: (ms: number, run: () => void) => {
      waits.push(ms);
      setImmediate(run);
      return () => undefined;
    },
  };
  const { client, sent, place } = clientOf(
    Promise.resolve(),
    Promise.resolve({ status: 200, text: '{}' }),
    timer,
  );
  const placed = place(() => answered.opened);
  await turn();
  await client.exchange(cancel, { lane: 'cancel' });
  expect([sent, waits]).toEqual([['/order', '/cancel'], [2000]]);
  answered.open(undefined);
  await placed;
});

const failed = { endpoint: 'GET /history', code: 'ECONNRESET', timeoutMs: 10 } as const;

it.each([
  ['answered', () => Promise.resolve({ status: 503, text: '' }), true],
  ['timed out', () => Promise.reject(transportError({ ...failed, timedOut: true, sent: true })), false],
  ['broken off', () => Promise.reject(transportError({ ...failed, timedOut: false, sent: true })), false],
  ['never sent', () => Promise.reject(transportError({ ...failed, timedOut: false, sent: false })), true],
  ['refused its turn', () => Promise.reject(new KeelError('IBKR_PACING_DEADLINE', 'no turn')), true],
])('leaves a gate of which a request was %s', async (_what, exchange, answered) => {
  const left: (boolean | undefined)[] = [];
  const client = createIbkrClient({
    clock,
    pacingWaitMs: 1000,
    pacing: {
      ...createPacing({ clock, factor: 1 }),
      slot: () => Promise.resolve(),
      enter: () => Promise.resolve((word) => void left.push(word)),
    },
    http: { exchange, close: () => undefined },
  });
  await client.exchange({ method: 'GET', path: '/history', gate: 'history' }, {}).catch(() => undefined);
  expect(left).toEqual([answered]);
});

describe('a page with 404 in place of an answer', () => {
  const page = { status: 404, text: '<html><body><h1>Resource not found</h1></body></html>' };
  const trades = { method: 'GET', path: '/trades' } as const;
  const change = { method: 'POST', path: '/change' } as const;

  /** What became of calls that are answered one after the other. */
  async function classes(calls: readonly (readonly [Endpoint, Exchange])[]): Promise<unknown[]> {
    const answers = calls.map(([, answer]) => answer);
    const client = createIbkrClient({
      clock,
      pacingWaitMs: 3000,
      pacing: { ...createPacing({ clock, factor: 1 }), slot: () => Promise.resolve() },
      http: {
        exchange: () => Promise.resolve(answers.shift() ?? page),
        close: () => undefined,
      },
    });
    const found: unknown[] = [];
    for (const [endpoint] of calls) {
      const error = await client.call(endpoint, {}, z.unknown()).then(
        () => null,
        (caught: unknown) => caught,
      );
      found.push(error instanceof KeelError ? `${error.code} ${error.errorClass}` : error);
    }
    return found;
  }
  const good = { status: 200, text: '{}' };

  it('is a wrong path, and final, where nothing under it has ever answered', async () => {
    const login = { status: 401, text: '' };
    expect(
      await classes([
        [statusEndpoint, page],
        [trades, login],
        [trades, page],
      ]),
    ).toEqual(['IBKR_NOT_FOUND final', 'IBKR_UNAUTHORIZED retryable', 'IBKR_NOT_FOUND final']);
  });

  it('is asked for again where it is a read and the path has answered, and what writes is not', async () => {
    expect(
      await classes([
        [trades, good],
        [trades, page],
        [statusEndpoint, page],
        [change, page],
      ]),
    ).toEqual([null, 'IBKR_NOT_FOUND retryable', 'IBKR_NOT_FOUND retryable', 'IBKR_NOT_FOUND final']);
  });
});
