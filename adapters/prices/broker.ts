// Prices of the broker's own snapshot, over the worker's broker port, so that its pacing and its login hold. One question
// at a time, for one symbol or for many, and so many a minute: a page full of prices must not take an order's turn at the
// broker. Made by worker/ports.ts.
import pTimeout from 'p-timeout';
import type { SourcePrice } from '../../contracts/wire/price.js';
import type { Calendar } from '../../domain/market/calendarTypes.js';
import type { Contract } from '../../domain/market/contract.js';
import type { QuoteFacts } from '../../domain/risk/types.js';
import type { BrokerPort } from '../../ports/broker.js';
import type { Clock, MarketClock } from '../../ports/clocks.js';
import { KeelError, type ErrorClass } from '../../ports/errors.js';
import { sourceAwayMs, type PriceSource } from '../../ports/prices.js';
import { createMinuteBudget } from './budget.js';
import { createSilence } from './silence.js';

export interface BrokerPricesOptions {
  readonly broker: Pick<BrokerPort, 'resolveContract' | 'quote' | 'quotes' | 'mostQuotes'>;
  readonly calendar: Calendar;
  readonly marketClock: MarketClock;
  readonly clock: Clock;
  /** For one price, the wait for its turn included; of many at once for their contracts, and again for their snapshot. */
  readonly timeoutMs: number;
  /** Questions within any minute: one price, the contract of one of many symbols, and the snapshot of many. */
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

  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const done = turn.then(work);
    turn = done.catch(() => undefined);
    return done;
  };
  const refuseMany = (symbol: string): void => {
    const restMs = take();
    if (restMs !== null) throw limited(symbol, perMinute, restMs);
  };
  const contractOf = async (symbol: string): Promise<Contract> => {
    const contract = contracts.get(symbol) ?? (await options.broker.resolveContract(symbol));
    if (contracts.size >= mostContracts) contracts.clear();
    contracts.set(symbol, contract);
    return contract;
  };
  const askOne = async (symbol: string, deadline: number): Promise<SourcePrice> => {
    // Nobody waits for it any more.
    if (clock.now() >= deadline) throw late(symbol, timeoutMs, false);
    refuseMany(symbol);
    return contractOf(symbol)
      .then(async (contract) => priceOf(options, contract, await options.broker.quote(contract)))
      .finally(silence.heard);
  };
  /** Each contract is looked up in a turn of its own, so that whoever asks for one price need not wait for all of them. */
  const lookUp = (symbol: string, deadline: number): Contract | Promise<Contract> =>
    contracts.get(symbol) ??
    inTurn(() => {
      if (clock.now() >= deadline) throw late(symbol, timeoutMs, false);
      refuseMany(symbol);
      return contractOf(symbol).finally(silence.heard);
    });
  const desk: Desk = { ...options, take, inTurn, lookUp, heard: silence.heard };
  return {
    name: 'broker',
    price: (symbol) => {
      const deadline = clock.now() + timeoutMs;
      const asked = inTurn(() => askOne(symbol, deadline)).catch((error: unknown) => {
        throw refusalOf(symbol, error);
      });
      const silent = silence.begin();
      return pTimeout(asked, {
        milliseconds: timeoutMs,
        fallback: () => {
          throw late(symbol, timeoutMs, silent());
        },
      });
    },
    prices: async (symbols) => {
      const answers = new Map<string, SourcePrice | KeelError>();
      const silent = silence.begin();
      await pTimeout(askMany(desk, symbols, answers), {
        milliseconds: 2 * timeoutMs,
        fallback: () => undefined,
      });
      // What comes later is nobody's any more.
      return new Map(
        symbols.map((symbol) => [symbol, answers.get(symbol) ?? late(symbol, 2 * timeoutMs, silent())]),
      );
    },
  };
}

/** What a question about many symbols is made of. */
interface Desk extends BrokerPricesOptions {
  readonly take: () => number | null;
  readonly inTurn: <T>(work: () => Promise<T>) => Promise<T>;
  readonly lookUp: (symbol: string, deadline: number) => Contract | Promise<Contract>;
  readonly heard: () => void;
}

/** The contracts that are not known, then one snapshot. Writes down each answer as it comes. */
async function askMany(
  desk: Desk,
  symbols: readonly string[],
  answers: Map<string, SourcePrice | KeelError>,
): Promise<void> {
  const { broker, clock, timeoutMs, perMinute, take, inTurn, lookUp, heard } = desk;
  const deadline = clock.now() + timeoutMs;
  const restMs = take();
  if (restMs !== null) {
    for (const symbol of symbols) answers.set(symbol, limited(symbol, perMinute, restMs));
    return;
  }
  const found: Contract[] = [];
  for (const symbol of symbols) {
    try {
      if (found.length >= broker.mostQuotes) throw tooMany(symbol, broker.mostQuotes);
      found.push(await lookUp(symbol, deadline));
    } catch (error) {
      answers.set(symbol, refusalOf(symbol, error));
    }
  }
  if (found.length === 0) return;
  const quotes = await inTurn(() => {
    const isWanted = clock.now() < deadline + timeoutMs;
    return isWanted ? broker.quotes(found).finally(heard) : Promise.resolve(new Map<string, never>());
  }).catch((error: unknown) => (error instanceof KeelError ? error : Promise.reject(error as Error)));
  for (const contract of found) {
    const { symbol, conid } = contract;
    const said = quotes instanceof KeelError ? quotes : quotes.get(conid);
    if (said === undefined) continue;
    const price =
      said instanceof KeelError ? Promise.reject<SourcePrice>(said) : priceOf(desk, contract, said);
    answers.set(symbol, await price.catch((error: unknown) => refusalOf(symbol, error)));
  }
}

/** The snapshot's own time is that of its delivery; what a prefix says of the price is surer, and outside the session the calendar. */
async function priceOf(
  { calendar, marketClock }: BrokerPricesOptions,
  { symbol, currency }: Contract,
  { last, state }: QuoteFacts,
): Promise<SourcePrice> {
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

const limited = (symbol: string, perMinute: number, restMs: number): KeelError => {
  const words = `it is asked for ${String(perMinute)} prices a minute at most, so that orders have their turn.`;
  return failure(symbol, 'PRICE_LIMITED', words, 'retryable', { restMs });
};

/** No rest: the source goes on for all others. */
const tooMany = (symbol: string, most: number): KeelError => {
  const words =
    `it gives prices of ${String(most)} symbols at once and ${symbol} is beyond them; trade and hold fewer, or put another ` +
    'source before it into prices.chain (KEEL_PRICE_CHAIN).';
  return failure(symbol, 'PRICE_LIMITED', words, 'retryable');
};

/** The words of the broker's adapter are its own, and hold no secret. @throws what is a defect */
function refusalOf(symbol: string, error: unknown): KeelError {
  if (error instanceof RangeError) {
    // A day that the calendar does not know: how old a close is can not be told.
    return failure(symbol, 'PRICE_UNREADABLE', `the price of ${symbol} has no date.`, 'retryable');
  }
  if (!(error instanceof KeelError)) throw error;
  if (error.code.startsWith('PRICE_')) return error;
  if (error.code === 'UNKNOWN_SYMBOL') {
    return failure(symbol, 'PRICE_UNKNOWN_SYMBOL', error.message, 'final');
  }
  const final = error.errorClass === 'final';
  return failure(
    symbol,
    final ? 'PRICE_REFUSED' : 'PRICE_AWAY',
    error.message,
    final ? 'final' : 'retryable',
  );
}
