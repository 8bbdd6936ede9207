// Pacing as the broker does it: so many requests in any second, limits of single endpoints, and history requests at once. Too
// fast once, and the penalty clock runs. Called by app.ts.
import type { RequestHandler, Response } from 'express';
import type { Portal } from './portal.js';
import { beginPenalty, isInPenalty, refusePacing } from './penalty.js';
import { scaledLog } from './slidingLog.js';
import type { SlidingLog } from './slidingLog.js';

export const HISTORY_AT_ONCE = 5;
export const TOO_MANY_HISTORIES = 'Too many history charts requests, please try again later.';

/** How many requests the broker takes in how many milliseconds, before the factor. */
const OF_ALL = [10, 1000] as const;
const QUARTER_HOUR_MS = 900_000;

/** The same of single endpoints; what the pattern matches names the allowance. */
const ofEndpoints: readonly (readonly [pattern: RegExp, most: number, spanMs: number])[] = [
  [/^GET \/iserver\/account\/(orders|trades|pnl\/partitioned)$/, 1, 5000],
  [/^GET \/portfolio\/(accounts|subaccounts)$/, 1, 5000],
  [/^GET \/iserver\/marketdata\/snapshot$/, 10, 1000],
  [/^POST \/iserver\/scanner\/run$/, 1, 1000],
  [/^GET \/iserver\/scanner\/params$/, 1, QUARTER_HOUR_MS],
  [/^[A-Z]+ \/tickle$/, 1, 1000],
  [/^GET \/sso\/validate$/, 1, 60_000],
  [/^[A-Z]+ \/fyi\//, 1, 1000],
  [/^[A-Z]+ \/pa\//, 1, QUARTER_HOUR_MS],
];

/** Answers whether a request is within the limits now, and counts it where it is. */
function createPacing({ clock, limitsFactor }: Portal): (line: string) => boolean {
  const all = scaledLog(...OF_ALL, limitsFactor);
  const logs = new Map<string, SlidingLog>();
  return (line) => {
    const now = clock.now();
    if (!all.takes(now)) return false;
    for (const [pattern, most, spanMs] of ofEndpoints) {
      const name = pattern.exec(line)?.[0];
      if (name === undefined) continue;
      const log = logs.get(name) ?? scaledLog(most, spanMs, limitsFactor);
      logs.set(name, log);
      return log.takes(now);
    }
    return true;
  };
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
  const isPaced = createPacing(portal);
  let histories = 0;
  return (request, response, next) => {
    if (isInPenalty(portal)) {
      refusePacing(portal, response);
      return;
    }
    // As the routers read it: neither capitals nor a slash at the end make it another endpoint.
    const line = `${request.method} ${request.path.toLowerCase().replace(/(?<=.)\/$/, '')}`;
    if (!isPaced(line)) {
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
      response.status(429).json({ error: TOO_MANY_HISTORIES });
      return;
    }
    histories += 1;
    onceDone(response, () => {
      histories -= 1;
    });
    next();
  };
}
