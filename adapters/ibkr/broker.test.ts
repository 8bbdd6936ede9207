// Every endpoint against recorded answers, over real https.
import { beforeEach, describe, expect, it } from 'vitest';
import { createMachineClock } from '../clocks/machine.js';
import type { BrokerOrder } from '../../ports/broker.js';
import type { KeelError } from '../../ports/errors.js';
import type { IbkrGateway, IbkrGatewayOptions } from './gateway.js';
import { paperAccount } from './testing/connect.js';
import { recorded } from './testing/gateway.js';
import type { TestGateway } from './testing/gateway.js';
import { onFreshGateway } from './testing/hooks.js';

let gateway: TestGateway;
let ibkr: IbkrGateway;

const connect = onFreshGateway((fresh, connected) => {
  gateway = fresh;
  ibkr = connected;
});

const reconnect = (change: Partial<IbkrGatewayOptions>): void => {
  ibkr.close();
  ibkr = connect(change);
};
const failure = async (promise: Promise<unknown>): Promise<KeelError> =>
  promise.then(
    () => {
      throw new Error('it did not fail');
    },
    (error: unknown) => error as KeelError,
  );
const routes = (): readonly string[] => gateway.seen.map((request) => request.route);
const aapl = { conid: '265598', symbol: 'AAPL' };

describe('ensureSession', () => {
  it('reads the accounts once while the session stands', async () => {
    await ibkr.broker.ensureSession();
    await ibkr.broker.ensureSession();
    expect(routes()).toEqual([
      'POST /iserver/auth/status',
      'GET /iserver/accounts',
      'POST /iserver/auth/status',
    ]);
  });

  it('opens a session that is connected and not authenticated, and waits until it is', async () => {
    gateway.on(
      'POST /iserver/auth/status',
      { json: recorded('auth-status-idle') },
      { status: 400, json: { error: 'Bad Request: no bridge', statusCode: 400 } },
      { json: recorded('auth-status') },
    );
    gateway.on('POST /iserver/auth/ssodh/init', { json: recorded('ssodh-init') });
    await ibkr.broker.ensureSession();
    const [init] = gateway.to('POST /iserver/auth/ssodh/init');
    expect(JSON.parse(init?.body ?? '')).toEqual({ publish: true, compete: false });
    expect(gateway.to('POST /iserver/auth/status')).toHaveLength(3);
  });

  it('competes with another login only where it is told to', async () => {
    const competing = { json: { authenticated: true, connected: true, competing: true } };
    gateway.on('POST /iserver/auth/status', competing);
    gateway.on('POST /iserver/auth/ssodh/init', { json: recorded('ssodh-init') });
    expect(await failure(ibkr.broker.ensureSession())).toMatchObject({ code: 'BROKER_SESSION' });
    expect(gateway.to('POST /iserver/auth/ssodh/init')).toHaveLength(0);
    gateway.on('POST /iserver/auth/status', competing, { json: recorded('auth-status') });
    reconnect({ compete: true });
    await ibkr.broker.ensureSession();
    expect(gateway.to('POST /iserver/auth/ssodh/init')[0]?.body).toContain('"compete":true');
  });

  it('gives up a session that does not become usable', async () => {
    gateway.on('POST /iserver/auth/status', { json: recorded('auth-status-idle') });
    gateway.on('POST /iserver/auth/ssodh/init', { json: recorded('ssodh-init') });
    let now = 0;
    const timer = {
      after: (ms: number, run: () => void) => {
        now += ms;
        const handle = setImmediate(run);
        return () => {
          clearImmediate(handle);
        };
      },
    };
    reconnect({ clock: { now: () => now }, timer, pacingFactor: 5 });
    expect(await failure(ibkr.broker.ensureSession())).toMatchObject({
      code: 'BROKER_SESSION',
      errorClass: 'retryable',
    });
  });

  it.each([
    ['status says not connected', { json: recorded('auth-status-dead') }],
    ['status is 401', { status: 401, json: { error: 'not authenticated', statusCode: 401 } }],
    ['status is 401 without a body', { status: 401, text: '' }],
    ['there is no session', { json: { error: 'no session' } }],
  ])('asks for a person when %s', async (_what, answer) => {
    gateway.on('POST /iserver/auth/status', answer);
    const error = await failure(ibkr.broker.ensureSession());
    expect(error).toMatchObject({ code: 'BROKER_SESSION', errorClass: 'retryable' });
    expect(error.message).toContain('log in');
  });

  it.each([
    ['paper', 'DU1234567', true, true],
    ['simulated', 'DU1234567', true, true],
    ['live', 'U1234567', false, true],
    ['paper', 'DU1234567', false, false],
    ['paper', 'DU1234567', undefined, false],
    ['paper', 'U1234567', true, false],
    ['simulated', 'U1234567', false, false],
    ['live', 'U1234567', true, false],
    ['live', 'U1234567', undefined, false],
    ['live', 'DU1234567', false, false],
    ['paper', 'All', true, false],
  ] as const)(
    'in mode %s with account %s and isPaper %s: allowed is %s',
    async (mode, accountId, isPaper, allowed) => {
      gateway.on('GET /iserver/accounts', { json: { accounts: ['All', accountId], isPaper } });
      reconnect({ mode, accountId });
      const outcome = await ibkr.broker.ensureSession().then(
        () => true,
        (error: unknown) => error,
      );
      if (allowed) expect(outcome).toBe(true);
      else expect(outcome).toMatchObject({ code: 'BROKER_SESSION', errorClass: 'final' });
    },
  );

  it('refuses an account that the login does not hold, and no call follows', async () => {
    reconnect({ accountId: 'DU7654321' });
    expect(await failure(ibkr.broker.orders('DU7654321'))).toMatchObject({
      code: 'BROKER_SESSION',
      errorClass: 'final',
    });
    expect(routes()).toEqual(['POST /iserver/auth/status', 'GET /iserver/accounts']);
  });

  it('makes its account the selected one again where somebody has chosen another since', async () => {
    const accounts = ['DU1', paperAccount];
    const selected = (selectedAccount: string) => ({ json: { accounts, selectedAccount, isPaper: true } });
    gateway.on('GET /iserver/accounts', selected(paperAccount), selected('DU1'), selected(paperAccount));
    gateway.on('POST /iserver/account', { json: { set: true, acctId: paperAccount } });
    await ibkr.broker.ensureSession();
    expect(gateway.to('POST /iserver/account')).toHaveLength(0);
    await ibkr.broker.ensureSession();
    await ibkr.broker.ensureSession();
    expect(gateway.to('POST /iserver/account').map(({ body }) => body)).toEqual([
      JSON.stringify({ acctId: paperAccount }),
    ]);
  });

  it('lists trades twice again once its account is selected anew, as the first list may be empty', async () => {
    const accounts = ['DU1', paperAccount];
    const selected = (selectedAccount: string) => ({ json: { accounts, selectedAccount, isPaper: true } });
    gateway.on('GET /iserver/accounts', selected(paperAccount), selected('DU1'), selected(paperAccount));
    gateway.on('POST /iserver/account', { json: { set: true, acctId: paperAccount } });
    gateway.on('GET /iserver/account/trades', { json: [] });
    const read = async () => {
      await ibkr.broker.ensureSession();
      await ibkr.broker.executions(paperAccount);
      return gateway.to('GET /iserver/account/trades').length;
    };
    expect([await read(), await read(), await read()]).toEqual([2, 4, 5]);
  });

  it('makes its account the selected one, also where the gateway says that it is already', async () => {
    gateway.on('GET /iserver/accounts', {
      json: { accounts: ['DU1', paperAccount], selectedAccount: 'DU1', isPaper: true },
    });
    gateway.on('POST /iserver/account', { status: 500, json: { error: 'Account already set' } });
    await ibkr.broker.ensureSession();
    expect(gateway.to('POST /iserver/account')[0]?.body).toBe(`{"acctId":"${paperAccount}"}`);
  });

  it('asks IBKR to leave questions out, in each session anew', async () => {
    gateway.on('POST /iserver/questions/suppress', { json: { status: 'submitted' } });
    gateway.on('GET /iserver/account/trades', { status: 400, json: { error: 'Bad Request: no bridge' } });
    reconnect({ suppressMessageIds: ['o354', 'o382'] });
    await failure(ibkr.broker.executions(paperAccount));
    gateway.on('GET /iserver/account/trades', { json: recorded('trades') });
    await ibkr.broker.executions(paperAccount);
    expect(gateway.to('POST /iserver/questions/suppress').map(({ body }) => body)).toEqual([
      '{"messageIds":["o354","o382"]}',
      '{"messageIds":["o354","o382"]}',
    ]);
  });

  it('keeps the login awake about once a minute', async () => {
    gateway.on('POST /tickle', { json: { session: 'bb66', hmds: { error: 'no bridge' } } });
    let now = 0;
    reconnect({
      clock: { now: () => now },
      pacingFactor: 1,
      timer: { after: (_ms, run) => (run(), () => undefined) },
    });
    await ibkr.broker.ensureSession();
    now += 54_000;
    await ibkr.broker.ensureSession();
    expect(gateway.to('POST /tickle')).toHaveLength(0);
    now += 2_000;
    await ibkr.broker.ensureSession();
    await ibkr.broker.ensureSession();
    expect(gateway.to('POST /tickle')).toHaveLength(1);
  });

  it('prepares the session again after it was lost', async () => {
    gateway.on('GET /iserver/account/trades', {
      status: 500,
      json: { error: 'Please query /accounts first' },
    });
    expect(await failure(ibkr.broker.executions(paperAccount))).toMatchObject({
      code: 'IBKR_ACCOUNTS_FIRST',
      errorClass: 'retryable',
    });
    gateway.on('GET /iserver/account/trades', { json: recorded('trades') });
    expect((await ibkr.broker.executions(paperAccount)).executions).toHaveLength(1);
    expect(gateway.to('GET /iserver/accounts')).toHaveLength(2);
  });
});

describe('resolveContract', () => {
  it('takes the only US listing, with its grid of prices', async () => {
    gateway.on('GET /trsrv/stocks', { json: recorded('stocks') });
    gateway.on('GET /trsrv/secdef', { json: recorded('secdef') });
    expect(await ibkr.broker.resolveContract('AAPL')).toEqual({
      conid: '265598',
      symbol: 'AAPL',
      name: 'APPLE INC',
      exchange: 'NASDAQ',
      currency: 'USD',
      priceIncrements: [
        { from: '0', increment: '0.0001' },
        { from: '1', increment: '0.01' },
      ],
      quantityIncrement: '1',
    });
    expect(gateway.to('GET /trsrv/secdef')[0]?.query.get('conids')).toBe('265598');
  });

  it('asks for the trading rules when the description has no grid', async () => {
    gateway.on('GET /trsrv/stocks', { json: recorded('stocks') });
    gateway.on('GET /trsrv/secdef', {
      json: { secdef: [{ conid: 265598, ticker: 'AAPL', currency: 'USD' }] },
    });
    gateway.on('POST /iserver/contract/rules', { json: recorded('contract-rules') });
    const contract = await ibkr.broker.resolveContract('AAPL');
    expect(contract.priceIncrements).toEqual([{ from: '0', increment: '0.01' }]);
    expect(gateway.to('POST /iserver/contract/rules')[0]?.body).toBe(
      '{"conid":265598,"exchange":"SMART","isBuy":true}',
    );
  });

  const listing = (conid: number, isUS: boolean) => ({ conid, exchange: 'X', isUS });
  it.each([
    ['an empty list', { ZZZZ: [] }],
    ['an empty object', {}],
    ['foreign listings only', { ZZZZ: [{ assetClass: 'STK', contracts: [listing(1, false)] }] }],
    ['two US listings', { ZZZZ: [{ assetClass: 'STK', contracts: [listing(1, true), listing(2, true)] }] }],
    ['no stock', { ZZZZ: [{ assetClass: 'BOND', contracts: [listing(1, true)] }] }],
  ])('refuses a symbol that is answered with %s', async (_what, json) => {
    gateway.on('GET /trsrv/stocks', { json });
    expect(await failure(ibkr.broker.resolveContract('ZZZZ'))).toMatchObject({
      code: 'UNKNOWN_SYMBOL',
      errorClass: 'final',
      facts: { symbol: 'ZZZZ' },
    });
  });
});

describe('quote', () => {
  it('polls past the pre-flight and the pieces, and reads commas', async () => {
    gateway.on(
      'GET /iserver/marketdata/snapshot',
      { json: recorded('snapshot-preflight') },
      { json: recorded('snapshot-piece') },
      { json: recorded('snapshot-full') },
    );
    expect(await ibkr.broker.quote(aapl)).toEqual({ last: '1260.99', state: 'open' });
    expect(gateway.seen).toHaveLength(5);
  });

  it.each([
    ['C260.99', 'RpB', { last: '260.99', state: 'closed' }],
    ['H260.90', 'RpB', { last: '260.9', state: 'halted' }],
    ['0.00012', 'R', { last: '0.00012', state: 'open' }],
  ])('reads %s with availability %s', async (last, availability, quote) => {
    gateway.on('GET /iserver/marketdata/snapshot', {
      json: [{ conid: 265598, '31': last, '6509': availability }],
    });
    expect(await ibkr.broker.quote(aapl)).toEqual(quote);
  });

  it.each([
    ['delayed', { '31': '260.99', '6509': 'DPB' }, 'DPB'],
    ['frozen', { '31': '260.99', '6509': 'ZB' }, 'ZB'],
    ['not subscribed', { '31': '260.99', '6509': 'N' }, '(availability N)'],
    ['of unknown availability', { '31': '260.99' }, 'availability'],
    ['zero', { '31': '0', '6509': 'R' }, 'no price'],
    ['missing', { '6509': 'R' }, 'no last price'],
    ['no number', { '31': 'n/a', '6509': 'R' }, 'no price'],
  ])('gives no quote after five reads when the price is %s', async (_what, row, words) => {
    gateway.on('GET /iserver/marketdata/snapshot', { json: [{ conid: 265598, ...row }] });
    const error = await failure(ibkr.broker.quote(aapl));
    expect(error).toMatchObject({ code: 'NO_QUOTE', errorClass: 'retryable' });
    expect(error.message).toContain(words);
    expect(gateway.to('GET /iserver/marketdata/snapshot')).toHaveLength(5);
  });

  it('never takes the price of another contract', async () => {
    gateway.on('GET /iserver/marketdata/snapshot', { json: [{ conid: 8314, '31': '1', '6509': 'R' }] });
    expect((await failure(ibkr.broker.quote(aapl))).code).toBe('NO_QUOTE');
  });
});

describe('quotes of many contracts', () => {
  const route = 'GET /iserver/marketdata/snapshot';
  const contracts = [aapl, { conid: '8314', symbol: 'IBM' }, { conid: '756733', symbol: 'SPY' }];
  const row = (conid: number, last: string, availability = 'R') => ({
    conid,
    '31': last,
    '6509': availability,
  });

  it('are asked for in one request, which only opens the lines, and then for what has no price yet', async () => {
    gateway.on(
      route,
      { json: contracts.map(({ conid }) => ({ conid: Number(conid), conidEx: conid })) },
      { json: [row(265598, '260.99'), { conid: 8314, '6509': 'R' }, row(756733, 'C650.5', 'D')] },
      { json: [row(8314, 'H187.9')] },
    );
    expect([...(await ibkr.broker.quotes(contracts))]).toEqual([
      ['265598', { last: '260.99', state: 'open' }],
      ['8314', { last: '187.9', state: 'halted' }],
      ['756733', { last: '650.5', state: 'closed' }],
    ]);
    expect(gateway.to(route).map(({ query }) => query.get('conids'))).toEqual([
      ...['265598,8314,756733', '265598,8314,756733', '8314'],
    ]);
  });

  it('have each its own trouble: delayed, unreadable or not there, and the others stand', async () => {
    gateway.on(route, {
      json: [row(265598, '260.99', 'D'), { conid: 8314, '31': { odd: true } }, row(756733, '650.5')],
    });
    const quotes = await ibkr.broker.quotes([...contracts, { conid: '1', symbol: 'GONE' }]);
    expect(quotes.get('756733')).toEqual({ last: '650.5', state: 'open' });
    const words = ['265598', '8314', '1'].map((conid) => quotes.get(conid));
    expect(words).toMatchObject([
      {
        code: 'NO_QUOTE',
        message: 'IBKR gives no quote of AAPL: the data is not real time (availability D).',
      },
      { code: 'NO_QUOTE', message: 'IBKR gives no quote of IBM: there is no last price.' },
      { code: 'NO_QUOTE', message: 'IBKR gives no quote of GONE: there is no last price.' },
    ]);
    expect(gateway.to(route)).toHaveLength(5);
  });

  it('are no more than a question may have lines', async () => {
    const many = Array.from({ length: ibkr.broker.mostQuotes + 1 }, (_value, index) => ({
      conid: String(index),
      symbol: 'S',
    }));
    await expect(ibkr.broker.quotes(many)).rejects.toThrow(RangeError);
    expect(gateway.to(route)).toHaveLength(0);
  });

  it('give back, before they open others, what nobody has asked for in the meantime', async () => {
    let shift = 0;
    const machine = createMachineClock();
    const later = connect({ clock: { now: () => machine.now() + shift } });
    gateway.on(route, { json: [row(265598, '260.99'), row(8314, '187.9'), row(756733, '650.5')] });
    gateway.on('POST /iserver/marketdata/unsubscribe', { status: 500, json: { error: 'unknown' } });
    await later.broker.quote(aapl);
    await later.broker.quotes(contracts.slice(0, 2));
    shift = 60_000;
    const before = gateway.seen.length;
    await later.broker.quotes(contracts.slice(1));
    await later.broker.quotes(contracts.slice(1));
    const asked = gateway.seen.slice(before).filter(({ route: to }) => to.includes('marketdata'));
    expect(asked.map(({ route: to, body }) => `${to} ${body}`.trim())).toEqual([
      'POST /iserver/marketdata/unsubscribe {"conid":265598}',
      ...[route, route],
    ]);
  });
});

describe('history', () => {
  it('gives bars oldest first, volume in shares, instants in UTC', async () => {
    gateway.on('GET /iserver/marketdata/history', { json: recorded('history') });
    const history = await ibkr.marketData.history(aapl, 'daily');
    expect(history.source).toBe('ibkr');
    expect(history.bars).toEqual([
      {
        time: '2026-04-01T13:30:00.000Z',
        open: 640.1,
        high: 646,
        low: 639.9,
        close: 645.5,
        volume: 2_000_000,
      },
      {
        time: '2026-04-02T13:30:00.000Z',
        open: 646.42,
        high: 647.47,
        low: 646.38,
        close: 646.86,
        volume: 1721912.5,
      },
    ]);
    const query = gateway.to('GET /iserver/marketdata/history')[0]?.query;
    expect(Object.fromEntries(query ?? [])).toMatchObject({ conid: '265598', period: '2y', bar: '1d' });
    await ibkr.marketData.history(aapl, 'weekly');
    const weekly = gateway.to('GET /iserver/marketdata/history')[1]?.query;
    expect(Object.fromEntries(weekly ?? [])).toMatchObject({ period: '10y', bar: '1w' });
  });

  it.each([
    ['No data.', 200, 'NO_HISTORY', 'final'],
    ['Too many history charts requests, please try again later.', 500, 'IBKR_RATE_LIMITED', 'retryable'],
    ['Internal', 500, 'IBKR_ERROR', 'retryable'],
  ])('answers "%s" with status %i as %s', async (error, status, code, errorClass) => {
    gateway.on('GET /iserver/marketdata/history', { status, json: { error } });
    expect(await failure(ibkr.marketData.history(aapl, 'daily'))).toMatchObject({ code, errorClass });
  });

  it('has no history when the list is empty', async () => {
    gateway.on('GET /iserver/marketdata/history', { json: { data: [] } });
    expect((await failure(ibkr.marketData.history(aapl, 'daily'))).code).toBe('NO_HISTORY');
  });
});

describe('account', () => {
  beforeEach(() => {
    gateway.on(`GET /portfolio/${paperAccount}/summary`, { json: recorded('summary') });
    gateway.on(`GET /portfolio/${paperAccount}/ledger`, { json: recorded('ledger') });
  });

  it('gives value and settled cash in the currency of the account, cash of other currencies left out', async () => {
    expect(await ibkr.broker.account(paperAccount)).toEqual({
      accountId: paperAccount,
      currency: 'USD',
      netLiquidation: '1005165.5',
      settledCash: '214716.11',
    });
  });

  it('lists the portfolio accounts once per session, first', async () => {
    await ibkr.broker.account(paperAccount);
    await ibkr.broker.account(paperAccount);
    expect(gateway.to('GET /portfolio/accounts')).toHaveLength(1);
    expect(routes().indexOf('GET /portfolio/accounts')).toBeLessThan(
      routes().indexOf(`GET /portfolio/${paperAccount}/summary`),
    );
  });

  it('invents no cash when the ledger has none in the currency', async () => {
    gateway.on(`GET /portfolio/${paperAccount}/ledger`, { json: { BASE: { settledcash: 5 } } });
    expect((await failure(ibkr.broker.account(paperAccount))).code).toBe('IBKR_BAD_SHAPE');
  });

  it('is refused for any account but its own', async () => {
    expect(await failure(ibkr.broker.account('DU7654321'))).toMatchObject({ code: 'BROKER_SESSION' });
    expect(gateway.seen).toHaveLength(0);
  });
});

describe('positions', () => {
  const page = (number: number): string => `GET /portfolio/${paperAccount}/positions/${number}`;

  it('reads pages to the first empty one, leaves out what is zero, and drops the cache before', async () => {
    gateway.on(`POST /portfolio/${paperAccount}/positions/invalidate`, { json: { message: 'success' } });
    gateway.on(page(0), { json: recorded('positions-sparse') });
    gateway.on(page(1), { json: recorded('positions-full') });
    gateway.on(page(2), { json: [] });
    expect(await ibkr.broker.positions(paperAccount)).toEqual([
      { conid: '756733', symbol: 'SPY', quantity: '100', averageCost: '437.43', marketPrice: '454.44' },
      { conid: '8314', symbol: 'IBM', quantity: '-5', averageCost: '220', marketPrice: '225.1234567' },
      {
        conid: '653318228',
        symbol: 'AAPL   DEC2026 150 C [AAPL  261218C00150000 100]',
        quantity: '1',
        averageCost: '1200',
        marketPrice: '12.5',
      },
    ]);
    expect(routes().slice(2)).toEqual([
      'GET /portfolio/accounts',
      `POST /portfolio/${paperAccount}/positions/invalidate`,
      page(0),
      page(1),
      page(2),
    ]);
  });

  it('works with a gateway that has no cache to drop', async () => {
    gateway.on(page(0), { json: [] });
    expect(await ibkr.broker.positions(paperAccount)).toEqual([]);
  });

  it('reads a page again when it names nothing', async () => {
    const row = { conid: 1, position: 1, avgCost: 1, mktPrice: 1, assetClass: 'STK' };
    gateway.on(page(0), { json: [row] }, { json: [{ ...row, ticker: 'AAPL' }] });
    gateway.on(page(1), { json: [] });
    expect((await ibkr.broker.positions(paperAccount))[0]?.symbol).toBe('AAPL');
  });

  it('reads past what is another account’s, or holds nothing, whatever is in it', async () => {
    const held = { acctId: paperAccount, conid: 1, position: 2, avgCost: 1, mktPrice: 1, ticker: 'AAPL' };
    gateway.on(page(0), { json: [{ acctId: 'DU9', conid: 5 }, { conid: 6, position: 0 }, held] });
    // A page of others' alone is not the last one.
    gateway.on(page(1), { json: [{ acctId: 'DU9', position: null }] });
    gateway.on(page(2), { json: [{ ...held, acctId: null, conid: 7 }] });
    gateway.on(page(3), { json: [] });
    const read = await ibkr.broker.positions(paperAccount);
    expect(read.map(({ conid }) => conid)).toEqual(['1', '7']);
  });

  it.each([
    ['without a price', { acctId: paperAccount, mktPrice: null }],
    ['without a price and without a name of its account', { mktPrice: null }],
    ['without a readable name of its account', { acctId: 5 }],
    ['of an unreadable size', { acctId: paperAccount, position: 'many' }],
  ])('stops at one of its own %s', async (_what, change) => {
    const held = { conid: 1, position: 2, avgCost: 1, mktPrice: 1, ticker: 'AAPL' };
    gateway.on(page(0), { json: [{ ...held, ...change }] });
    expect((await failure(ibkr.broker.positions(paperAccount))).code).toBe('IBKR_BAD_SHAPE');
  });

  it('is strict on quantities', async () => {
    gateway.on(page(0), { json: [{ conid: 1, position: null, avgCost: 1, mktPrice: 1, ticker: 'X' }] });
    expect((await failure(ibkr.broker.positions(paperAccount))).code).toBe('IBKR_BAD_SHAPE');
  });
});

describe('one order that a list lacks', () => {
  const route = 'GET /iserver/account/order/status/1210386760';
  const stop: BrokerOrder = {
    ...{ brokerOrderId: '1210386760', parentBrokerOrderId: '1210386759', clientOrderId: null },
    ...{ conid: '265598', symbol: 'AAPL', side: 'SELL', type: 'STP', timeInForce: 'GTC', quantity: '10' },
    ...{ filledQuantity: '0', averagePrice: null, price: '180', status: 'WORKING', reason: null },
  };
  const body = { order_id: 1210386760, size: '6.0', total_size: '10.0', cum_fill: '4.0' };

  it.each([
    [{ order_status: 'PreSubmitted', cum_fill: '0.0' }, {}],
    [
      { order_status: 'Submitted', average_price: '179.95' },
      { filledQuantity: '4', averagePrice: '179.95' },
    ],
    [{ order_status: 'Cancelled', cum_fill: '0' }, { status: 'CANCELLED' }],
  ])('is as its status tells: %j', async (wire, change) => {
    gateway.on(route, { json: { ...body, ...wire } });
    expect(await ibkr.broker.orderNow(paperAccount, stop)).toEqual({ ...stop, ...change });
  });

  it.each([503, 500, 404, 400])(
    'is nothing where IBKR says with %i that it has it no more',
    async (status) => {
      gateway.on(route, { status, json: { error: 'Order 1210386760 is not found', statusCode: status } });
      expect(await ibkr.broker.orderNow(paperAccount, stop)).toBeNull();
    },
  );

  it('is no nothing where IBKR cannot answer', async () => {
    gateway.on(route, { status: 503, json: { error: 'Service Unavailable', statusCode: 503 } });
    expect((await failure(ibkr.broker.orderNow(paperAccount, stop))).code).toBe('IBKR_UNAVAILABLE');
  });

  it('is not guessed at in a state that nobody knows', async () => {
    gateway.on(route, { json: { ...body, order_status: 'Resting' } });
    expect((await failure(ibkr.broker.orderNow(paperAccount, stop))).code).toBe('IBKR_BAD_SHAPE');
  });
});

describe('orders', () => {
  const path = 'GET /iserver/account/orders';

  it('forces the list once per session, then takes one that says it is complete', async () => {
    gateway.on(path, { json: recorded('orders-empty') }, { json: recorded('orders') });
    const { orders } = await ibkr.broker.orders(paperAccount);
    await ibkr.broker.orders(paperAccount);
    expect(gateway.to(path).map((request) => Object.fromEntries(request.query))).toEqual([
      { force: 'true', accountId: paperAccount },
      { accountId: paperAccount },
      { accountId: paperAccount },
    ]);
    expect(orders).toEqual([
      {
        brokerOrderId: '1210386759',
        parentBrokerOrderId: null,
        clientOrderId: 'KEEL0123456789ABCDEFGHIJKL',
        conid: '265598',
        symbol: 'AAPL',
        side: 'BUY',
        type: 'MKT',
        timeInForce: 'DAY',
        quantity: '10',
        filledQuantity: '4',
        averagePrice: '185.5',
        price: null,
        status: 'WORKING',
        reason: null,
      },
      expect.objectContaining({
        brokerOrderId: '1210386760',
        parentBrokerOrderId: '1210386759',
        clientOrderId: null,
        side: 'SELL',
        type: 'STP',
        timeInForce: 'GTC',
        price: '180',
        averagePrice: null,
      }),
      expect.objectContaining({ type: 'LMT', price: '1200.1' }),
      expect.objectContaining({
        brokerOrderId: '5',
        status: 'REJECTED',
        reason: 'Price is too far from the market.',
      }),
    ]);
  });

  it('waits through lists that are not complete', async () => {
    const { orders } = recorded('orders') as { orders: unknown[] };
    const empty = { json: recorded('orders-empty') };
    const full = { json: { orders, snapshot: false } };
    gateway.on(path, empty, empty, full, full);
    expect((await ibkr.broker.orders(paperAccount)).orders).toHaveLength(4);
    expect(gateway.to(path)).toHaveLength(4);
  });

  const another = { ...(recorded('orders') as { orders: object[] }).orders[0], acct: 'DU9', account: 'DU9' };
  it.each([
    ['empty and does not say that this is all', [], false, false],
    ['of another account and does not say that this is all', [another], false, false],
    ['empty and says that this is all', [], true, true],
  ])('is %s', async (_what, orders, snapshot, complete) => {
    const empty = { json: { orders, snapshot } };
    gateway.on(path, empty, empty, empty);
    expect(await ibkr.broker.orders(paperAccount)).toEqual({ orders: [], unreadable: [], complete });
  });

  it('gives up lists that never come to rest', async () => {
    const { orders } = recorded('orders') as { orders: { filledQuantity: number }[] };
    const changing = Array.from({ length: 6 }, (_, read) => ({
      json: { orders: orders.slice(0, 1).map((row) => ({ ...row, filledQuantity: read })), snapshot: false },
    }));
    gateway.on(path, ...changing);
    expect(await failure(ibkr.broker.orders(paperAccount))).toMatchObject({
      code: 'IBKR_ORDERS_NOT_READY',
      errorClass: 'retryable',
    });
  });

  it.each([
    ['PendingSubmit', 'PENDING'],
    ['PreSubmitted', 'WORKING'],
    ['Submitted', 'WORKING'],
    ['Filled', 'FILLED'],
    ['PendingCancel', 'PENDING_CANCEL'],
    ['PreCancelled', 'PENDING_CANCEL'],
    ['Cancelled', 'CANCELLED'],
    ['Inactive', 'REJECTED'],
    ['WarnState', 'PENDING'],
  ])('calls %s %s', async (wire, status) => {
    const { orders } = recorded('orders') as { orders: object[] };
    gateway.on(path, { json: { orders: [{ ...orders[0], status: wire }], snapshot: true } });
    expect((await ibkr.broker.orders(paperAccount)).orders[0]?.status).toBe(status);
  });

  it.each(['Submited', 'toString', ''])('guesses nothing of the unknown state "%s"', async (status) => {
    const { orders } = recorded('orders') as { orders: object[] };
    gateway.on(path, { json: { orders: [{ ...orders[0], status }], snapshot: true } });
    expect(await ibkr.broker.orders(paperAccount)).toMatchObject({
      orders: [],
      unreadable: [{ status: null, problem: `its state "${status}"` }],
    });
  });

  it.each(['side', 'totalSize', 'filledQuantity', 'orderId'])(
    'guesses nothing of an order without %s',
    async (field) => {
      const { orders } = recorded('orders') as { orders: object[] };
      gateway.on(path, { json: { orders: [{ ...orders[0], [field]: null }], snapshot: true } });
      expect(await ibkr.broker.orders(paperAccount)).toMatchObject({
        orders: [],
        unreadable: [{ problem: expect.stringContaining(field) as string }],
      });
    },
  );
});

describe('executions', () => {
  const path = 'GET /iserver/account/trades';
  const executions = async () => (await ibkr.broker.executions(paperAccount)).executions;
  const [trade] = recorded('trades') as object[];

  it('reads twice when the first list of a session is empty, and never again after', async () => {
    gateway.on(path, { json: [] }, { json: recorded('trades') }, { json: [] });
    expect(await executions()).toEqual([
      {
        executionId: '0000e0d5.6576fd38.01.01',
        brokerOrderId: '123',
        clientOrderId: 'KEEL0123456789ABCDEFGHIJKL',
        conid: '265598',
        symbol: 'AAPL',
        side: 'SELL',
        quantity: '5',
        price: '192.26',
        commission: '1.01',
        time: '2023-12-11T18:00:49.000Z',
      },
    ]);
    expect(await executions()).toEqual([]);
    expect(gateway.to(path)).toHaveLength(3);
    expect(gateway.to(path)[0]?.query.get('days')).toBe('7');
  });

  it('leaves out what belongs to another account', async () => {
    gateway.on(path, { json: [{ ...trade, account: 'DU9999999' }] });
    expect(await executions()).toEqual([]);
  });

  it('reads past what is another account’s, whatever is in it', async () => {
    const exercise = { ...trade, execution_id: 'x', price: null };
    gateway.on(path, {
      json: [
        { ...exercise, account: 'DU9', accountCode: 'DU9' },
        { ...exercise, accountCode: 'DU9' },
        { accountCode: 'DU9' },
        trade,
      ],
    });
    expect((await executions()).map(({ executionId }) => executionId)).toEqual(['0000e0d5.6576fd38.01.01']);
  });

  it.each([
    ['without a price', { price: null }, 'its execution 0000e0d5.6576fd38.01.01: price: Invalid input'],
    ['of no account and without a size', { account: null, accountCode: '', size: null }, 'size'],
    ['without a readable name of its account', { account: 5, accountCode: 5 }, 'account'],
    ['without a side', { side: 'X' }, 'side'],
    ['without a time', { trade_time_r: null, trade_time: 'yesterday' }, 'no time'],
  ])('tells of one %s beside the others, with what can be read of it', async (_what, change, problem) => {
    gateway.on(path, {
      json: [
        { ...trade, ...change },
        { ...trade, execution_id: '0000e0d5.6576fd39.01.01' },
      ],
    });
    expect(await ibkr.broker.executions(paperAccount)).toMatchObject({
      executions: [{ executionId: '0000e0d5.6576fd39.01.01' }],
      unreadable: [
        {
          ...{ brokerOrderId: '123', clientOrderId: 'KEEL0123456789ABCDEFGHIJKL', conid: '265598' },
          ...{ side: null, status: null, problem: expect.stringContaining(problem) as string },
        },
      ],
    });
  });

  it('tells each once, as it was corrected last, in whatever order they come', async () => {
    const row = (execution: string, size: number, more: object = {}) => ({
      ...trade,
      ...{ execution_id: execution, size, ...more },
    });
    const rows = [
      row('0000e0d5.00000001.01.01', 5),
      row('0000e0d5.00000001.01.10', 4, { price: '192.30' }),
      row('0000e0d5.00000001.01.02', 3),
      row('0000e0d5.00000001.02.01', 7),
      row('0000e0d5.00000001.02.01', 7),
      // Taken back.
      row('0000e0d5.00000002.01.01', 9),
      row('0000e0d5.00000002.01.02', 0),
      row('another-shape', 1),
    ];
    const told = (read: Awaited<ReturnType<typeof executions>>) =>
      read.map(({ executionId, quantity, price }) => `${executionId} ${quantity} @ ${price}`).sort();
    const expected = [
      '0000e0d5.00000001.01.01 4 @ 192.3',
      '0000e0d5.00000001.02.01 7 @ 192.26',
      'another-shape 1 @ 192.26',
    ];
    gateway.on(path, { json: rows }, { json: rows.toReversed() });
    expect(told(await executions())).toEqual(expected);
    expect(told(await executions())).toEqual(expected);
  });
});

describe('cancelOrder', () => {
  const path = `DELETE /iserver/account/${paperAccount}/order/1171486724`;

  it.each([
    ['a request that was taken', { json: recorded('cancel') }, 'asked'],
    [
      'an order that does not exist',
      { status: 400, json: { error: "OrderID 1171486724 doesn't exist" } },
      'nothing',
    ],
    ['an order that is inactive', { status: 400, json: { error: 'Order is inactive' } }, 'nothing'],
  ])('is content with %s', async (_what, answer, said) => {
    gateway.on(path, answer);
    expect(await ibkr.broker.cancelOrder(paperAccount, '1171486724')).toBe(said);
    expect(gateway.to(path)).toHaveLength(1);
  });

  it.each(['-1', '0', '', '1e3', '1/../..', ' 1', '٣'])('never sends the id "%s"', async (id) => {
    expect((await failure(ibkr.broker.cancelOrder(paperAccount, id))).code).toBe('ORDER_ID_INVALID');
    expect(gateway.seen.filter((request) => request.route.startsWith('DELETE'))).toHaveLength(0);
  });

  it('passes while a penalty stops everything else', async () => {
    gateway.on(path, { json: recorded('cancel') });
    gateway.on('GET /iserver/account/trades', { status: 429, text: 'Too many requests' });
    reconnect({ pacingFactor: 10, pacingWaitMs: 1000 });
    expect(await failure(ibkr.broker.executions(paperAccount))).toMatchObject({
      code: 'IBKR_RATE_LIMITED',
      errorClass: 'retryable',
    });
    expect((await failure(ibkr.broker.quote(aapl))).code).toBe('IBKR_PACING_DEADLINE');
    await ibkr.broker.cancelOrder(paperAccount, '1171486724');
    expect(gateway.to(path)).toHaveLength(1);
  });
});

describe('answers that are no answers', () => {
  it.each([
    [401, '{"error":"not authenticated","statusCode":401}', 'IBKR_UNAUTHORIZED', 'retryable'],
    [401, '', 'IBKR_UNAUTHORIZED', 'retryable'],
    [401, '{"type":"/simple","title":"Unauthorized","status":401}', 'IBKR_UNAUTHORIZED', 'retryable'],
    [400, '{"error":"Bad Request: no bridge","statusCode":400}', 'IBKR_NO_BRIDGE', 'retryable'],
    [500, '{"error":"Please query /accounts first"}', 'IBKR_ACCOUNTS_FIRST', 'retryable'],
    [503, '{"error":"Service unavailable","statusCode":503}', 'IBKR_UNAVAILABLE', 'retryable'],
    [502, '<html>Bad gateway</html>', 'IBKR_ERROR', 'retryable'],
    // The accounts were read under the same base path.
    [404, '<html><body><h1>Resource not found</h1></body></html>', 'IBKR_NOT_FOUND', 'retryable'],
    [404, '{"error":"no such page"}', 'IBKR_NOT_FOUND', 'final'],
    [400, '{"error":"java.lang.String cannot be cast to java.lang.Number"}', 'IBKR_ERROR', 'final'],
    [403, 'Access denied', 'IBKR_FORBIDDEN', 'final'],
    [302, '', 'IBKR_REDIRECT', 'final'],
    [200, '{"error":"no session"}', 'IBKR_UNAUTHORIZED', 'retryable'],
    [200, '{"error":"something else"}', 'IBKR_ERROR', 'final'],
    [200, '<html>login</html>', 'IBKR_NOT_JSON', 'retryable'],
    [200, '[{"conid":26559', 'IBKR_NOT_JSON', 'retryable'],
    [200, '', 'IBKR_NOT_JSON', 'retryable'],
    [200, '{"a":1}', 'IBKR_BAD_SHAPE', 'final'],
  ])('status %i with %s is %s (%s)', async (status, text, code, errorClass) => {
    gateway.on('GET /iserver/account/trades', { status, text });
    expect(await failure(ibkr.broker.executions(paperAccount))).toMatchObject({ code, errorClass });
  });

  it('names the endpoint and no account', async () => {
    gateway.on(`GET /portfolio/${paperAccount}/summary`, { status: 503, json: { error: 'busy' } });
    const error = await failure(ibkr.broker.account(paperAccount));
    expect(error.facts).toEqual({
      endpoint: 'GET /portfolio/{accountId}/summary',
      status: 503,
      text: 'busy',
    });
  });
});
