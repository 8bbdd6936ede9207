// The market's time in simulated mode, over the simulator's admin HTTP; and the one hand that steps it. The clock is
// for worker and API, the stepper for the driver alone.
import http from 'node:http';
import https from 'node:https';
import { text as bodyOf } from 'node:stream/consumers';
import { z } from 'zod';
import type { MarketClock, MarketTime } from '../../ports/clocks.js';
import { KeelError } from '../../ports/errors.js';

export interface SimulatorAdmin {
  /** Such as `http://127.0.0.1:7497`. */
  readonly adminUrl: string;
  readonly token: string;
  /** For the whole request, milliseconds. */
  readonly timeoutMs: number;
}

export interface MarketStepper {
  /**
   * Moves the market to an instant, ISO 8601 UTC; it never goes back.
   * @throws KeelError MARKET_CLOCK_AWAY (retryable), MARKET_CLOCK_REFUSED (final) with the simulator's words.
   */
  step(to: string): Promise<MarketTime>;
}

const answerSchema = z.object({
  now: z.iso.datetime({ offset: true }).transform((text) => new Date(text).toISOString()),
  step: z.number().int().min(0),
});

const away = (what: string, reason: string): KeelError =>
  new KeelError('MARKET_CLOCK_AWAY', `${what} failed: ${reason}. Check that the simulator runs.`, {
    errorClass: 'retryable',
    facts: { what, reason },
  });

/** The reason in one word: an error's own text may hold more. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unreachable';
  if (error.name === 'AbortError' || error.name === 'TimeoutError') return 'no answer in time';
  return 'code' in error && typeof error.code === 'string' ? error.code : 'unreachable';
}

const refusalSchema = z.object({ code: z.string(), error: z.string() });

function refusal(what: string, status: number, text: string): KeelError {
  let words = { code: 'NO_CODE', error: 'no reason was given' };
  try {
    words = refusalSchema.parse(JSON.parse(text));
  } catch {
    // A refusal without words is still one.
  }
  return new KeelError('MARKET_CLOCK_REFUSED', `${what} was refused: ${words.error.slice(0, 300)}`, {
    facts: { what, status, reason: words.code.slice(0, 60) },
  });
}

/** One kept connection costs half of what a fetch does, and each price asks for the time. */
interface Line {
  readonly admin: SimulatorAdmin;
  readonly agent: http.Agent;
  readonly send: typeof http.request;
}

/** Idle connections are ended before the simulator ends them, so that none is used that is about to go. */
const idleMs = 3000;

function openLine(admin: SimulatorAdmin): Line {
  const { Agent, request } = admin.adminUrl.startsWith('https:') ? https : http;
  return { admin, agent: new Agent({ keepAlive: true, timeout: idleMs }), send: request };
}

function exchange(
  { admin, agent, send }: Line,
  path: string,
  body: string | null,
): Promise<{ readonly status: number; readonly text: string }> {
  return new Promise((resolve, reject) => {
    const request = send(
      `${admin.adminUrl.replace(/\/+$/, '')}${path}`,
      {
        agent,
        method: body === null ? 'GET' : 'POST',
        headers: {
          Authorization: `Bearer ${admin.token}`,
          ...(body === null
            ? {}
            : { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) }),
        },
        signal: AbortSignal.timeout(admin.timeoutMs),
      },
      (response) => {
        bodyOf(response).then((text) => {
          resolve({ status: response.statusCode ?? 0, text });
        }, reject);
      },
    );
    request.once('error', reject);
    request.end(body ?? undefined);
  });
}

async function ask(line: Line, what: string, path: string, body: string | null): Promise<MarketTime> {
  const { status, text } = await exchange(line, path, body).catch((error: unknown) => {
    throw away(what, reasonOf(error));
  });
  if (status >= 400 && status < 500) throw refusal(what, status, text);
  if (status !== 200) throw away(what, `status ${status}`);
  try {
    return answerSchema.parse(JSON.parse(text));
  } catch {
    throw away(what, 'an answer that is no market time');
  }
}

export function createSimulatedMarketClock(admin: SimulatorAdmin): MarketClock {
  const line = openLine(admin);
  return { now: () => ask(line, 'Reading the market clock', '/clock', null) };
}

export function createMarketStepper(admin: SimulatorAdmin): MarketStepper {
  const line = openLine(admin);
  return {
    step: (to) => ask(line, `Stepping the market clock to ${to}`, '/clock/step', JSON.stringify({ to })),
  };
}
