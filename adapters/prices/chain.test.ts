import { describe, expect, it } from 'vitest';
import type { SourcePrice } from '../../contracts/wire/price.js';
import { createNyseCalendar } from '../../domain/market/nyse.js';
import { KeelError } from '../../ports/errors.js';
import type { PriceSource } from '../../ports/prices.js';
import { createMemoryCache } from '../memory/cache.js';
import { createPriceChain, type PriceChainOptions } from './chain.js';

const start = Date.UTC(2026, 0, 5, 12);
const inSession = '2014-07-08T15:00:00.000Z';

const priceOf = (symbol: string, changes: Partial<SourcePrice> = {}): SourcePrice => ({
  symbol,
  price: '95.97',
  currency: 'USD',
  at: '2014-07-08T14:59:00.000Z',
  previousClose: null,
  volume: null,
  marketCap: null,
  ...changes,
});

const failing = (code: string, facts: Record<string, number> = {}): KeelError =>
  new KeelError(code, `${code} of a source.`, {
    errorClass: code === 'PRICE_UNKNOWN_SYMBOL' ? 'final' : 'retryable',
    facts,
  });

/** A source whose answers the test sets. */
function source(name: PriceSource['name'], first: SourcePrice | KeelError) {
  const made = {
    asked: 0,
    says: first as SourcePrice | KeelError | Promise<SourcePrice>,
    name,
    price: async (symbol: string): Promise<SourcePrice> => {
      made.asked += 1;
      const said = await made.says;
      if (said instanceof KeelError) throw said;
      return { ...said, symbol };
    },
  };
  return made;
}

function chainOf(sources: readonly PriceSource[], changes: Partial<PriceChainOptions> = {}) {
  const time = { wall: start, market: inSession, step: 1 };
  const clock = { now: () => time.wall };
  const chain = createPriceChain({
    sources,
    cache: createMemoryCache(clock),
    clock,
    marketClock: { now: () => Promise.resolve({ now: time.market, step: time.step }) },
    calendar: createNyseCalendar(),
    currency: 'USD',
    freshMs: 60_000,
    keepMs: 86_400_000,
    ...changes,
  });
  return { chain, time };
}

describe('the chain of sources', () => {
  it('gives the first usable price, who said it, and its age', async () => {
    const [yahoo, alpha] = [source('yahoo', priceOf('AAPL')), source('alphavantage', priceOf('AAPL'))];
    const { chain } = chainOf([yahoo, alpha]);
    expect(await chain.price('AAPL')).toMatchObject({
      source: 'yahoo',
      ageMs: 60_000,
      freshness: 'live',
      reason: null,
      fetchedAt: '2026-01-05T12:00:00.000Z',
    });
    expect(alpha.asked).toBe(0);
  });

  it('asks once a minute, and at once when the market was stepped', async () => {
    const yahoo = source('yahoo', priceOf('AAPL'));
    const { chain, time } = chainOf([yahoo]);
    await chain.price('AAPL');
    time.wall += 59_999;
    await chain.price('AAPL');
    expect(yahoo.asked).toBe(1);
    time.wall += 1;
    await chain.price('AAPL');
    expect(yahoo.asked).toBe(2);
    time.step += 1;
    await chain.price('AAPL');
    expect(yahoo.asked).toBe(3);
  });

  it('asks once for a hundred who ask at the same time', async () => {
    const yahoo = source('yahoo', priceOf('AAPL'));
    const { chain } = chainOf([yahoo]);
    const answers = await Promise.all(Array.from({ length: 100 }, () => chain.price('AAPL')));
    expect(yahoo.asked).toBe(1);
    expect(new Set(answers.map(({ price }) => price))).toEqual(new Set(['95.97']));
  });

  it('goes on to the next source, and remembers who failed and who answered', async () => {
    const yahoo = source('yahoo', failing('PRICE_UNREADABLE'));
    const { chain } = chainOf([yahoo, source('alphavantage', priceOf('AAPL'))]);
    expect((await chain.price('AAPL')).source).toBe('alphavantage');
    expect(chain.memory()).toEqual([
      {
        source: 'yahoo',
        answeredAt: null,
        failedAt: '2026-01-05T12:00:00.000Z',
        failure: 'PRICE_UNREADABLE',
        restsUntil: null,
      },
      {
        source: 'alphavantage',
        answeredAt: '2026-01-05T12:00:00.000Z',
        failedAt: null,
        failure: null,
        restsUntil: null,
      },
    ]);
  });

  it('leaves a source alone for as long as its limit lasts', async () => {
    const yahoo = source('yahoo', failing('PRICE_LIMITED', { restMs: 300_000 }));
    const { chain, time } = chainOf([yahoo, source('alphavantage', priceOf('AAPL'))]);
    await chain.price('AAPL');
    yahoo.says = priceOf('AAPL');
    await chain.price('MSFT');
    expect(yahoo.asked).toBe(1);
    time.wall += 300_000;
    expect((await chain.price('IBM')).source).toBe('yahoo');
  });

  it('refuses another currency and asks on', async () => {
    const yahoo = source('yahoo', priceOf('TSCO', { currency: 'GBp' }));
    const { chain } = chainOf([yahoo, source('alphavantage', failing('PRICE_UNKNOWN_SYMBOL'))]);
    await expect(chain.price('TSCO')).rejects.toMatchObject({ code: 'PRICE_CURRENCY', errorClass: 'final' });
  });

  it('takes a price of an earlier session only when no source has a newer one, and says so', async () => {
    const yesterday = priceOf('AAPL', { at: '2014-07-07T20:00:00.000Z', price: '1' });
    const older = priceOf('AAPL', { at: '2014-07-03T17:00:00.000Z', price: '2' });
    const [yahoo, alpha] = [source('yahoo', older), source('alphavantage', priceOf('AAPL'))];
    const { chain } = chainOf([yahoo, alpha]);
    expect(await chain.price('AAPL')).toMatchObject({ price: '95.97', freshness: 'live' });
    alpha.says = yesterday;
    expect(await chain.price('MSFT')).toMatchObject({
      price: '1',
      source: 'alphavantage',
      freshness: 'old',
      reason: 'the price is of 2014-07-07T20:00:00.000Z, and no source has one of the last session',
    });
  });

  it('gives the last price as stale while nobody answers, with its age and the reason', async () => {
    const yahoo = source('yahoo', priceOf('AAPL'));
    const { chain, time } = chainOf([yahoo]);
    await chain.price('AAPL');
    yahoo.says = failing('PRICE_AWAY');
    time.wall += 3_600_000;
    time.market = '2014-07-08T16:00:00.000Z';
    expect(await chain.price('AAPL')).toMatchObject({
      price: '95.97',
      freshness: 'stale',
      ageMs: 3_660_000,
      reason: 'No source gives a price of AAPL now. PRICE_AWAY of a source.',
    });
    time.wall += 86_400_000;
    await expect(chain.price('AAPL')).rejects.toMatchObject({ code: 'PRICES_AWAY', errorClass: 'retryable' });
  });

  it('knows a symbol that nobody has from one that nobody can look up now', async () => {
    const yahoo = source('yahoo', failing('PRICE_UNKNOWN_SYMBOL'));
    const alpha = source('alphavantage', failing('PRICE_UNKNOWN_SYMBOL'));
    const { chain } = chainOf([yahoo, alpha]);
    await expect(chain.price('NOPE')).rejects.toMatchObject({ code: 'PRICE_UNKNOWN_SYMBOL' });
    alpha.says = failing('PRICE_AWAY');
    await expect(chain.price('NOPE')).rejects.toMatchObject({ code: 'PRICES_AWAY' });
  });

  it('answers a batch with what there is and why the rest is not, each symbol once', async () => {
    const yahoo = source('yahoo', priceOf('AAPL'));
    const known = yahoo.price;
    yahoo.price = (symbol) =>
      symbol === 'NOPE' ? Promise.reject(failing('PRICE_UNKNOWN_SYMBOL')) : known(symbol);
    const { chain } = chainOf([yahoo]);
    const batch = await chain.batch(['MSFT', 'NOPE', 'AAPL', 'IBM', 'MSFT', 'SPY']);
    expect(batch.prices.map(({ symbol }) => symbol)).toEqual(['MSFT', 'AAPL', 'IBM', 'SPY']);
    expect(batch.problems).toEqual([
      { symbol: 'NOPE', code: 'PRICE_UNKNOWN_SYMBOL', detail: 'PRICE_UNKNOWN_SYMBOL of a source.' },
    ]);
  });

  it('takes an entry that it can not read for none', async () => {
    const cache = createMemoryCache({ now: () => start });
    await cache.set('stock:AAPL', '{"price":1}', 60_000);
    const { chain } = chainOf([source('yahoo', priceOf('AAPL'))], { cache });
    expect((await chain.price('AAPL')).price).toBe('95.97');
  });
});

describe('the cache of a process', () => {
  it('keeps an entry for its time, and makes room by its oldest', async () => {
    let now = start;
    const cache = createMemoryCache({ now: () => now }, 2);
    await cache.set('a', '1', 100);
    await cache.set('b', '2', 100);
    await cache.set('a', '3', 100);
    await cache.set('c', '4', 100);
    expect([await cache.get('a'), await cache.get('b'), await cache.get('c')]).toEqual(['3', null, '4']);
    now += 100;
    expect(await cache.get('a')).toBeNull();
  });
});
