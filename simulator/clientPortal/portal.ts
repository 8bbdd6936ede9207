// What every router of the Client Portal front shares: the engine, the login's session, and its guards.
import { randomBytes } from 'node:crypto';
import type { Request, RequestHandler, Response } from 'express';
import type { Clock } from '../../ports/clocks.js';
import type { Engine } from '../engine.js';
import type { Faults } from '../faults.js';
import type { Live } from '../live/live.js';

/** What the broker remembers of one login. Kept in memory only, as a gateway does. */
export interface BrokerageSession {
  /** What the WebSocket's cookie names; another one in each brokerage session. */
  id: string;
  /** A person is logged in. Without that nothing but the login page works. */
  loggedIn: boolean;
  /** The brokerage session is open; without it nothing under /iserver works. */
  authenticated: boolean;
  /** Another login of the same user name holds the brokerage session. */
  competing: boolean;
  /** /iserver/accounts has been called. */
  accountsQueried: boolean;
  positionsRead: boolean;
  tradesRead: boolean;
  ordersPrimed: boolean;
  /** Filters of the live orders; they stay until `force`. */
  filters: readonly string[];
  /** The account that is selected, and whether the client has chosen it. */
  account: string;
  switched: boolean;
  /** Message ids of questions that are no longer asked. */
  readonly suppressed: Set<string>;
  /** Broker milliseconds since the epoch: the login, and the last request. */
  loggedInAt: number;
  usedAt: number;
  /** Contracts whose market data stream is open. */
  readonly streams: Set<number>;
  /** The one order that waits for an answer to the broker's question. */
  pending: PendingReply | null;
}

export interface Question {
  readonly messageId: string;
  readonly text: string;
}

export interface PendingReply {
  readonly id: string;
  /** The question that was asked, and those that come after it. */
  readonly questions: readonly Question[];
  /** Does what was asked for, and answers. */
  readonly act: (response: Response) => void;
}

export interface Portal {
  readonly engine: Engine;
  /** The accounts of the login, the first of which is selected in a new session. Users may join later. */
  readonly accounts: string[];
  /** The machine's time. */
  readonly clock: Clock;
  /** How fast the clocks of the session run, and from when on, wall milliseconds since the epoch. */
  readonly clockFactor: number;
  readonly startedAt: number;
  /** Whether the login ends at midnight of New York; else it is renewed there, as by a person who logs in again. */
  readonly midnightReset: boolean;
  readonly session: BrokerageSession;
  readonly faults: Faults;
  /** By how much the broker's limits and penalty are scaled: 50 allows 50 times as much. */
  readonly limitsFactor: number;
  /** Wall milliseconds since the epoch until which everything is refused with 429. */
  /** `refused` counts the requests that were answered 429. */
  readonly penalty: { until: number; refused: number };
  /**
   * Orders that no list shows yet, and until when, milliseconds since the epoch, of the wall or of the market: whichever is
   * over first, for a market that is stepped would leave such seconds hours behind.
   */
  readonly hidden: Map<number, { readonly wall: number; readonly market: number }>;
  /** Executions that the list has twice. */
  readonly doubled: Set<string>;
  /** Orders whose cancel is on its way. */
  readonly cancelling: Set<number>;
  /** Where prices are of a chain of sources; null where bars are replayed. */
  readonly live: Live | null;
}

const unread = {
  accountsQueried: false,
  positionsRead: false,
  tradesRead: false,
  ordersPrimed: false,
  filters: [],
  switched: false,
  pending: null,
};

const newId = (): string => randomBytes(16).toString('hex');

/** A session that has just begun. */
export const freshSession = (account: string, now: number): BrokerageSession => ({
  ...unread,
  id: newId(),
  loggedIn: true,
  authenticated: true,
  competing: false,
  account,
  streams: new Set(),
  suppressed: new Set(),
  loggedInAt: now,
  usedAt: now,
});

/** What an init or a logout leaves: everything is to be asked for again. */
export function renew({ session, accounts }: Portal, authenticated: boolean): void {
  Object.assign(session, unread, {
    id: newId(),
    authenticated,
    competing: false,
    account: accounts[0],
  });
  session.streams.clear();
  session.suppressed.clear();
}

/** Ends the brokerage session, and the login too unless it stays. */
export function endSession(portal: Portal, { login }: { readonly login: boolean }): void {
  renew(portal, false);
  portal.session.loggedIn &&= login;
}

/** The two tiers: a login for everything, a brokerage session for /iserver. */
export const requireLogin =
  ({ session }: Portal): RequestHandler =>
  (request, response, next) => {
    if (!session.loggedIn) response.status(401).json({ error: 'not authenticated', statusCode: 401 });
    else if (!session.authenticated && request.path.startsWith('/iserver/')) noBridge(response);
    else next();
  };

export function noBridge(response: Response): void {
  response.status(400).json({ error: 'Bad Request: no bridge', statusCode: 400 });
}

/** True while a fault keeps an order out of every list. */
export function isHidden({ hidden, clock, engine }: Portal, orderId: number): boolean {
  const until = hidden.get(orderId);
  if (until === undefined) return false;
  if (clock.now() < until.wall && Date.parse(engine.state.now) < until.market) return true;
  hidden.delete(orderId);
  return false;
}

export const requireAccounts =
  ({ session }: Portal): RequestHandler =>
  (_request, response, next) => {
    if (session.accountsQueried) next();
    else response.status(500).json({ error: 'Please query /accounts first' });
  };

/** The account of the path; null when it is not of this login: the broker's error has been sent. */
export function accountOfPath({ accounts }: Portal, request: Request, response: Response): string | null {
  const account = request.params['account'];
  if (typeof account === 'string' && accounts.includes(account)) return account;
  response.status(500).json({ error: 'Account id is not valid' });
  return null;
}

/** A query parameter that is given once; null otherwise. */
export const query = (request: Request, name: string): string | null => {
  const value = request.query[name];
  return typeof value === 'string' ? value : null;
};

/** A switch of the query, read as Java reads one: capitals do not matter, and all but true is off. */
export const isOn = (request: Request, name: string): boolean =>
  query(request, name)?.toLowerCase() === 'true';

/** The fields of a JSON object; none for anything else. */
export const fieldsOf = (body: unknown): Readonly<Record<string, unknown>> =>
  typeof body === 'object' && body !== null && !Array.isArray(body) ? (body as Record<string, unknown>) : {};

/** YYMMDDHHmmss UTC. */
export const shortTime = (instant: string): string => instant.replace(/\D/g, '').slice(2, 14);

/** YYYYMMDD-HH:mm:ss UTC. */
export const longTime = (instant: string): string =>
  `${instant.slice(0, 10).replaceAll('-', '')}-${instant.slice(11, 19)}`;
