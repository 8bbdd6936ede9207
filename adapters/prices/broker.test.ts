// The broker's snapshot as a source of prices: the IBKR adapter over real https, against a gateway that answers as told.
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createNyseCalendar } from '../../domain/market/nyse.js';
import type { BrokerPort } from '../../ports/broker.js';
import type { QuoteFacts } from '../../domain/risk/types.js';
import { KeelError } from '../../ports/errors.js';
import type { SourceBatch } from '../../ports/prices.js';
import type { IbkrGateway } from '../ibkr/gateway.js';
import { connectTo } from '../ibkr/testing/connect.js';
import {
  makeCertificate,
  recorded,
  startTestGateway,
  type Certificate,
  type TestGateway,
} from '../ibkr/testing/gateway.js';
import { createBrokerPrices } from './broker.js';

let certificate: Certificate;
let gateway: TestGateway;
let ibkr: IbkrGateway;
/** A Tuesday: the market opens at 13:30 and closes at 20:00. */
let market = '2014-07-08T15:00:00.000Z';
let wall = Date.UTC(2026, 0, 5, 12);

const sourceOf = (
  broker: Pick<BrokerPort, 'resolveContract' | 'quote'> & Partial<BrokerPort>,
  timeoutMs = 5000,
  perMinute = 3,
) =>
  createBrokerPrices({
    broker: { quotes: () => Promise.reject(new Error('not asked')), mostQuotes: 80, ...broker },
    calendar: createNyseCalendar(),
    marketClock: { now: () => Promise.resolve({ now: market, step: 1 }) },
    clock: { now: () => wall },
    timeoutMs,
    perMinute,
  });

const snapshot = 'GET /iserver/marketdata/snapshot';
const says = (last: string, availability: string): void => {
  gateway.on(snapshot, { json: [{ conid: 265598, '31': last, '6509': availability }] });
};

beforeAll(async () => {
  certificate = await makeCertificate();
});
beforeEach(async () => {
  market = '2014-07-08T15:00:00.000Z';
  wall = Date.UTC(2026, 0, 5, 12);
  gateway = await startTestGateway(certificate);
  gateway.on('GET /trsrv/stocks', { json: recorded('stocks') });
  gateway.on('GET /trsrv/secdef', { json: recorded('secdef') });
  gateway.on('POST /iserver/contract/rules', { json: recorded('contract-rules') });
  ibkr = connectTo(gateway);
});
afterEach(async () => {
  ibkr.close();
  await gateway.close();
});

describe("the broker's price", () => {
  it('is of now while the market trades', async () => {
    says('260.99', 'RpB');
    expect(await sourceOf(ibkr.broker).price('AAPL')).toEqual({
      ...{ symbol: 'AAPL', price: '260.99', currency: 'USD', at: market },
      ...{ previousClose: null, volume: null, marketCap: null },
    });
  });

  it.each([
    ['after the close', '2014-07-08T21:00:00.000Z', '2014-07-08T20:00:00.000Z'],
    ['before the open', '2014-07-08T12:00:00.000Z', '2014-07-07T20:00:00.000Z'],
    ['on a Sunday', '2014-07-06T12:00:00.000Z', '2014-07-03T17:00:00.000Z'],
    // The gateway still gives the close of the day before: no price of this session.
    ['in the session', '2014-07-08T15:00:00.000Z', '2014-07-07T20:00:00.000Z'],
  ])('with the prefix of a close is of the last close: %s', async (_when, now, at) => {
    market = now;
    says('C260.99', 'DPB');
    expect(await sourceOf(ibkr.broker).price('AAPL')).toMatchObject({ price: '260.99', at });
  });

  it.each([
    ['halted', 'H260.99', 'RpB', 'PRICE_HALTED', /halted/],
    ['delayed', '260.99', 'DPB', 'PRICE_AWAY', /not real time \(availability DPB\)/],
    ['not subscribed', '260.99', 'N', 'PRICE_AWAY', /availability N/],
    ['no number', 'n/a', 'R', 'PRICE_AWAY', /no price/],
  ])(
    'that is %s is refused, and another source may have one',
    async (_what, last, availability, code, words) => {
      says(last, availability);
      const asked = sourceOf(ibkr.broker).price('AAPL');
      await expect(asked).rejects.toMatchObject({ code, errorClass: 'retryable' });
      await expect(asked).rejects.toThrow(words);
    },
  );

  it('is of the last close while no session is open, also where no prefix says so', async () => {
    market = '2014-07-12T15:00:00.000Z';
    says('260.99', 'RpB');
    expect(await sourceOf(ibkr.broker).price('AAPL')).toMatchObject({ at: '2014-07-11T20:00:00.000Z' });
  });

  it('has no date on a day that the calendar does not know', async () => {
    market = '2040-01-05T15:00:00.000Z';
    says('C260.99', 'R');
    await expect(sourceOf(ibkr.broker).price('AAPL')).rejects.toMatchObject({ code: 'PRICE_UNREADABLE' });
  });

  it('of a symbol that the broker does not know is nobody else’s fault', async () => {
    gateway.on('GET /trsrv/stocks', { json: {} });
    await expect(sourceOf(ibkr.broker).price('ZZZZ')).rejects.toMatchObject({
      code: 'PRICE_UNKNOWN_SYMBOL',
      errorClass: 'final',
    });
  });

  it('is away without a login, and the words are those of the session', async () => {
    gateway.on('POST /iserver/auth/status', { status: 401, text: 'Access Denied' });
    const asked = sourceOf(ibkr.broker).price('AAPL');
    await expect(asked).rejects.toMatchObject({ code: 'PRICE_AWAY', errorClass: 'retryable' });
    await expect(asked).rejects.toThrow(/log in/);
  });

  it('takes the contract from memory the second time', async () => {
    says('260.99', 'R');
    const source = sourceOf(ibkr.broker);
    await source.price('AAPL');
    await source.price('AAPL');
    expect(gateway.to('GET /trsrv/secdef')).toHaveLength(1);
    expect(gateway.to(snapshot)).toHaveLength(2);
  });
});

describe('many prices at once', () => {
  /** A broker that knows every symbol but those that a test names. */
  const brokerOf = async (change: Partial<BrokerPort> = {}) => {
    const aapl = await ibkr.broker.resolveContract('AAPL');
    const asked = { contracts: [] as string[], quotes: [] as (readonly string[])[] };
    const broker = {
      mostQuotes: 80,
      resolveContract: (symbol: string) => {
        asked.contracts.push(symbol);
        return Promise.resolve({ ...aapl, symbol, conid: `conid of ${symbol}` });
      },
      quote: () => Promise.reject(new Error('not asked')),
      quotes: (contracts: readonly { readonly conid: string; readonly symbol: string }[]) => {
        asked.quotes.push(contracts.map(({ symbol }) => symbol));
        return Promise.resolve(
          new Map(contracts.map(({ conid }) => [conid, { last: '260.99', state: 'open' as const }])),
        );
      },
      ...change,
    };
    return { broker, asked };
  };
  const codes = (batch: SourceBatch | undefined) =>
    [...(batch ?? [])].map(([symbol, said]) => [symbol, 'price' in said ? said.price : said.code]);

  it('are one snapshot over the wire, polled from its empty first answer on', async () => {
    gateway.on(
      snapshot,
      { json: [{ conid: 265598 }] },
      { json: [{ conid: 265598, '31': '260.99', '6509': 'R' }] },
    );
    const source = sourceOf(ibkr.broker, 5000, 100);
    expect([...((await source.prices?.(['AAPL'])) ?? [])]).toMatchObject([
      ['AAPL', { price: '260.99', at: market }],
    ]);
    expect(gateway.to(snapshot)).toHaveLength(2);
    expect(codes(await source.prices?.(['AAPL', 'ZZZZ']))).toEqual([
      ['AAPL', '260.99'],
      ['ZZZZ', 'PRICE_UNKNOWN_SYMBOL'],
    ]);
  });

  it('are one question of the minute, and one for each contract that is not known; the rest waits for the next', async () => {
    const { broker, asked } = await brokerOf();
    const source = sourceOf(broker);
    expect(codes(await source.prices?.(['A', 'B', 'C']))).toEqual([
      ['A', '260.99'],
      ['B', '260.99'],
      ['C', 'PRICE_LIMITED'],
    ]);
    wall += 60_000;
    expect(codes(await source.prices?.(['A', 'B', 'C'])).map(([, said]) => said)).toEqual(
      Array(3).fill('260.99'),
    );
    expect(asked).toEqual({
      contracts: ['A', 'B', 'C'],
      quotes: [
        ['A', 'B'],
        ['A', 'B', 'C'],
      ],
    });
    await source.prices?.(['A']);
    const refused = await source.prices?.(['A', 'B']);
    expect(refused?.get('B')).toMatchObject({ code: 'PRICE_LIMITED', facts: { restMs: 60_000 } });
  });

  it('have each its own error: unknown, halted, without a price, beyond what the broker takes', async () => {
    const { broker } = await brokerOf({
      mostQuotes: 3,
      quotes: () =>
        Promise.resolve(
          new Map<string, QuoteFacts | KeelError>([
            ['conid of A', { last: '260.99', state: 'open' }],
            ['conid of B', { last: '260.99', state: 'halted' }],
            [
              'conid of C',
              new KeelError('NO_QUOTE', 'IBKR gives no quote of C.', { errorClass: 'retryable' }),
            ],
          ]),
        ),
    });
    const known = broker.resolveContract;
    broker.resolveContract = (symbol) =>
      symbol === 'X' ? Promise.reject(new KeelError('UNKNOWN_SYMBOL', 'IBKR knows no X.')) : known(symbol);
    const source = sourceOf(broker, 5000, 100);
    const batch = await source.prices?.(['A', 'X', 'B', 'C', 'D']);
    expect(codes(batch)).toEqual([
      ['A', '260.99'],
      ['X', 'PRICE_UNKNOWN_SYMBOL'],
      ['B', 'PRICE_HALTED'],
      ['C', 'PRICE_AWAY'],
      ['D', 'PRICE_LIMITED'],
    ]);
    expect(batch?.get('D')).toMatchObject({
      facts: { symbol: 'D' },
      message: expect.stringMatching(/3 symbols at once/) as string,
    });
    expect(Object.keys((batch?.get('D') as KeelError).facts)).toEqual(['symbol']);
  });

  it('are all away where the snapshot is, and are not waited for beyond their time', async () => {
    const session = new KeelError('BROKER_SESSION', 'log in.', { errorClass: 'retryable' });
    const { broker } = await brokerOf({ quotes: () => Promise.reject(session) });
    expect(codes(await sourceOf(broker).prices?.(['A', 'B']))).toEqual([
      ['A', 'PRICE_AWAY'],
      ['B', 'PRICE_AWAY'],
    ]);
    const { broker: hanging } = await brokerOf({ quotes: () => new Promise(() => undefined) });
    const batch = await sourceOf(hanging, 25).prices?.(['A']);
    expect(batch?.get('A')).toMatchObject({
      code: 'PRICE_AWAY',
      message: expect.stringContaining('within 50 ms') as string,
    });
  });

  it('let one price have its turn between two contracts', async () => {
    const order: string[] = [];
    const { broker } = await brokerOf();
    const known = broker.resolveContract;
    broker.resolveContract = (symbol) => {
      order.push(symbol);
      return known(symbol);
    };
    const quote = () => Promise.resolve({ last: '1', state: 'open' as const });
    const source = sourceOf({ ...broker, quote }, 5000, 100);
    await Promise.all([source.prices?.(['A', 'B', 'C']), source.price('ONE')]);
    expect(order).toEqual(['A', 'ONE', 'B', 'C']);
  });
});

describe('what it may take from orders', () => {
  it('is so many prices a minute, and it says how long to wait', async () => {
    says('260.99', 'R');
    const source = sourceOf(ibkr.broker);
    for (let index = 0; index < 3; index += 1) {
      await source.price('AAPL');
      wall += 10_000;
    }
    const before = gateway.seen.length;
    await expect(source.price('AAPL')).rejects.toMatchObject({
      code: 'PRICE_LIMITED',
      facts: { restMs: 30_000 },
    });
    expect(gateway.seen).toHaveLength(before);
    wall += 30_000;
    expect((await source.price('AAPL')).price).toBe('260.99');
  });

  it('is not left alone because of its own queue, and is when it has answered nobody', async () => {
    const contract = await ibkr.broker.resolveContract('AAPL');
    let asked = 0;
    const source = sourceOf(
      {
        resolveContract: () => Promise.resolve(contract),
        quote: () => {
          asked += 1;
          return asked === 1
            ? Promise.resolve({ last: '260.99', state: 'open' })
            : new Promise(() => undefined);
        },
      },
      50,
    );
    const restOf = (symbol: string): Promise<unknown> =>
      source.price(symbol).then(
        () => 'a price',
        (error: unknown) => (error as KeelError).facts['restMs'] ?? 'no rest',
      );
    // The second has waited for the first one's answer as well.
    expect(await Promise.all(['A', 'B'].map(restOf))).toEqual(['a price', 'no rest']);
    expect(await restOf('C')).toBe(10_000);
  });

  it('is one at a time, and a question that nobody waits for any more is not asked', async () => {
    const asked: string[] = [];
    let end: (() => void) | undefined;
    const held = new Promise<void>((resolve) => {
      end = resolve;
    });
    const contract = await ibkr.broker.resolveContract('AAPL');
    const source = sourceOf(
      {
        resolveContract: async (symbol) => {
          asked.push(symbol);
          await held;
          return contract;
        },
        quote: () => Promise.resolve({ last: '260.99', state: 'open' }),
      },
      50,
    );
    const prices = [source.price('AAPL'), source.price('IBM')];
    for (const price of prices) await expect(price).rejects.toMatchObject({ code: 'PRICE_AWAY' });
    expect(asked).toEqual(['AAPL']);
    wall += 51;
    end?.();
    expect((await source.price('AAPL')).price).toBe('260.99');
    expect(asked).toEqual(['AAPL']);
  });
});
