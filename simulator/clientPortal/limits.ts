// Pacing as the broker does it: a rate for everything, rates of single endpoints, and history requests at once. Too fast once,
// and the penalty clock runs. Called by app.ts.
import type { RequestHandler, Response } from 'express';
import type { Portal } from './portal.js';
import { beginPenalty, isInPenalty, refusePacing } from './penalty.js';

/** Requests a second in all, before the factor; as many may come at once. */
const GLOBAL_RATE = 10;
const HISTORY_AT_ONCE = 5;
/** Requests that travel together for this long count as paced, milliseconds. */
const JITTER_MS = 50;

/** Requests a second of single endpoints, before the factor. */
const rates: readonly (readonly [pattern: RegExp, perSecond: number])[] = [
  [/^GET \/iserver\/account\/(orders|trades|pnl\/partitioned)$/, 0.2],
  [/^GET \/portfolio\/(accounts|subaccounts)$/, 0.2],
  [/^GET \/iserver\/marketdata\/snapshot$/, 10],
  [/^[A-Z]+ \/tickle$/, 1],
  [/^GET \/sso\/validate$/, 1 / 60],
];

/** What is left of an allowance; it grows with time up to its capacity. */
interface Bucket {
  tokens: number;
  at: number;
}

/** Takes one from an allowance. @param perMs how fast it grows; `capacity` how much it holds at most */
function takes(
  buckets: Map<string, Bucket>,
  name: string,
  now: number,
  perMs: number,
  capacity: number,
): boolean {
  const bucket = buckets.get(name) ?? { tokens: capacity, at: now };
  const tokens = Math.min(capacity, bucket.tokens + (now - bucket.at) * perMs);
  const allowed = tokens >= 1;
  buckets.set(name, { tokens: allowed ? tokens - 1 : tokens, at: now });
  return allowed;
}

/** Calls `then` when the answer is whole, also where nobody waits for it any more: the broker's work goes on after a client has hung up. */
function onceDone(response: Response, then: () => void): void {
  const end = response.end.bind(response);
  response.end = (...parts: unknown[]) => {
    response.end = end;
    then();
    return Reflect.apply(end, response, parts) as Response;
  };
}

export function limits(portal: Portal): RequestHandler {
  const { clock, limitsFactor } = portal;
  const buckets = new Map<string, Bucket>();
  let histories = 0;
  return (request, response, next) => {
    if (isInPenalty(portal)) {
      refusePacing(portal, response);
      return;
    }
    const now = clock.now();
    const line = `${request.method} ${request.path}`;
    const global = GLOBAL_RATE * limitsFactor;
    const rate = rates.find(([pattern]) => pattern.test(line));
    const own = (rate?.[1] ?? 0) * limitsFactor;
    const isPaced =
      takes(buckets, 'all', now, global / 1000, global) &&
      // Each endpoint of a pattern has an allowance of its own.
      (rate === undefined ||
        takes(buckets, line, now, own / 1000, Math.max(1, own) + (own * JITTER_MS) / 1000));
    if (!isPaced) {
      beginPenalty(portal, null);
      refusePacing(portal, response);
      return;
    }
    if (line !== 'GET /iserver/marketdata/history') {
      next();
      return;
    }
    if (histories >= HISTORY_AT_ONCE) {
      portal.penalty.refused += 1;
      const error = 'Too many history charts requests, please try again later.';
      response.status(429).json({ error });
      return;
    }
    histories += 1;
    onceDone(response, () => {
      histories -= 1;
    });
    next();
  };
}
