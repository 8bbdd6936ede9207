// The simulator's own API: balance, price, portfolio and trade of the user whose key is given. Called by app.ts.
import { Router, text } from 'express';
import type { Request, RequestHandler, Response } from 'express';
import { money, quantity } from '../../domain/money/decimal.js';
import { parseJson } from '../../domain/money/parseJson.js';
import type { Clock } from '../../ports/clocks.js';
import type { Engine } from '../engine.js';
import { positionsOf } from '../exchange/accounts.js';
import { accountOf, holdingOf } from '../exchange/state.js';
import type { Instrument, User } from '../exchange/types.js';
import { readyToValue } from '../live/live.js';
import type { Live } from '../live/live.js';
import { userOfKey } from '../users.js';
import { priceAsked, priceKnown, sendPriceProblem } from './prices.js';
import { malformed, sendProblem, wordsOf } from './problems.js';
import { tradeRequest } from './tradeRequest.js';

export interface OwnApi {
  readonly engine: Engine;
  /** The machine's time: keys expire by it. */
  readonly clock: Clock;
  /** Where prices are of a chain of sources; null where bars are replayed. */
  readonly live: Live | null;
}

export function apiRoutes(api: OwnApi): Router {
  const router = Router();
  router.use(requireUser(api));
  const balance: RequestHandler = (_request, response) => {
    const { account, email } = userOf(response);
    response.json({ email, cash: Number(accountOf(api.engine.state, account).cash), currency: 'USD' });
  };
  const price: RequestHandler = async (request, response) => {
    const found = await priceOf(api, request, response);
    if (found !== null) response.json(found);
  };
  const holdings: RequestHandler = async (_request, response) => {
    const user = userOf(response);
    if (await isValued(api, user, response)) response.json(portfolio(api, user));
  };
  const trade: RequestHandler = async (request, response) => {
    await book(api, request, response);
  };
  router.route('/balance').get(balance).all(only('GET, HEAD'));
  router.route('/price/:ticker').get(price).all(only('GET, HEAD'));
  router.route('/portfolio').get(holdings).all(only('GET, HEAD'));
  // After the key: nobody's bodies are not read.
  router.route('/trade').post(exactBody, trade).all(only('POST'));
  return router;
}

const only =
  (methods: string): RequestHandler =>
  (request, response) => {
    response.setHeader('Allow', methods);
    sendProblem(
      response,
      405,
      'METHOD_NOT_ALLOWED',
      `${request.method} is not possible here; use ${methods}.`,
    );
  };

/** The body with every digit of its numbers, whatever its type says: 1.00000000000000001 must not be read as 1. */
const exactBody: RequestHandler[] = [
  text({ limit: '100kb', type: () => true }),
  (request, response, next) => {
    const body = parseJson(typeof request.body === 'string' ? request.body : '');
    if (body === undefined) sendProblem(response, 400, ...malformed);
    else {
      request.body = body;
      next();
    }
  },
];

const userOf = (response: Response): User => response.locals['user'] as User;

/** Every path needs a key that is known and has not expired. */
const requireUser =
  ({ engine, clock }: OwnApi): RequestHandler =>
  (request, response, next) => {
    const refuse = (code: string, detail: string): void => {
      response.setHeader('WWW-Authenticate', 'Bearer');
      sendProblem(response, 401, code, detail);
    };
    const [, key] = /^Bearer ([\x21-\x7e]{1,200})$/i.exec(request.get('authorization') ?? '') ?? [];
    if (key === undefined) {
      refuse('KEY_MISSING', 'Give the API key as "Authorization: Bearer <key>".');
      return;
    }
    const user = userOfKey(engine, key);
    if (user === null) refuse('KEY_UNKNOWN', 'The API key is not known.');
    else if (user.expiresAt !== null && Date.parse(user.expiresAt) <= clock.now())
      refuse('KEY_EXPIRED', `The API key expired at ${user.expiresAt}.`);
    else {
      response.locals['user'] = user;
      next();
    }
  };

/** The instrument of a ticker; null once a 404 has been sent. */
function instrumentOf({ engine }: OwnApi, ticker: string, response: Response): Instrument | null {
  const instrument = engine.market.bySymbol(ticker.toUpperCase());
  if (instrument !== undefined) return instrument;
  const known = engine.market.instruments.map(({ symbol }) => symbol).join(', ');
  const there = known === '' ? 'a ticker is like AAPL, BRK.B or BTC/USD' : `there are ${known}`;
  sendProblem(response, 404, 'UNKNOWN_TICKER', `There is no such ticker; ${there}.`);
  return null;
}

async function priceOf(api: OwnApi, request: Request, response: Response): Promise<object | null> {
  const { engine, live } = api;
  const instrument = instrumentOf(api, String(request.params['ticker']), response);
  if (instrument === null || !(await priceAsked(live, instrument, response))) return null;
  live?.clock.follow('look');
  const found = priceKnown(engine, live, instrument);
  if (found === null) {
    const detail = `${instrument.symbol} has no price at ${engine.state.now} yet.`;
    sendProblem(response, 404, 'PRICE_UNKNOWN', detail);
    return null;
  }
  const { price, market, ...made } = found;
  return { ticker: instrument.symbol, price, currency: 'USD', market, ...made };
}

/** Whether everything held has a price; else a problem has been sent. */
async function isValued({ engine, live }: OwnApi, { account }: User, response: Response): Promise<boolean> {
  try {
    if (live !== null) await readyToValue(live, engine, [account]);
    return true;
  } catch (error) {
    return sendPriceProblem(error, response);
  }
}

function portfolio({ engine, live }: OwnApi, { account: id, email }: User): object {
  const { market, state } = engine;
  const account = accountOf(state, id);
  const positions = positionsOf(market, state, account);
  const stocks = positions.reduce((sum, { marketValue }) => money(sum.plus(marketValue)), money('0'));
  return {
    email,
    cash: Number(account.cash),
    currency: 'USD',
    holdings: positions.map((position) => ({
      ticker: market.instrument(position.conid)?.symbol ?? '',
      quantity: position.quantity.toNumber(),
      averagePrice: averageOf(holdingOf(account, position.conid)),
      currentPrice: position.marketPrice,
      marketValue: Number(position.marketValue.toFixed(2)),
      unrealizedPnl: Number(position.unrealizedPnl.toFixed(2)),
      ...pricedBy(engine, live, position.conid),
    })),
    totalValue: Number(stocks.plus(account.cash).toFixed(2)),
  };
}

/** Whose price a holding is valued at, and how old it is. */
function pricedBy(engine: Engine, live: Live | null, conid: number): object {
  const instrument = engine.market.instrument(conid);
  const found = instrument === undefined ? null : priceKnown(engine, live, instrument);
  return found === null ? {} : { priceSource: found.source, priceAgeSeconds: found.ageSeconds };
}

const averageOf = ({ cost, quantity: units }: { readonly cost: string; readonly quantity: string }): number =>
  Number(money(cost).div(quantity(units)).toFixed(4));

/**
 * Only a price of the latest session is traded at: at an older one whoever knows the news would always win. That its market is
 * shut is no reason: trades of this API are done at any hour.
 */
function isTradable({ live }: OwnApi, { symbol }: Instrument, response: Response): boolean {
  if (live === null) return true;
  const known = live.prices.known(symbol);
  if (known?.freshness !== 'live') {
    const why = known?.reason ?? 'nothing is known of it';
    sendProblem(response, 503, 'PRICE_NOT_LIVE', `${symbol} is not traded now: ${why}. Try again later.`);
    return false;
  }
  live.clock.follow('trade');
  return true;
}

async function book(api: OwnApi, request: Request, response: Response): Promise<void> {
  const parsed = tradeRequest.safeParse(request.body);
  if (!parsed.success) {
    sendProblem(response, 422, 'INVALID_INPUT', `The trade can not be read: ${wordsOf(parsed.error)}.`);
    return;
  }
  const { ticker, action, quantity: units, price } = parsed.data;
  const instrument = instrumentOf(api, ticker, response);
  if (instrument === null) return;
  if (!(await priceAsked(api.live, instrument, response)) || !isTradable(api, instrument, response)) return;
  const { account } = userOf(response);
  const side = action === 'buy' ? 'BUY' : 'SELL';
  const result = api.engine.trade({ account, instrument, side, quantity: units, price });
  if (!result.done) {
    sendProblem(response, 400, result.code, result.text);
    return;
  }
  const { executionId, orderId, price: at, amount, cashAfter, at: instant } = result.trade;
  response.status(201).json({
    tradeId: executionId,
    orderId,
    ticker: instrument.symbol,
    action,
    quantity: Number(units),
    price: Number(at),
    amount: Number(amount),
    cash: Number(cashAfter),
    at: instant,
  });
}
