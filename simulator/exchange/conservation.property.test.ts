// 10,000 random sequences of orders of every kind, trades, cancels, changes, corrections, halts, splits and restarts: the books, kept again
// by other arithmetic from the events alone, agree to the cent, and no shares are claimed twice.
import { Decimal } from 'decimal.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { costs, CONID, marketOf, sessions } from '../testing/exchange.js';
import { freeShares, reservedCash } from './accounts.js';
import { collecting } from './command.js';
import type { Exchange } from './command.js';
import { correctExecutions } from './corrections.js';
import { estimateOf } from './costs.js';
import { cancelOrder, halt, playTo, resume } from './exchange.js';
import { modify, place } from './orders.js';
import type { OrderDraft } from './orders.js';
import { apply } from './apply.js';
import { remainingOf } from './remaining.js';
import { emptyState, holdingOf, openOfAccount } from './state.js';
import { trade } from './trades.js';
import type { ExchangeEvent, ExchangeState, OrderType, TimeInForce } from './types.js';
import { syntheticBars } from './synthetic.js';

const SEQUENCES = 10_000;
const SESSIONS = 12;
const SPLIT_SESSION = 5;
const ACCOUNTS = ['DU1', 'DU2'];
const START_CENTS = 1_000_000n;

type Command = Wish | Change | Step | Word;
interface Wish {
  readonly kind: 'place' | 'group' | 'bracket' | 'trade';
  readonly account: number;
  readonly draft: Draft;
}
interface Change {
  readonly kind: 'cancel' | 'modify';
  readonly pick: number;
  readonly offset: number;
}
interface Step {
  readonly kind: 'step';
  readonly sessions: number;
  readonly minutes: number;
}
interface Word {
  readonly kind: 'halt' | 'resume' | 'restart' | 'correct';
}

interface Draft {
  readonly side: 'BUY' | 'SELL';
  readonly orderType: OrderType;
  readonly tif: TimeInForce;
  readonly units: number;
  readonly offset: number;
}

const draft: fc.Arbitrary<Draft> = fc.record({
  side: fc.constantFrom('BUY' as const, 'BUY' as const, 'SELL' as const),
  orderType: fc.constantFrom<OrderType>(
    'MKT',
    'MKT',
    'LMT',
    'STP',
    'STOP_LIMIT',
    'TRAIL',
    'TRAILLMT',
    'MOC',
    'LOC',
  ),
  tif: fc.constantFrom<TimeInForce>('DAY', 'GTC', 'GTC', 'IOC', 'OPG'),
  units: fc.integer({ min: 1, max: 80 }),
  offset: fc.integer({ min: -40, max: 40 }),
});
const account = fc.nat({ max: ACCOUNTS.length - 1 });
const commands = fc.array(
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        kind: fc.constantFrom('place', 'place', 'group', 'bracket', 'trade'),
        account,
        draft,
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constantFrom('cancel', 'modify'),
        pick: fc.nat({ max: 20 }),
        offset: fc.integer({ min: -40, max: 40 }),
      }),
    },
    {
      weight: 5,
      arbitrary: fc.record({
        kind: fc.constant('step'),
        sessions: fc.integer({ min: 0, max: 3 }),
        minutes: fc.constantFrom(-30, 0, 120, 390),
      }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('halt', 'resume', 'restart', 'correct') }) },
  ),
  { minLength: 4, maxLength: 12 },
) as fc.Arbitrary<Command[]>;

const setting = fc.record({
  seed: fc.integer({ min: 1, max: 1_000_000 }),
  volumeShare: fc.constantFrom(null, '0.00001', '0.0001'),
  settlementSessions: fc.constantFrom(0, 2),
  spread: fc.constantFrom('0', '0.0013'),
  split: fc.constantFrom([4, 1], [1, 3], [3, 2]),
});
type Setting = typeof setting extends fc.Arbitrary<infer T> ? T : never;

interface Played {
  readonly state: ExchangeState;
  readonly events: readonly ExchangeEvent[];
}

function play(given: Setting, list: readonly Command[]): Played {
  const {
    seed,
    split: [numerator = 1, denominator = 1],
    ...terms
  } = given;
  const bars = syntheticBars(sessions.slice(0, SESSIONS), {
    seed,
    start: 100,
    drift: 0,
    noise: 0.04,
    pull: 0.05,
  });
  const date = sessions[SPLIT_SESSION]?.date ?? '';
  const market = marketOf(
    bars.map((bar) => [bar.open, bar.high, bar.low, bar.close]),
    { splits: [{ date, numerator, denominator }], volumes: bars.map(({ volume }) => volume) },
  );
  const all = { ...costs, ...terms };
  let state = emptyState(market.firstInstant);
  const events: ExchangeEvent[] = [];
  const act = (command: (exchange: Exchange) => void): void => {
    const collected = collecting(market, all, state);
    command(collected.exchange);
    events.push(...(JSON.parse(JSON.stringify(collected.events)) as ExchangeEvent[]));
    checkShares(state);
    checkClaims(collected.exchange);
  };
  for (const id of ACCOUNTS)
    act(({ emit }) => {
      emit({ type: 'account', at: state.now, account: id, cash: '10000' });
    });
  let session = 0;
  list.forEach((command, index) => {
    if (command.kind === 'restart') {
      const again = emptyState(market.firstInstant);
      for (const event of events) apply(again, event);
      expect(again).toEqual(state);
      state = again;
    } else if (command.kind === 'step') {
      session = Math.min(session + command.sessions, SESSIONS - 1);
      const to = new Date(Date.parse(sessions[session]?.open ?? '') + command.minutes * 60_000).toISOString();
      if (to <= state.now) return;
      act((exchange) => {
        playTo(exchange, to);
        exchange.emit({ type: 'step', at: to, step: state.step + 1 });
      });
    } else
      act((exchange) => {
        obey(exchange, command, index);
      });
  });
  return { state, events };
}

/** No order claims shares that another one claims or that are not there, so none to sell is rejected for want of them. */
function checkShares(state: ExchangeState): void {
  for (const owner of state.accounts.values()) {
    const free = freeShares(state, owner, CONID);
    if (free.isNegative()) throw new Error(`${owner.id} has ${free.toString()} shares that are free`);
  }
  for (const { side, state: end, reason, orderId } of state.orders.values())
    if (side === 'SELL' && end === 'REJECTED')
      throw new Error(`sale ${String(orderId)} was rejected: ${reason ?? 'for no reason'}`);
}

/** What orders claim, which is remembered order by order, is what the orders of this moment come to. */
function checkClaims({ market, costs: terms, state }: Exchange): void {
  const last = market.quote(CONID, state.now)?.last ?? 0;
  for (const owner of state.accounts.values()) {
    const largest = { BUY: new Map<string, Decimal>(), SELL: new Map<string, Decimal>() };
    for (const order of openOfAccount(state, owner.id)) {
      if (order.state !== 'WORKING') continue;
      const rest = remainingOf(state, order);
      const claim = order.side === 'SELL' ? rest : estimateOf(order, last, terms, rest.toString());
      const group = order.ocaGroup ?? String(order.orderId);
      const known = largest[order.side].get(group);
      if (known === undefined || claim.gt(known)) largest[order.side].set(group, claim);
    }
    const [cash, shares] = [largest.BUY, largest.SELL].map((claims) => Decimal.sum(0, ...claims.values()));
    const { quantity } = holdingOf(owner, CONID);
    expect([
      reservedCash(market, terms, state, owner).toString(),
      freeShares(state, owner, CONID).toString(),
    ]).toEqual([cash?.toString(), new Decimal(quantity).minus(shares ?? 0).toString()]);
  }
}

const at = (offset: number): string => (100 + offset / 8).toFixed(2);

function draftOf({ side, orderType, tif, units, offset }: Draft, cOID: string | null): OrderDraft {
  const isUnpriced = orderType === 'MKT' || orderType === 'MOC' || orderType === 'TRAIL';
  return {
    conid: CONID,
    side,
    orderType,
    tif,
    quantity: String(units),
    price: isUnpriced ? null : at(offset),
    ...(orderType === 'STOP_LIMIT' || orderType === 'TRAILLMT' ? { auxPrice: at(offset / 2) } : {}),
    ...(orderType === 'TRAIL' || orderType === 'TRAILLMT'
      ? { trail: { by: '%', size: '1.5' } as const }
      : {}),
    cOID,
    parent: null,
  };
}

function obey(exchange: Exchange, command: Wish | Change | Word, index: number): void {
  if ('draft' in command) wish(exchange, command, index);
  else if ('pick' in command) change(exchange, command);
  else if (command.kind === 'halt') halt(exchange, CONID);
  else if (command.kind === 'correct')
    correctExecutions(exchange, new Set(exchange.state.executions.map(({ executionId }) => executionId)));
  else resume(exchange, CONID);
}

function change(exchange: Exchange, { kind, pick, offset }: Change): void {
  const open = [...exchange.state.open];
  const orderId = open[pick % Math.max(open.length, 1)];
  const order = orderId === undefined ? undefined : exchange.state.orders.get(orderId);
  if (order === undefined) return;
  if (kind === 'cancel') cancelOrder(exchange, order.orderId);
  else
    modify(exchange, order.orderId, {
      quantity: String(Math.max(1, Number(order.quantity) + offset)),
      price: order.price === null ? null : at(offset),
    });
}

function wish(exchange: Exchange, { kind, account: which, draft: terms }: Wish, index: number): void {
  const id = ACCOUNTS[which] ?? '';
  const wanted = draftOf(terms, kind === 'bracket' ? `order-${String(index)}` : null);
  const instrument = exchange.market.instrument(CONID);
  if (kind === 'trade' && instrument !== undefined) {
    const { side } = wanted;
    const quantity = (terms.units / 7).toFixed(4);
    trade(exchange, { account: id, instrument, side, quantity, price: side === 'BUY' ? '1000.00' : '1.00' });
  } else if (kind === 'group') {
    const other = { ...wanted, orderType: 'LMT', tif: 'GTC', price: at(-terms.offset) } as const;
    place(exchange, id, [
      { ...wanted, single: true },
      { ...other, single: true },
    ]);
  } else if (kind === 'bracket') {
    const leg = { ...wanted, side: 'SELL', tif: 'GTC', cOID: null, parent: wanted.cOID } as const;
    const stop = { ...leg, orderType: 'STP', price: at(-20) } as const;
    place(exchange, id, [{ ...wanted, side: 'BUY' }, stop, { ...leg, orderType: 'LMT', price: at(20) }]);
  } else place(exchange, id, [wanted]);
}

/** Cents, and ten-thousandths of a share. */
interface Book {
  cash: bigint;
  held: bigint;
}

const scaled = (text: string, decimals: number): bigint => {
  const [whole = '0', part = ''] = text.split('.');
  return BigInt(`${whole}${part.slice(0, decimals).padEnd(decimals, '0')}`);
};

function booksOf(events: readonly ExchangeEvent[]): Map<string, Book> {
  const books = new Map<string, Book>(ACCOUNTS.map((id) => [id, { cash: START_CENTS, held: 0n }]));
  const values = new Map<string, bigint>();
  for (const event of events) {
    if (event.type === 'split')
      for (const book of books.values()) {
        const whole = book.held % 10_000n === 0n;
        const unit = whole ? 10_000n * BigInt(event.denominator) : BigInt(event.denominator);
        const exact = book.held * BigInt(event.numerator);
        const after = exact / unit;
        const rest = exact - after * unit;
        book.held = whole ? after * 10_000n : after;
        book.cash += (rest * scaled(event.price, 2)) / (BigInt(event.denominator) * 10_000n);
      }
    if (event.type !== 'execution' && event.type !== 'correction') continue;
    const book = books.get(event.account);
    if (book === undefined) throw new Error('an account of nobody');
    const units = scaled(event.quantity, 4);
    const product = units * scaled(event.price, 2);
    const isBuy = event.side === 'BUY';
    const value = isBuy ? -((product + 9_999n) / 10_000n) : product / 10_000n;
    if (event.type === 'correction') {
      book.cash += value - (values.get(event.corrects) ?? 0n);
      continue;
    }
    values.set(event.executionId, value);
    book.held += isBuy ? units : -units;
    book.cash += value - scaled(event.commission, 2);
    if (book.cash < 0n || book.held < 0n) throw new Error(`overdrawn by ${event.executionId}`);
  }
  return books;
}

describe(`over ${String(SEQUENCES)} random sequences`, { timeout: 600_000 }, () => {
  it('cash and holdings conserve to the cent, nothing is booked by halves, and no shares are claimed twice', () => {
    const seen = { executions: 0, corrections: 0, partial: 0, splits: 0, triggers: 0, trails: 0 };
    fc.assert(
      fc.property(setting, commands, (given, list) => {
        const { state, events } = play(given, list);
        for (const [id, book] of booksOf(events)) {
          const real = state.accounts.get(id);
          if (real === undefined) throw new Error('no account');
          const { quantity, cost, realizedPnl } = holdingOf(real, CONID);
          expect([scaled(real.cash, 2), scaled(quantity, 4)]).toEqual([book.cash, book.held]);
          // What was earned is what cash and cost have become since: no cent is in neither.
          const earned = book.cash - START_CENTS + scaled(cost, 2);
          expect(scaled(realizedPnl, 2)).toBe(earned);
        }
        const filled = new Map<number, number>();
        for (const event of events) {
          if (event.type === 'split') seen.splits += 1;
          if (event.type === 'trigger') seen.triggers += 1;
          if (event.type === 'trail') seen.trails += 1;
          if (event.type === 'correction') seen.corrections += 1;
          if (event.type !== 'execution') continue;
          seen.executions += 1;
          filled.set(event.orderId, (filled.get(event.orderId) ?? 0) + Number(event.quantity));
        }
        for (const order of state.orders.values()) {
          expect(Number(order.filled)).toBeCloseTo(filled.get(order.orderId) ?? 0, 4);
          if (order.filled !== '0' && order.state !== 'FILLED') seen.partial += 1;
          if (order.state === 'FILLED') expect(Number(order.filled)).toBe(Number(order.quantity));
        }
      }),
      { numRuns: SEQUENCES, seed: 20_140_707 },
    );
    // The sequences do reach all of it: about 19,000 executions.
    expect(Object.values(seen).every((count) => count > 100)).toBe(true);
  });
});
