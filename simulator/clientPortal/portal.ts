// What every router of the Client Portal front shares: the engine, the login's session, and its guards.
import type { Request, RequestHandler, Response } from 'express';
import type { Clock } from '../../ports/clocks.js';
import type { Engine } from '../engine.js';
import type { Faults } from '../faults.js';

/** What the broker remembers of one login. Kept in memory only, as a gateway does. */
export interface BrokerageSession {
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
  readonly accountId: string;
  /** The machine's time. */
  readonly clock: Clock;
  readonly session: BrokerageSession;
  readonly faults: Faults;
  /** By how much the broker's limits and penalty are scaled: 50 allows 50 times as much. */
  readonly limitsFactor: number;
  /** Wall milliseconds since the epoch until which everything is refused with 429. */
  readonly penalty: { until: number };
  /** Orders that no list shows yet, and until when, wall milliseconds since the epoch. */
  readonly hidden: Map<number, number>;
}

const unread = {
  accountsQueried: false,
  positionsRead: false,
  tradesRead: false,
  ordersPrimed: false,
  pending: null,
};

/** A session that has just begun. */
export const freshSession = (): BrokerageSession => ({
  ...unread,
  loggedIn: true,
  authenticated: true,
  competing: false,
  streams: new Set(),
});

/** What an init or a logout leaves: everything is to be asked for again. */
export function renew(session: BrokerageSession, authenticated: boolean): void {
  Object.assign(session, unread, { authenticated, competing: false });
  session.streams.clear();
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
export function isHidden({ hidden, clock }: Portal, orderId: number): boolean {
  const until = hidden.get(orderId);
  if (until === undefined) return false;
  if (clock.now() < until) return true;
  hidden.delete(orderId);
  return false;
}

export const requireAccounts =
  ({ session }: Portal): RequestHandler =>
  (_request, response, next) => {
    if (session.accountsQueried) next();
    else response.status(500).json({ error: 'Please query /accounts first' });
  };

/** Answers true when the path's account is ours; else the broker's error has been sent. */
export function isOurAccount({ accountId }: Portal, request: Request, response: Response): boolean {
  if (request.params['account'] === accountId) return true;
  response.status(500).json({ error: 'Account id is not valid' });
  return false;
}

/** A query parameter that is given once; null otherwise. */
export const query = (request: Request, name: string): string | null => {
  const value = request.query[name];
  return typeof value === 'string' ? value : null;
};

/** The fields of a JSON object; none for anything else. */
export const fieldsOf = (body: unknown): Readonly<Record<string, unknown>> =>
  typeof body === 'object' && body !== null && !Array.isArray(body) ? (body as Record<string, unknown>) : {};

/** YYMMDDHHmmss UTC. */
export const shortTime = (instant: string): string => instant.replace(/\D/g, '').slice(2, 14);

/** YYYYMMDD-HH:mm:ss UTC. */
export const longTime = (instant: string): string =>
  `${instant.slice(0, 10).replaceAll('-', '')}-${instant.slice(11, 19)}`;
