// What every router of the Client Portal front shares: the engine, the login's session, and its guards.
import type { Request, RequestHandler, Response } from 'express';
import type { Clock } from '../../ports/clocks.js';
import type { Engine } from '../engine.js';

/** What the broker remembers of one login. Kept in memory only, as a gateway does. */
export interface BrokerageSession {
  authenticated: boolean;
  /** /iserver/accounts has been called. */
  accountsQueried: boolean;
  positionsRead: boolean;
  tradesRead: boolean;
  ordersPrimed: boolean;
  /** Contracts whose market data stream is open. */
  readonly streams: Set<number>;
}

export interface Portal {
  readonly engine: Engine;
  readonly accountId: string;
  /** The machine's time. */
  readonly clock: Clock;
  readonly session: BrokerageSession;
}

const unread = {
  accountsQueried: false,
  positionsRead: false,
  tradesRead: false,
  ordersPrimed: false,
};

/** A session that has just begun. */
export const freshSession = (): BrokerageSession => ({ ...unread, authenticated: true, streams: new Set() });

/** What an init or a logout leaves: everything is to be asked for again. */
export function renew(session: BrokerageSession, authenticated: boolean): void {
  Object.assign(session, unread, { authenticated });
  session.streams.clear();
}

export const requireLogin =
  ({ session }: Portal): RequestHandler =>
  (_request, response, next) => {
    if (session.authenticated) next();
    else response.status(401).json({ error: 'not authenticated', statusCode: 401 });
  };

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
