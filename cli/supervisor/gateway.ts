// Whether anybody answers where the broker's gateway should be, and what its login is good for, as `npm start` tells it. Called
// by main.ts once Keel is up: Keel waits for both, so that these are lines and no failure.
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import pTimeout from 'p-timeout';
import type { z } from 'zod';
import { detailedHealth } from '../../contracts/http/status.js';
import type { Api } from '../api.js';
import { ApiError } from '../api.js';

type Part = z.infer<typeof detailedHealth>['parts'][number];

const waitMs = 3000;
/** The worker has looked at the login, opened its session and read its accounts by then, as a rule. */
const loginMs = 10_000;
const lookMs = 500;

/** @returns why no connection comes about, such as ECONNREFUSED; null where one does */
function reach({ hostname, port }: URL): Promise<string | null> {
  return new Promise((resolve) => {
    // A URL has an IPv6 address in brackets, and no port where that is the usual one.
    const host = hostname.replace(/^\[|\]$/g, '');
    const socket = connect({ host, port: port === '' ? 443 : Number(port), timeout: waitMs });
    const end = (code: string | null): void => {
      socket.destroy();
      resolve(code);
    };
    socket.once('connect', () => {
      end(null);
    });
    socket.once('timeout', () => {
      end('ETIMEDOUT');
    });
    socket.once('error', (error: NodeJS.ErrnoException) => {
      end(error.code ?? 'no connection');
    });
  });
}

/** @returns what to tell of a gateway that is away; null where it is there */
export async function gatewayLine(baseUrl: string): Promise<string | null> {
  const url = new URL(baseUrl);
  const code = await reach(url);
  return code === null
    ? null
    : `the gateway at ${url.origin} does not answer (${code}): runs wait for it. Start it, or correct IBKR_BASE_URL.`;
}

/** What health says while the session is opened. */
const notSeen = /^starting/;

/**
 * Asks health, whose words are those of the login's one owner: nobody else asks the gateway. What an owner of before this start
 * has seen is of another session, and may stand there for a minute.
 * @param since when this start began, milliseconds since 1970
 * @returns what to tell of a login that is not up, such as one without the account; null where it is up, or not known in time
 * @throws the signal's reason when it aborts
 */
export async function loginLine(
  api: Pick<Api, 'ask'>,
  since: number,
  signal: AbortSignal,
  forMs = loginMs,
): Promise<string | null> {
  const over = new AbortController();
  try {
    const seen = loginSeen(api, since, AbortSignal.any([signal, over.signal]));
    // One answer alone may take longer than all of it.
    return await pTimeout(seen, { milliseconds: forMs, fallback: () => null, signal });
  } finally {
    over.abort();
  }
}

async function loginSeen(api: Pick<Api, 'ask'>, since: number, signal: AbortSignal): Promise<string | null> {
  for (;;) {
    signal.throwIfAborted();
    const login = await partOf(api);
    if (login?.lookedAt != null && Date.parse(login.lookedAt) >= since) {
      if (login.status === 'ok') return null;
      if (!notSeen.test(login.detail))
        return `the login at the broker is not up, and runs wait for it: ${login.detail}`;
    }
    await sleep(lookMs, undefined, { signal });
  }
}

async function partOf(api: Pick<Api, 'ask'>): Promise<Part | null> {
  try {
    const { parts } = await api.ask(detailedHealth, '/health/detailed');
    return parts.find(({ name }) => name === 'brokerLogin') ?? null;
  } catch (error) {
    // A part without which nothing goes on is told elsewhere.
    if (error instanceof ApiError) return null;
    throw error;
  }
}
