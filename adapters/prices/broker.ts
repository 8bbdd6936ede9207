// Prices of the broker's own snapshot, over the worker's broker port, so that its pacing and its login hold. One question
// at a time and so many a minute: a page full of prices must not take an order's turn at the broker. Made by
// worker/ports.ts.
import pTimeout from 'p-timeout';
import type { SourcePrice } from '../../contracts/wire/price.js';
import type { Calendar } from '../../domain/market/calendarTypes.js';
import type { Contract } from '../../domain/market/contract.js';
import type { BrokerPort } from '../../ports/broker.js';
import type { Clock, MarketClock } from '../../ports/clocks.js';
import { KeelError, type ErrorClass } from '../../ports/errors.js';
import { sourceAwayMs, type PriceSource } from '../../ports/prices.js';
import { createMinuteBudget } from './budget.js';
import { createSilence } from './silence.js';

export interface BrokerPricesOptions {
  readonly broker: Pick<BrokerPort, 'resolveContract' | 'quote'>;
  readonly calendar: Calendar;
  readonly marketClock: MarketClock;
  readonly clock: Clock;
  /** For one price, the wait for its turn included. */
  readonly timeoutMs: number;
  /** Symbols asked within any minute. */
  readonly perMinute: number;
}

/** Contracts that are remembered: looking one up costs more than its price. */
const mostContracts = 500;

const failure = (
  symbol: string,
  code: string,
  words: string,
  errorClass: ErrorClass,
  facts: Record<string, number> = {},
): KeelError => new KeelError(code, `The broker: ${words}`, { errorClass, facts: { symbol, ...facts } });

export function createBrokerPrices(options: BrokerPricesOptions): PriceSource {
  const { clock, timeoutMs, perMinute } = options;
  const contracts = new Map<string, Contract>();
  const take = createMinuteBudget(clock, perMinute);
  const silence = createSilence();
  let turn: Promise<unknown> = Promise.resolve();

  const refuseMany = (symbol: string): void => {
    const restMs = take();
    if (restMs === null) return;
    const words = `it is asked for ${String(perMinute)} prices a minute at most, so that orders have their turn.`;
    throw failure(symbol, 'PRICE_LIMITED', words, 'retryable', { restMs });
  };
  const ask = async (symbol: string, deadline: number): Promise<SourcePrice> => {
    // Nobody waits for it any more.
    if (clock.now() >= deadline) throw late(symbol, timeoutMs, false);
    refuseMany(symbol);
    return askBroker(symbol).finally(silence.heard);
  };
  const askBroker = async (symbol: string): Promise<SourcePrice> => {
    const contract = contracts.get(symbol) ?? (await options.broker.resolveContract(symbol));
    if (contracts.size >= mostContracts) contracts.clear();
    contracts.set(symbol, contract);
    return priceOf(options, contract);
  };
  return {
    name: 'broker',
    price: (symbol) => {
      const deadline = clock.now() + timeoutMs;
      const asked = turn.then(() => ask(symbol, deadline)).catch(refusalOf(symbol));
      turn = asked.catch(() => undefined);
      const silent = silence.begin();
      return pTimeout(asked, {
        milliseconds: timeoutMs,
        fallback: () => {
          throw late(symbol, timeoutMs, silent());
        },
      });
    },
  };
}

/** The snapshot's own time is that of its delivery; what a prefix says of the price is surer, and outside the session the calendar. */
async function priceOf(
  { broker, calendar, marketClock }: BrokerPricesOptions,
  contract: Contract,
): Promise<SourcePrice> {
  const { symbol, currency } = contract;
  const { last, state } = await broker.quote(contract);
  if (state === 'halted') {
    const words = `trading in ${symbol} is halted, and it does not tell when the last price was made.`;
    throw failure(symbol, 'PRICE_HALTED', words, 'retryable');
  }
  const { now } = await marketClock.now();
  const trades = state === 'open' && calendar.openAt(now) !== null;
  const at = trades ? now : calendar.lastClosed(now).close;
  return { symbol, price: last, currency, at, previousClose: null, volume: null, marketCap: null };
}

/** @param silent it has answered nobody meanwhile; else the time went by in the queue, and it is there */
const late = (symbol: string, timeoutMs: number, silent: boolean): KeelError => {
  const words = `no price of ${symbol} within ${String(timeoutMs)} ms.`;
  return failure(symbol, 'PRICE_AWAY', words, 'retryable', silent ? { restMs: sourceAwayMs } : {});
};

/** The words of the broker's adapter are its own, and hold no secret. */
const refusalOf =
  (symbol: string) =>
  (error: unknown): never => {
    if (error instanceof RangeError) {
      // A day that the calendar does not know: how old a close is can not be told.
      throw failure(symbol, 'PRICE_UNREADABLE', `the price of ${symbol} has no date.`, 'retryable');
    }
    if (!(error instanceof KeelError) || error.code.startsWith('PRICE_')) throw error;
    if (error.code === 'UNKNOWN_SYMBOL') {
      throw failure(symbol, 'PRICE_UNKNOWN_SYMBOL', error.message, 'final');
    }
    const final = error.errorClass === 'final';
    throw failure(
      symbol,
      final ? 'PRICE_REFUSED' : 'PRICE_AWAY',
      error.message,
      final ? 'final' : 'retryable',
    );
  };
