// The OAuth front: the same Client Portal API for a consumer that signs its requests, as api.ibkr.com offers it. There is no
// login page; the exchange for a live session token is the login. Called by server.ts.
import express from 'express';
import type { Express, Request, RequestHandler, Response } from 'express';
import { renew } from '../clientPortal/portal.js';
import type { Portal } from '../clientPortal/portal.js';
import { brokerTime } from '../clientPortal/sessionClock.js';
import { issueToken } from './token.js';
import { hasAddress, isSignedByKey, isSignedByToken, readHeader } from './verify.js';
import type { OauthConsumer, OauthHeader } from './verify.js';

export const tokenPath = '/v1/api/oauth/live_session_token';

/** How old or early a timestamp may be. A nonce is remembered for as long. */
const WINDOW_MS = 300_000;
const DAY_MS = 86_400_000;

export interface OauthOptions {
  readonly consumer: OauthConsumer;
  /** How long a live session token holds, milliseconds; a day when left out. */
  readonly tokenMs?: number;
}

interface Issued {
  readonly key: Buffer;
  readonly endsAt: number;
}

/** What is wrong with a request before its signature is looked at; null when nothing is. */
function complaint(header: OauthHeader | null, consumer: OauthConsumer, now: number): string | null {
  if (header === null) return 'missing authorization';
  const { fields, realm } = header;
  if (fields['oauth_consumer_key'] !== consumer.consumerKey || realm !== consumer.realm)
    return 'invalid consumer';
  if (fields['oauth_token'] !== consumer.accessToken) return 'invalid token';
  const at = Number(fields['oauth_timestamp'] ?? NaN) * 1000;
  if (!Number.isInteger(at) || Math.abs(now - at) > WINDOW_MS) return 'invalid timestamp';
  return null;
}

function refuse(response: Response, text: string): void {
  response.status(401).json({ error: `id: 3931, error: ${text}`, statusCode: 401 });
}

/** Nonces of the window, with their time: none is taken twice. */
function createNonces(): (nonce: string, at: number) => boolean {
  const seen = new Map<string, number>();
  return (nonce, at) => {
    for (const [old, then] of seen) {
      if (at - then <= 2 * WINDOW_MS) break;
      seen.delete(old);
    }
    if (nonce === '' || seen.has(nonce)) return false;
    seen.set(nonce, at);
    return true;
  };
}

/** @param api the Client Portal front that signed requests go on to */
export function createOauthFront(
  portal: Portal,
  { consumer, tokenMs = DAY_MS }: OauthOptions,
  api: RequestHandler,
): Express {
  const { clock } = portal;
  const isNew = createNonces();
  let issued: Issued | null = null;

  /** The refusal of a request, or null. */
  function judge(request: Request): string | null {
    const header = readHeader(request.get('authorization'));
    const wrong = complaint(header, consumer, clock.now());
    if (header === null || wrong !== null) return wrong;
    const method = header.fields['oauth_signature_method'];
    const nonce = header.fields['oauth_nonce'] ?? '';
    if (request.path === tokenPath) {
      if (method !== 'RSA-SHA256') return 'invalid signature method';
      if (!isSignedByKey(request, header, consumer)) return 'invalid signature';
    } else {
      if (method !== 'HMAC-SHA256') return 'invalid signature method';
      if (issued === null || issued.endsAt <= clock.now()) return 'live session token expired';
      if (!isSignedByToken(request, header, issued.key)) return 'invalid signature';
    }
    return isNew(nonce, clock.now()) ? null : 'nonce already used';
  }

  function issue(request: Request, response: Response): void {
    const challenge = readHeader(request.get('authorization'))?.fields['diffie_hellman_challenge'] ?? '';
    const token = issueToken(consumer, challenge);
    if (token === null) {
      refuse(response, 'invalid diffie hellman challenge');
      return;
    }
    const endsAt = clock.now() + tokenMs;
    issued = { key: token.key, endsAt };
    const now = brokerTime(portal);
    Object.assign(portal.session, { loggedIn: true, loggedInAt: now, usedAt: now });
    // The brokerage session is opened by an init, as everywhere.
    renew(portal, false);
    response.json({
      diffie_hellman_response: token.response,
      live_session_token_signature: token.signature,
      live_session_token_expiration: endsAt,
    });
  }

  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.use((request, response, next) => {
    if (!hasAddress(request)) {
      response.status(400).json({ error: 'Bad Request: the request names no address', statusCode: 400 });
      return;
    }
    const wrong = judge(request);
    if (wrong === null) next();
    else refuse(response, wrong);
  });
  app.post(tokenPath, issue);
  app.use(api);
  return app;
}
