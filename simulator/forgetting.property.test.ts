// An exchange that forgets beside one that keeps everything: whatever happens to both, nobody who asks through any front can
// tell them apart, and a start from the ledger makes each anew.
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Express } from 'express';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { createClientPortal } from './clientPortal/app.js';
import { freshSession } from './clientPortal/portal.js';
import type { Portal } from './clientPortal/portal.js';
import { createEngine, foldInto } from './engine.js';
import type { Engine } from './engine.js';
import type { OrderDraft } from './exchange/orders.js';
import { emptyState } from './exchange/state.js';
import { syntheticBars } from './exchange/synthetic.js';
import type { ExchangeEvent } from './exchange/types.js';
import { createFaults } from './faults.js';
import { createOwnApi } from './ownApi/app.js';
import { ordersTopic, tradesTopic } from './socket/frames.js';
import { ACCOUNT, CONID, costs, marketOf, sessions } from './testing/exchange.js';

const SESSIONS = 60;
const clock = { now: () => Date.parse('2026-01-02T03:04:05.000Z') };
const apiKey = 'a-key-of-the-test';

type Command =
  | { readonly kind: 'place' | 'bracket' | 'group'; readonly draft: Draft; readonly reuse: number }
  | { readonly kind: 'trade'; readonly units: number; readonly side: 'BUY' | 'SELL' }
  | { readonly kind: 'cancel' | 'modify'; readonly pick: number; readonly offset: number }
  | { readonly kind: 'step'; readonly sessions: number };

interface Draft {
  readonly side: 'BUY' | 'SELL';
  readonly orderType: 'MKT' | 'LMT' | 'STP' | 'TRAIL' | 'MOC';
  readonly tif: 'DAY' | 'GTC' | 'IOC';
  readonly units: number;
  readonly offset: number;
}

const draft = fc.record<Draft>({
  side: fc.constantFrom('BUY', 'BUY', 'SELL'),
  orderType: fc.constantFrom('MKT', 'LMT', 'STP', 'TRAIL', 'MOC'),
  tif: fc.constantFrom('DAY', 'GTC', 'GTC', 'IOC'),
  units: fc.integer({ min: 1, max: 40 }),
  offset: fc.integer({ min: -12, max: 12 }),
});
const commands = fc.array(
  fc.oneof<fc.Arbitrary<Command>[]>(
    fc.record({
      kind: fc.constantFrom('place', 'place', 'bracket', 'group'),
      draft,
      reuse: fc.nat({ max: 8 }),
    }),
    fc.record({
      kind: fc.constant('trade'),
      units: fc.integer({ min: 1, max: 20 }),
      side: fc.constantFrom('BUY', 'SELL'),
    }),
    fc.record({
      kind: fc.constantFrom('cancel', 'modify'),
      pick: fc.nat({ max: 9 }),
      offset: fc.integer({ min: -12, max: 12 }),
    }),
    fc.record({ kind: fc.constant('step'), sessions: fc.integer({ min: 0, max: 5 }) }),
    fc.record({ kind: fc.constant('step'), sessions: fc.integer({ min: 0, max: 5 }) }),
  ),
  { minLength: 12, maxLength: 40 },
);

interface World {
  readonly engine: Engine;
  readonly portal: Portal;
  readonly events: ExchangeEvent[];
}

function worldOf(seed: number, keepsAll: boolean): World {
  const shape = { seed, start: 100, drift: 0, noise: 0.03, pull: 0.05 };
  const bars = syntheticBars(sessions.slice(0, SESSIONS), shape);
  const market = marketOf(
    bars.map((bar) => [bar.open, bar.high, bar.low, bar.close]),
    { volumes: bars.map(() => 60) },
  );
  const events: ExchangeEvent[] = [];
  const engine = createEngine({
    market,
    costs: { ...costs, volumeShare: '0.5', settlementSessions: 2 },
    state: emptyState(market.firstInstant, keepsAll),
    ledger: { lines: 0, isOpen: () => true, append: (written) => void events.push(...written) },
    accounts: [ACCOUNT],
    cash: '20000',
  });
  engine.addUser({
    email: 'a@example.com',
    keyHash: createHash('sha256').update(apiKey).digest('hex'),
    expiresAt: null,
    account: ACCOUNT,
    cash: '0',
  });
  const portal: Portal = {
    engine,
    accounts: [ACCOUNT],
    clock,
    clockFactor: 1,
    startedAt: clock.now(),
    midnightReset: false,
    session: freshSession(ACCOUNT, clock.now()),
    faults: createFaults(),
    limitsFactor: 1_000_000,
    penalty: { until: 0, refused: 0 },
    hidden: new Map(),
    doubled: new Set(),
    cancelling: new Set(),
    live: null,
  };
  return { engine, portal, events };
}

const priceAt = (offset: number): string => (100 + offset).toFixed(2);

function draftOf({ side, orderType, tif, units, offset }: Draft, cOID: string | null): OrderDraft {
  return {
    conid: CONID,
    side,
    orderType,
    tif: orderType === 'MOC' ? 'DAY' : tif,
    quantity: String(units),
    price: orderType === 'LMT' || orderType === 'STP' ? priceAt(offset) : null,
    ...(orderType === 'TRAIL' ? { trail: { by: '%', size: '1.5' } as const } : {}),
    cOID,
    parent: null,
  };
}

/** @returns what the one who asked is told */
function obey({ engine }: World, command: Command, index: number, at: number): unknown {
  switch (command.kind) {
    case 'step': {
      const to = sessions[at]?.open ?? '';
      const noon = new Date(Date.parse(to) + 3 * 3_600_000).toISOString();
      if (noon > engine.state.now) engine.step(noon);
      return engine.state.now;
    }
    case 'trade': {
      const instrument = engine.market.instrument(CONID);
      if (instrument === undefined) throw new Error('no instrument');
      const price = command.side === 'BUY' ? '1000.00' : '1.00';
      return engine.trade({
        account: ACCOUNT,
        instrument,
        side: command.side,
        quantity: String(command.units),
        price,
      });
    }
    case 'cancel':
    case 'modify': {
      const open = [...engine.state.open];
      const orderId = open[command.pick % Math.max(open.length, 1)];
      const order = orderId === undefined ? undefined : engine.state.orders.get(orderId);
      if (order === undefined) return null;
      if (command.kind === 'cancel') engine.cancel(order.orderId);
      else
        return engine.modify(order.orderId, {
          quantity: String(Math.max(1, Number(order.quantity) + command.offset)),
          price: order.price === null ? null : priceAt(command.offset),
        });
      return order.orderId;
    }
    default: {
      // Now and then an id that has been used before.
      const cOID = `order-${String(command.reuse === 0 ? Math.floor(index / 3) : index)}`;
      const wanted = draftOf(command.draft, cOID);
      if (command.kind === 'group')
        return engine.place(ACCOUNT, [
          { ...wanted, single: true },
          { ...wanted, cOID: null, orderType: 'LMT', tif: 'GTC', price: priceAt(-9), single: true },
        ]);
      if (command.kind === 'place') return engine.place(ACCOUNT, [wanted]);
      const leg = { ...wanted, side: 'SELL', tif: 'GTC', cOID: null, parent: cOID } as const;
      return engine.place(ACCOUNT, [
        { ...wanted, side: 'BUY' },
        { ...leg, orderType: 'STP', price: priceAt(-12) },
        { ...leg, orderType: 'LMT', price: priceAt(12) },
      ]);
    }
  }
}

const servers: ReturnType<typeof createServer>[] = [];
afterAll(() => {
  for (const server of servers) server.close();
});

async function listening(app: Express): Promise<string> {
  const server = createServer(app);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
}

/** All that can be asked of a world, and what it answers. */
async function answersOf(world: World): Promise<unknown[]> {
  const { engine, portal } = world;
  const fail = (error: unknown): never => {
    throw error;
  };
  const broker = `${await listening(createClientPortal(portal, fail))}/v1/api`;
  const own = await listening(createOwnApi({ engine, clock, live: null }, fail));
  const answers: unknown[] = [];
  const ask = async (base: string, method: string, path: string, body?: object): Promise<void> => {
    const answer = await fetch(`${base}${path}`, {
      method,
      headers: { Authorization: `Bearer ${apiKey}`, Connection: 'close' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    answers.push([method, path, answer.status, await answer.text()]);
  };
  const looks = [
    '/iserver/accounts',
    '/iserver/account/orders?force=true',
    '/iserver/account/orders',
    '/iserver/account/trades?days=7',
    '/iserver/account/trades?days=7',
    '/iserver/account/trades',
    '/portfolio/accounts',
    `/portfolio/${ACCOUNT}/summary`,
    `/portfolio/${ACCOUNT}/ledger`,
    `/portfolio/${ACCOUNT}/positions/0`,
    '/iserver/account/pnl/partitioned',
  ];
  for (const path of looks) await ask(broker, 'GET', path);
  const ids = world.events.flatMap((event) => (event.type === 'order' ? [event] : []));
  for (const { orderId } of ids) await ask(broker, 'GET', `/iserver/account/order/status/${String(orderId)}`);
  for (const path of ['/balance', '/portfolio']) await ask(own, 'GET', `/api/v1${path}`);
  answers.push(ordersTopic(portal).due(), tradesTopic(portal, { days: 7 }).due());
  answers.push(tradesTopic(portal, { days: 30 }).due());
  const [oldest] = ids;
  if (oldest !== undefined) {
    const path = `/iserver/account/${ACCOUNT}/order/${String(oldest.orderId)}`;
    await ask(broker, 'POST', path, { conid: CONID, side: 'BUY', quantity: 5, orderType: 'MKT', tif: 'DAY' });
    await ask(broker, 'DELETE', path);
  }
  for (const { cOID } of ids.slice(0, 3)) {
    const order = { conid: CONID, side: 'BUY', quantity: 1, orderType: 'MKT', tif: 'DAY', cOID };
    await ask(broker, 'POST', `/iserver/account/${ACCOUNT}/orders`, { orders: [order] });
  }
  return answers;
}

describe('an exchange that forgets', { timeout: 300_000 }, () => {
  it('is, to all who ask, one that keeps everything', async () => {
    let forgotten = 0;
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 1_000_000 }), commands, async (seed, list) => {
        const [forgets, keeps] = [worldOf(seed, false), worldOf(seed, true)];
        let at = 0;
        list.forEach((command, index) => {
          if (command.kind === 'step') at = Math.min(at + command.sessions, SESSIONS - 1);
          const told = obey(forgets, command, index, at);
          expect(told).toEqual(obey(keeps, command, index, at));
        });
        expect(forgets.events).toEqual(keeps.events);
        for (const { engine, events } of [forgets, keeps]) {
          const again = emptyState(engine.market.firstInstant, engine.state.keepsAll);
          events.forEach((event, line) => {
            foldInto(again)(event, line + 1);
          });
          expect(again).toEqual(engine.state);
        }
        forgotten += keeps.engine.state.orders.size - forgets.engine.state.orders.size;
        expect(await answersOf(forgets)).toEqual(await answersOf(keeps));
      }),
      // The same each time, so that the count below holds.
      { numRuns: 16, seed: 20_261_127 },
    );
    expect(forgotten).toBeGreaterThan(20);
  });
});
