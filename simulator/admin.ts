// The simulator's own HTTP: market clock, health, symbols, faults, the person at the login page. Plain http on loopback, for whoever holds the token: the
// supervisor, the CLI, tests. No part of the broker's API, and adapters/ibkr never calls it.
import { createHash, timingSafeEqual } from 'node:crypto';
import express from 'express';
import type { Express, NextFunction, Request, Response } from 'express';
import { KeelError } from '../ports/errors.js';
import type { Portal } from './clientPortal/portal.js';
import { logIn } from './clientPortal/session.js';
import type { Engine } from './engine.js';
import type { SteppedClock } from './marketClock.js';
import type { TablesStatus } from './tables/tables.js';
import { createUser } from './users.js';

export interface AdminOptions {
  readonly portal: Portal;
  readonly clock: SteppedClock;
  readonly token: string;
  /** Bytes of an unfinished write that were cut off the ledger at start. */
  readonly cutBytes: number;
  readonly tables: () => TablesStatus;
  /** Hears of errors that are the simulator's own fault. */
  readonly log: (error: unknown) => void;
}

const statusOf: Readonly<Record<string, number>> = {
  BAD_REQUEST: 400,
  CLOCK_BACK: 409,
  CLOCK_RUNNING: 409,
  CLOCK_BEYOND: 422,
  CLOCK_OF_MACHINE: 409,
  USER_EXISTS: 409,
};

/**
 * GET /health, /clock, /symbols, /price?symbol=, /faults; POST /clock/step {to}, /clock/run {speed}, /clock/stop,
 * /halts {symbol}, /faults {kind, …}, /login, /users {email, …};
 * DELETE /halts/{symbol}, /faults, /faults/{id}. All need the bearer token.
 */
export function createAdmin({ portal, clock, token, cutBytes, tables, log }: AdminOptions): Express {
  const { engine } = portal;
  const app = express();
  app.disable('x-powered-by');
  app.use((request, response, next) => {
    if (isAuthorized(request.get('authorization'), token)) next();
    else response.status(401).json({ code: 'UNAUTHORIZED', error: 'Give the admin token as a bearer.' });
  });
  // Also of `null` and the like, so that whoever reads the body can say what it should be.
  app.use(express.json({ limit: '100kb', type: () => true, strict: false }));
  app.get('/health', (_request, response) => {
    response.json({
      ok: true,
      ...clock.status(),
      ...counts(engine),
      ledgerCutBytes: cutBytes,
      rateRefusals: portal.penalty.refused,
      tables: tables(),
    });
  });
  app.get('/clock', (_request, response) => {
    response.json(clock.status());
  });
  app.post('/clock/step', (request, response) => {
    response.json(clock.step(field(request.body, 'to')));
  });
  app.post('/clock/run', (request, response) => {
    response.json(clock.run(field(request.body, 'speed')));
  });
  app.post('/clock/stop', (_request, response) => {
    response.json(clock.stop());
  });
  app.get('/symbols', (_request, response) => {
    response.json({ symbols: symbols(engine) });
  });
  app.post('/users', (request, response) => {
    const { user, apiKey } = createUser(engine, request.body, portal.clock.now());
    const { userId, email, account, expiresAt } = user;
    response.status(201).json({ userId, email, account, expiresAt, apiKey });
  });
  app.use(haltRoutes(portal));
  app.use(faultRoutes(portal));
  app.get('/price', (request, response) => {
    const price = priceOf(engine, request.query['symbol']);
    if (price === null)
      response
        .status(404)
        .json({ code: 'NOT_FOUND', error: 'There is no such symbol, or no price of it yet.' });
    else response.json(price);
  });
  app.use((_request, response) => {
    response.status(404).json({ code: 'NOT_FOUND', error: 'The simulator has no such admin path.' });
  });
  app.use((error: unknown, _request: Request, response: Response, next: NextFunction) => {
    if (response.headersSent) {
      next(error);
      return;
    }
    const { status, code, message } = describe(error);
    if (status >= 500) log(error);
    response.status(status).json({ code, error: message });
  });
  return app;
}

/** Halts of trading, of one instrument each. */
function haltRoutes({ engine }: Portal): express.Router {
  const { market } = engine;
  const router = express.Router();
  const conidOf = (symbol: unknown): number => {
    const found = typeof symbol === 'string' ? market.bySymbol(symbol) : undefined;
    if (found !== undefined) return found.conid;
    throw new KeelError('BAD_REQUEST', '`symbol` must be one of GET /symbols.');
  };
  router.post('/halts', (request, response) => {
    engine.halt(conidOf(field(request.body, 'symbol')));
    response.status(201).json({ halted: halted(engine) });
  });
  router.delete('/halts/:symbol', (request, response) => {
    engine.resume(conidOf(request.params.symbol));
    response.json({ halted: halted(engine) });
  });
  return router;
}

const halted = ({ market, state }: Engine): string[] =>
  [...state.halted].flatMap((conid) => market.instrument(conid)?.symbol ?? []);

/** Clearing also ends what faults have begun: the penalty, orders that no list shows, executions that one has twice. */
function faultRoutes(portal: Portal): express.Router {
  const { faults, penalty, hidden, doubled } = portal;
  const router = express.Router();
  router.get('/faults', (_request, response) => {
    response.json({ faults: faults.list() });
  });
  router.post('/faults', (request, response) => {
    response.status(201).json(faults.add(request.body));
  });
  router.delete('/faults', (_request, response) => {
    penalty.until = 0;
    hidden.clear();
    doubled.clear();
    response.json({ cleared: faults.clear() });
  });
  router.delete('/faults/:id', (request, response) => {
    const { id } = request.params;
    if (/^[1-9]\d*$/.test(id)) response.json({ cleared: faults.clear(Number(id)) });
    else
      response
        .status(404)
        .json({ code: 'NOT_FOUND', error: 'The id of a fault is a number; GET /faults has them.' });
  });
  router.post('/login', (_request, response) => {
    logIn(portal);
    response.json({ loggedIn: true });
  });
  return router;
}

/** Compares digests, which have one length, in constant time. */
function isAuthorized(header: string | undefined, token: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(header ?? ''), digest(`Bearer ${token}`));
}

const field = (body: unknown, name: string): unknown =>
  typeof body === 'object' && body !== null ? (body as Record<string, unknown>)[name] : undefined;

const counts = ({ market, state }: Engine): object => ({
  openOrders: state.open.size,
  orders: state.orderCount,
  executions: state.executionCount,
  droppedRows: Object.fromEntries(market.instruments.map(({ symbol, droppedRows }) => [symbol, droppedRows])),
});

const symbols = ({ market }: Engine): object[] =>
  market.instruments.map(({ symbol, conid, name, kind, synthetic, bars }) => ({
    symbol,
    conid,
    name,
    kind,
    synthetic,
    sessions: bars.length,
    firstSession: bars[0]?.session.date ?? null,
    lastSession: bars.at(-1)?.session.date ?? null,
  }));

/** What is known of a symbol at the market's time; null before its first bar. */
function priceOf({ market, state }: Engine, symbol: unknown): object | null {
  const instrument = typeof symbol === 'string' ? market.bySymbol(symbol) : undefined;
  const quote = instrument === undefined ? null : market.quote(instrument.conid, state.now);
  if (instrument === undefined || quote === null) return null;
  const session = market.calendarOf(instrument.conid).session(quote.bar.time.slice(0, 10));
  const over = session !== null && session.close <= state.now;
  return {
    price: quote.last.toFixed(2),
    currency: 'USD',
    // In a session only its open is known: the price was made then.
    at: over ? session.close : quote.bar.time,
    previousClose: quote.priorClose?.toFixed(2) ?? null,
    volume: quote.bar.volume,
  };
}

function describe(error: unknown): { status: number; code: string; message: string } {
  if (error instanceof KeelError)
    return { status: statusOf[error.code] ?? 503, code: error.code, message: error.message };
  if (error instanceof Error && 'status' in error && typeof error.status === 'number' && error.status < 500)
    return { status: error.status, code: 'BAD_REQUEST', message: error.message };
  return { status: 500, code: 'INTERNAL', message: 'The simulator failed; its log says more.' };
}
