import { describe, expect, it } from 'vitest';
import type { SourcePrice } from '../../contracts/wire/price.js';
import { createNyseCalendar } from '../../domain/market/nyse.js';
import { KeelError } from '../../ports/errors.js';
import { forMarket, type PriceSource } from '../../ports/prices.js';
import { createMemoryCache } from '../memory/cache.js';
import { withBudget } from './budget.js';
import { createPriceChain, type PriceChainOptions } from './chain.js';

/** A Tuesday in the session. */
const start = Date.UTC(2014, 6, 8, 15);

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
  /** The market's clock is the machine's, until it is simulated at another time. */
  const time = { wall: start, market: null as string | null, step: 1 };
  const clock = { now: () => time.wall };
  const chain = createPriceChain({
    mode: 'simulated',
    sources,
    cache: createMemoryCache(clock),
    clock,
    marketClock: {
      now: () => Promise.resolve({ now: time.market ?? new Date(time.wall).toISOString(), step: time.step }),
    },
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
      fetchedAt: '2014-07-08T15:00:00.000Z',
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
        failedAt: '2014-07-08T15:00:00.000Z',
        failure: 'PRICE_UNREADABLE',
        restsUntil: null,
      },
      {
        source: 'alphavantage',
        answeredAt: '2014-07-08T15:00:00.000Z',
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
      reason: 'The price is of 2014-07-07T20:00:00.000Z, and no source has a newer one.',
    });
  });

  it('gives the last price as stale while nobody answers, with its age and the reason', async () => {
    const yahoo = source('yahoo', priceOf('AAPL'));
    const { chain, time } = chainOf([yahoo]);
    await chain.price('AAPL');
    yahoo.says = failing('PRICE_AWAY');
    time.wall += 3_600_000;
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
    await expect(chain.price('NEVER')).rejects.toMatchObject({ code: 'PRICES_AWAY' });
  });

  it('asks once a minute for a symbol that nobody has, and again when other sources are set', async () => {
    const yahoo = source('yahoo', failing('PRICE_UNKNOWN_SYMBOL'));
    const cache = createMemoryCache({ now: () => start });
    const { chain, time } = chainOf([yahoo], { cache });
    for (let index = 0; index < 3; index += 1) {
      await expect(chain.price('NOPE')).rejects.toMatchObject({ code: 'PRICE_UNKNOWN_SYMBOL' });
    }
    expect(yahoo.asked).toBe(1);
    time.step += 1;
    await expect(chain.price('NOPE')).rejects.toMatchObject({ code: 'PRICE_UNKNOWN_SYMBOL' });
    expect(yahoo.asked).toBe(2);
    const other = chainOf([yahoo, source('alphavantage', priceOf('NOPE'))], { cache });
    other.time.step = 2;
    expect((await other.chain.price('NOPE')).source).toBe('alphavantage');
  });

  it('does not wait again, for any symbol, for a source that did not answer a moment ago', async () => {
    const yahoo = source('yahoo', failing('PRICE_AWAY', { restMs: 10_000 }));
    const { chain, time } = chainOf([yahoo]);
    const symbols = Array.from({ length: 100 }, (_value, index) => `S${String(index)}`);
    const { problems } = await chain.batch(symbols);
    expect(yahoo.asked).toBe(4);
    expect(problems).toHaveLength(100);
    expect(problems[99]?.detail).toMatch(/yahoo is left alone until 2014-07-08T15:00:10.000Z \(PRICE_AWAY\)/);
    time.wall += 10_000;
    expect(chain.memory()[0]?.restsUntil).toBeNull();
    yahoo.says = priceOf('S1');
    expect((await chain.price('S1')).freshness).toBe('live');
  });

  it('keeps the later of two rests, also when the answer of an older question comes after the limit', async () => {
    const yahoo = source('yahoo', failing('PRICE_LIMITED', { restMs: 300_000 }));
    const { chain } = chainOf([yahoo]);
    let answer: ((price: SourcePrice) => void) | undefined;
    let giveUp: ((error: KeelError) => void) | undefined;
    yahoo.says = new Promise<SourcePrice>((resolve) => (answer = resolve));
    const slow = chain.price('SLOW');
    await expect.poll(() => yahoo.asked).toBe(1);
    yahoo.says = new Promise<SourcePrice>((_resolve, reject) => (giveUp = reject));
    const hanging = chain.price('HANGING');
    const refused = expect(hanging).rejects.toMatchObject({ code: 'PRICES_AWAY' });
    await expect.poll(() => yahoo.asked).toBe(2);
    yahoo.says = failing('PRICE_LIMITED', { restMs: 300_000 });
    await expect(chain.price('LIMITED')).rejects.toMatchObject({ code: 'PRICES_AWAY' });
    answer?.(priceOf('SLOW'));
    giveUp?.(failing('PRICE_AWAY', { restMs: 10_000 }));
    expect((await slow).price).toBe('95.97');
    await refused;
    await expect(chain.price('NEXT')).rejects.toMatchObject({ code: 'PRICES_AWAY' });
    expect(yahoo.asked).toBe(3);
    expect(chain.memory()).toMatchObject([
      { failure: 'PRICE_LIMITED', restsUntil: '2014-07-08T15:05:00.000Z' },
    ]);
  });

  it('begins no more symbols of a batch once its time is over, and names them', async () => {
    const yahoo = source('yahoo', priceOf('AAPL'));
    const { chain, time } = chainOf([yahoo]);
    const prompt = yahoo.price;
    yahoo.price = (symbol) => {
      time.wall += 2_000;
      return prompt(symbol);
    };
    const symbols = Array.from({ length: 40 }, (_value, index) => `S${String(index)}`);
    const { prices, problems } = await chain.batch(symbols);
    expect([prices.length, problems.length]).toEqual([12, 28]);
    expect(problems[0]).toMatchObject({ symbol: 'S12', code: 'PRICES_LATE' });
  });

  it('does not show a price of a source that it does not have: it is of another Keel on the same Redis', async () => {
    const cache = createMemoryCache({ now: () => start });
    const replayed = priceOf('AAPL', { price: '1' });
    await chainOf([source('replay', replayed)], { cache }).chain.price('AAPL');
    const yahoo = source('yahoo', priceOf('AAPL'));
    const { chain } = chainOf([yahoo], { cache });
    expect(await chain.price('AAPL')).toMatchObject({ source: 'yahoo', price: '95.97' });
    await chainOf([source('replay', replayed)], { cache }).chain.price('MSFT');
    yahoo.says = failing('PRICE_AWAY');
    await expect(chain.price('MSFT')).rejects.toMatchObject({ code: 'PRICES_AWAY' });
  });

  it('asks the next source where a price is of a time to come, and refuses it where there is none', async () => {
    const ahead = source('yahoo', priceOf('AAPL', { price: '1', at: '2014-07-08T20:30:00.000Z' }));
    const right = source('alphavantage', priceOf('AAPL'));
    expect((await chainOf([ahead, right]).chain.price('AAPL')).source).toBe('alphavantage');
    await expect(chainOf([ahead]).chain.price('AAPL')).rejects.toMatchObject({
      code: 'PRICES_AWAY',
      message: expect.stringContaining('2014-07-08T20:30:00.000Z, which is to come') as string,
    });
  });

  it('shares nothing with a Keel of another mode on the same Redis, whose source may have the same name', async () => {
    const cache = createMemoryCache({ now: () => start });
    const replayed = source('broker', priceOf('AAPL', { price: '1' }));
    await chainOf([replayed], { cache }).chain.price('AAPL');
    const broker = source('broker', priceOf('AAPL'));
    const { chain } = chainOf([broker], { cache, mode: 'paper' });
    expect((await chain.price('AAPL')).price).toBe('95.97');
    await chainOf([replayed], { cache }).chain.price('MSFT');
    broker.says = failing('PRICE_AWAY');
    await expect(chain.price('MSFT')).rejects.toMatchObject({ code: 'PRICES_AWAY' });
    replayed.says = failing('PRICE_UNKNOWN_SYMBOL');
    await expect(chainOf([replayed], { cache }).chain.price('IBM')).rejects.toMatchObject({
      code: 'PRICE_UNKNOWN_SYMBOL',
    });
    broker.says = priceOf('IBM');
    expect((await chain.price('IBM')).price).toBe('95.97');
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

describe('the budget of a source', () => {
  it('is so many questions within any minute, and what is beyond it does not go out', async () => {
    const yahoo = source('yahoo', priceOf('AAPL'));
    const time = { wall: start };
    const { chain } = chainOf([withBudget(yahoo, { now: () => time.wall }, { perMinute: 2 })]);
    const batch = await chain.batch(['A', 'B', 'C', 'D']);
    expect(yahoo.asked).toBe(2);
    expect(batch.problems.map(({ symbol }) => symbol)).toEqual(['C', 'D']);
    expect(batch.problems[0]?.detail).toMatch(/2 prices a minute at most/);
    expect(chain.memory()[0]).toMatchObject({ restsUntil: '2014-07-08T15:01:00.000Z' });
  });

  it('is of a day too, where it has a figure', async () => {
    const alpha = source('alphavantage', priceOf('AAPL'));
    const time = { wall: start };
    const { chain } = chainOf([withBudget(alpha, { now: () => time.wall }, { perMinute: 2, perDay: 3 })]);
    for (const symbol of ['A', 'B', 'C']) {
      await chain.price(symbol);
      time.wall += 60_000;
    }
    expect((await chain.batch(['D'])).problems[0]?.detail).toMatch(/2 prices a minute and 3 a day at most/);
    expect(alpha.asked).toBe(3);
  });

  it('is nobody’s alone: an asker who has had his half leaves the rest to others, and the source at work', async () => {
    const yahoo = source('yahoo', priceOf('AAPL'));
    const { chain } = chainOf([withBudget(yahoo, { now: () => start }, { perMinute: 4 })]);
    const invented = ['A1', 'A2', 'A3', 'A4', 'A5', 'A6', 'A7', 'A8'];
    const { prices, problems } = await chain.batch(invented, 'maria');
    expect([prices.length, problems.length, yahoo.asked]).toEqual([2, 6, 2]);
    expect(problems[0]?.detail).toMatch(/you have had your half of it/);
    expect(chain.memory()[0]).toMatchObject({ failure: null, restsUntil: null });
    expect((await chain.price('AAPL', 'anna')).price).toBe('95.97');
    // What Keel asks by itself is nobody's.
    expect((await chain.price('MSFT')).price).toBe('95.97');
    await expect(chain.price('IBM', 'anna')).rejects.toThrow(/4 prices a minute at most\./);
  });

  it('gives who joins a question his own answer where the first asker has had his half', async () => {
    const yahoo = source('yahoo', priceOf('AAPL'));
    const { chain } = chainOf([withBudget(yahoo, { now: () => start }, { perMinute: 4 })]);
    await chain.batch(['A1', 'A2'], 'maria');
    const [marias, annas, keels] = await Promise.allSettled([
      chain.price('AAPL', 'maria'),
      chain.price('AAPL', 'anna'),
      chain.price('AAPL'),
    ]);
    expect(marias).toMatchObject({ status: 'rejected', reason: { code: 'PRICE_SHARE' } });
    expect([annas, keels].map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled']);
    // One question for both of them.
    expect(yahoo.asked).toBe(3);
  });
});

describe('a symbol that one source does not know', () => {
  it('is unknown also where the asker has had his part of the other, and is not kept as such for others', async () => {
    const yahoo = source('yahoo', failing('PRICE_UNKNOWN_SYMBOL'));
    const alpha = source('alphavantage', priceOf('AAPL'));
    const { chain } = chainOf([yahoo, withBudget(alpha, { now: () => start }, { perMinute: 2 })]);
    await chain.price('A1', 'maria');
    await expect(chain.price('ZZZZ', 'maria')).rejects.toMatchObject({
      code: 'PRICE_UNKNOWN_SYMBOL',
      message: expect.stringContaining('PRICE_UNKNOWN_SYMBOL of a source.') as string,
    });
    expect((await chain.price('ZZZZ', 'anna')).source).toBe('alphavantage');
  });
});

describe('a batch from a source that takes many at once', () => {
  /** A broker that says of each symbol what stands here, and a price of all others. */
  const manyAtOnce = (says: Record<string, KeelError> = {}) => {
    const alone = source('broker', priceOf('AAPL'));
    const batches: (readonly string[])[] = [];
    const prices = (symbols: readonly string[]) => {
      batches.push(symbols);
      return Promise.resolve(new Map(symbols.map((symbol) => [symbol, says[symbol] ?? priceOf(symbol)])));
    };
    return { broker: { ...alone, prices } satisfies PriceSource, alone, batches };
  };
  const symbols = ['A1', 'A2', 'A3', 'A4', 'A5', 'A6'];

  it('is one question, of what is not kept', async () => {
    const { broker, alone, batches } = manyAtOnce();
    const { chain } = chainOf([broker]);
    await chain.price('A2');
    const { prices, problems } = await chain.batch(symbols);
    expect(prices.map(({ symbol }) => symbol)).toEqual(symbols);
    expect([problems, batches, alone.asked]).toEqual([[], [['A1', 'A3', 'A4', 'A5', 'A6']], 1]);
    await chain.batch(symbols);
    expect(batches).toHaveLength(1);
  });

  it('leaves each symbol its own error, and lets the next source answer that alone', async () => {
    const limited = failing('PRICE_LIMITED', { restMs: 30_000 });
    const { broker } = manyAtOnce({ A1: limited, A2: failing('PRICE_UNKNOWN_SYMBOL') });
    const yahoo = source('yahoo', failing('PRICE_UNKNOWN_SYMBOL'));
    const { chain } = chainOf([broker, yahoo]);
    const { prices, problems } = await chain.batch(symbols);
    expect(prices.map(({ symbol }) => symbol)).toEqual(['A3', 'A4', 'A5', 'A6']);
    expect(problems).toMatchObject([
      { symbol: 'A1', code: 'PRICES_AWAY' },
      { symbol: 'A2', code: 'PRICE_UNKNOWN_SYMBOL' },
    ]);
    expect(yahoo.asked).toBe(2);
    expect(chain.memory()[0]).toMatchObject({ source: 'broker', failure: 'PRICE_LIMITED' });
  });

  it('goes to it as soon as those before it are left alone', async () => {
    const { broker, alone, batches } = manyAtOnce();
    const yahoo = source('yahoo', failing('PRICE_AWAY', { restMs: 10_000 }));
    const { prices } = await chainOf([yahoo, broker]).chain.batch(symbols);
    expect([prices.length, yahoo.asked, alone.asked, batches]).toEqual([6, 4, 4, [['A5', 'A6']]]);
  });

  it('gives each symbol its own problem while the clock of the market is away', async () => {
    const { broker } = manyAtOnce();
    const away = new KeelError('CLOCK_AWAY', 'no clock', { errorClass: 'retryable' });
    const { chain } = chainOf([broker], { marketClock: { now: () => Promise.reject(away) } });
    const { prices, problems } = await chain.batch(symbols);
    expect(prices).toEqual([]);
    expect(problems).toEqual(symbols.map((symbol) => ({ symbol, code: 'CLOCK_AWAY', detail: 'no clock' })));
  });

  it('is not kept as of a step that the market has taken since', async () => {
    const { broker, alone } = manyAtOnce();
    alone.says = priceOf('AAPL', { price: '96' });
    const known = broker.prices;
    const stepping = { ...broker, prices: (asked: readonly string[]) => ((time.step += 1), known(asked)) };
    const { chain, time } = chainOf([stepping]);
    const { prices } = await chain.batch(['A1', 'A2']);
    expect(prices.map(({ price }) => price)).toEqual(['96', '96']);
    expect((await chain.price('A1')).price).toBe('96');
  });

  it('is one question of the budget too', async () => {
    const { broker, batches } = manyAtOnce();
    const { chain, time } = chainOf([withBudget(broker, { now: () => start }, { perMinute: 1 })]);
    expect((await chain.batch(symbols)).prices).toHaveLength(6);
    time.wall += 60_000;
    const { prices, problems } = await chain.batch(['B1', 'B2']);
    expect([prices.length, problems.length, batches.length]).toEqual([0, 2, 1]);
    expect(problems[0]?.detail).toMatch(/1 prices a minute at most/);
  });
});

describe('a price of today beside a simulated market of the past', () => {
  const beside = (sources: readonly PriceSource[]) => {
    const made = chainOf(sources);
    made.time.wall = Date.UTC(2026, 0, 5, 15);
    made.time.market = '2014-07-08T15:00:00.000Z';
    return made;
  };
  const today = priceOf('AAPL', { price: '267.26', at: '2026-01-05T14:58:00.000Z' });

  it('has the age that it has today, and says that nothing is to be valued by it, and what to set', async () => {
    const price = await beside([source('yahoo', today)]).chain.price('AAPL');
    expect(price).toMatchObject({ ageMs: 120_000, freshness: 'live', ofMarket: false });
    expect(price.reason).toBe(
      'Its clock is that of today, 2026-01-05T15:00:00.000Z, and the simulated market stands at 2014-07-08T15:00:00.000Z: ' +
        'nothing there may be valued or sized by it. Of prices.chain (KEEL_PRICE_CHAIN) only replay and broker have prices ' +
        'of that market.',
    );
    expect(() => forMarket(price)).toThrow(
      expect.objectContaining({
        code: 'PRICE_OF_OTHER_TIME',
        errorClass: 'final',
        message: `AAPL is not valued by the price that yahoo gives: ${price.reason ?? ''}`,
      }),
    );
  });

  it('is asked for only where the market has none of its own, whatever the order', async () => {
    const [yahoo, replay] = [source('yahoo', today), source('replay', priceOf('AAPL'))];
    const { chain } = beside([yahoo, replay]);
    const price = await chain.price('AAPL');
    expect(price).toMatchObject({ source: 'replay', ageMs: 60_000, ofMarket: true, reason: null });
    expect(forMarket(price)).toBe(price);
    expect(yahoo.asked).toBe(0);
    replay.says = failing('PRICE_UNKNOWN_SYMBOL');
    expect(await chain.price('MSFT')).toMatchObject({ source: 'yahoo', ofMarket: false });
    replay.says = priceOf('IBM', { at: '2014-07-03T17:00:00.000Z' });
    expect(await chain.price('IBM')).toMatchObject({ source: 'replay', freshness: 'old', ofMarket: true });
  });

  it('is old, stale or of a time to come by the clock of today', async () => {
    const yahoo = source('yahoo', { ...today, at: '2026-01-02T20:00:00.000Z' });
    const { chain, time } = beside([yahoo]);
    // A Monday fifteen minutes after the open.
    time.wall = Date.UTC(2026, 0, 5, 14, 45);
    expect(await chain.price('AAPL')).toMatchObject({
      ...{ freshness: 'live', ageMs: 66.75 * 3_600_000, ofMarket: false },
    });
    time.wall += 30 * 60_000;
    expect(await chain.price('AAPL')).toMatchObject({ freshness: 'old', ofMarket: false });
    yahoo.says = failing('PRICE_AWAY');
    time.wall += 60_000;
    const stale = await chain.price('AAPL');
    expect(stale).toMatchObject({ freshness: 'stale', ofMarket: false });
    expect(stale.reason).toMatch(
      /^No source gives a price of AAPL now\. .* the simulated market stands at 2014/,
    );
    yahoo.says = { ...today, at: '2026-01-05T16:00:00.000Z' };
    await expect(chain.price('MSFT')).rejects.toThrow(/which is to come: it is 2026-01-05T15:16:00.000Z/);
  });

  it('is of the market again, from the cache too, once that has come to its time', async () => {
    const yahoo = source('yahoo', today);
    const { chain, time } = beside([yahoo]);
    expect((await chain.price('AAPL')).ofMarket).toBe(false);
    time.market = '2026-01-05T15:00:00.000Z';
    expect(await chain.price('AAPL')).toMatchObject({ ofMarket: true, reason: null });
    expect(yahoo.asked).toBe(1);
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
