// Stands before the routers of the Client Portal front: faults that act on a request as a whole, and the penalty clock.
// Faults of one endpoint's content are in that endpoint's file. Called by app.ts.
import type { RequestHandler, Request, Response } from 'express';
import type { Endpoint, Fault } from '../faults.js';
import { endSession, noBridge } from './portal.js';
import type { Portal } from './portal.js';
import { beginPenalty, refusePacing } from './penalty.js';

const HTML = '<html><body><h1>Resource not found</h1></body></html>';
/** Into how many pieces a slow answer is cut. */
const PIECES = 10;

/** What a request is about, by method and path below /v1/api. */
export function endpointOf(method: string, path: string): Endpoint {
  const table: readonly (readonly [RegExp, Endpoint])[] = [
    [/^POST \/iserver\/account\/[^/]+\/orders?$/, 'place'],
    [/^POST \/iserver\/reply\//, 'reply'],
    [/^POST \/iserver\/account\/[^/]+\/order\//, 'modify'],
    [/^DELETE \/iserver\/account\/[^/]+\/order\//, 'cancel'],
    [/^GET \/iserver\/account\/orders/, 'orders'],
    [/^GET \/iserver\/account\/order\/status\//, 'order-status'],
    [/^GET \/iserver\/account\/trades/, 'trades'],
    [/^GET \/iserver\/marketdata\/history/, 'history'],
    [/^GET \/iserver\/marketdata\/snapshot/, 'snapshot'],
    [/^[A-Z]+ (\/iserver\/(secdef|contract)|\/trsrv)\//, 'contracts'],
    [/^[A-Z]+ \/iserver\/accounts?$/, 'accounts'],
    [/^[A-Z]+ \/portfolio2?\//, 'portfolio'],
    [/^[A-Z]+ (\/tickle|\/logout|\/sso\/|\/iserver\/auth\/|\/iserver\/reauthenticate)/, 'session'],
  ];
  const line = `${method} ${path}`;
  return table.find(([pattern]) => pattern.test(line))?.[1] ?? 'other';
}

export function faultGate(portal: Portal): RequestHandler {
  const { faults } = portal;
  return (request, response, next) => {
    const endpoint = endpointOf(request.method, request.path);
    const pacing = faults.take('pacing-429', endpoint);
    if (pacing !== null) {
      beginPenalty(portal, pacing.ms);
      refusePacing(portal, response);
      return;
    }
    if (faults.take('session-loss', endpoint) !== null) endSession(portal, { login: true });
    if (faults.take('login-loss', endpoint) !== null) endSession(portal, { login: false });
    if (faults.take('competing', endpoint) !== null) {
      endSession(portal, { login: true });
      portal.session.competing = true;
    }
    if (isAnswered(portal, endpoint, response)) return;
    watchAnswer(portal, endpoint, request, response);
    const delay = faults.take('delay', endpoint);
    if (delay?.ms) setTimeout(next, delay.ms);
    else next();
  };
}

/** Faults that answer in place of everything else. */
function isAnswered({ faults }: Portal, endpoint: Endpoint, response: Response): boolean {
  if (faults.take('no-bridge', endpoint) !== null) noBridge(response);
  else if (faults.take('no-session', endpoint) !== null) response.json({ error: 'no session' });
  else if (faults.take('html', endpoint) !== null) response.status(404).type('html').send(HTML);
  else {
    const aborted = faults.take('aborted-503', endpoint);
    if (aborted === null) return false;
    setTimeout(() => {
      response.status(503).json({ error: 'request aborted', statusCode: 503 });
    }, aborted.ms ?? 0);
  }
  return true;
}

/** Faults that act on an answer, once what was asked is done. `accepted` is set by whoever takes an order. */
function watchAnswer({ faults }: Portal, endpoint: Endpoint, request: Request, response: Response): void {
  const send = response.send.bind(response);
  response.send = (body: unknown) => {
    response.send = send;
    if (typeof body !== 'string') return send(body);
    if (response.locals['accepted'] === true) {
      if (faults.take('accept-then-drop', endpoint) !== null) {
        request.socket.destroy();
        return response;
      }
      if (faults.take('accept-then-500', endpoint) !== null)
        return response.status(500).json({ error: 'Internal Server Error', statusCode: 500 });
    }
    const text =
      faults.take('truncated-json', endpoint) === null ? body : body.slice(0, Math.ceil(body.length / 2));
    const slow = faults.take('slow', endpoint);
    return slow === null ? send(text) : trickle(response, text, slow);
  };
}

/** Sends a text in pieces, so that the last one arrives when the fault's time is over. */
function trickle(response: Response, text: string, { ms }: Fault): Response {
  const bytes = Buffer.from(text, 'utf8');
  const size = Math.max(1, Math.ceil(bytes.length / PIECES));
  let sent = 0;
  response.setHeader('Content-Length', String(bytes.length));
  response.flushHeaders();
  const timer = setInterval(
    () => {
      // It takes as long where nobody waits for it any more.
      if (!response.destroyed) response.write(bytes.subarray(sent, sent + size));
      sent += size;
      if (sent < bytes.length) return;
      clearInterval(timer);
      response.end();
    },
    Math.ceil((ms ?? 0) / PIECES),
  );
  timer.unref();
  return response;
}
