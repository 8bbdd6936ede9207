// The simulator's own API: balance, price, portfolio and trade of the user whose key is given. Called by app.ts.
import { Router } from 'express';
import type { Request, RequestHandler, Response } from 'express';
import { money, quantity } from '../../domain/money/decimal.js';
import type { Clock } from '../../ports/clocks.js';
import type { Engine } from '../engine.js';
import { positionsOf } from '../exchange/accounts.js';
import { accountOf, holdingOf } from '../exchange/state.js';
import type { Instrument, User } from '../exchange/types.js';
import { userOfKey } from '../users.js';
import { sendProblem } from './problems.js';
import { tradeRequest, wordsOf } from './tradeRequest.js';

export interface OwnApi {
  readonly engine: Engine;
  /** The machine's time: keys expire by it. */
  readonly clock: Clock;
}

export function apiRoutes(api: OwnApi): Router {
  const router = Router();
  router.use(requireUser(api));
  router.get('/balance', (_request, response) => {
    const { account, email } = userOf(response);
    response.json({ email, cash: Number(accountOf(api.engine.state, account).cash), currency: 'USD' });
  });
  router.get('/price/:ticker', (request, response) => {
    const found = priceOf(api, request, response);
    if (found !== null) response.json(found);
  });
  router.get('/portfolio', (_request, response) => {
    response.json(portfolio(api, userOf(response)));
  });
  router.post('/trade', (request, response) => {
    book(api, request, response);
  });
  return router;
}

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
  sendProblem(response, 404, 'UNKNOWN_TICKER', `There is no such ticker; there are ${known}.`);
  return null;
}

function priceOf(api: OwnApi, request: Request, response: Response): object | null {
  const instrument = instrumentOf(api, String(request.params['ticker']), response);
  if (instrument === null) return null;
  const { market, state } = api.engine;
  const quote = market.quote(instrument.conid, state.now);
  if (quote === null) {
    sendProblem(response, 404, 'PRICE_UNKNOWN', `${instrument.symbol} has no price at ${state.now} yet.`);
    return null;
  }
  const { last, phase } = quote;
  return {
    ticker: instrument.symbol,
    price: last,
    currency: 'USD',
    market: phase,
    source: 'replay',
    at: state.now,
  };
}

function portfolio({ engine }: OwnApi, { account: id, email }: User): object {
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
    })),
    totalValue: Number(stocks.plus(account.cash).toFixed(2)),
  };
}

const averageOf = ({ cost, quantity: units }: { readonly cost: string; readonly quantity: string }): number =>
  Number(money(cost).div(quantity(units)).toFixed(4));

function book(api: OwnApi, request: Request, response: Response): void {
  const parsed = tradeRequest.safeParse(request.body);
  if (!parsed.success) {
    sendProblem(response, 422, 'INVALID_INPUT', `The trade can not be read: ${wordsOf(parsed.error)}.`);
    return;
  }
  const { ticker, action, quantity: units, price } = parsed.data;
  const instrument = instrumentOf(api, ticker, response);
  if (instrument === null) return;
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
