// The market's time in simulated mode, over the simulator's admin HTTP; and the one hand that steps it. The clock is
// for worker and API, the stepper for the driver alone.
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

/** The reason in one word: what fetch throws may hold the request and its token. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unreachable';
  if (error.name === 'TimeoutError') return 'no answer in time';
  const cause: unknown = error.cause;
  const code = cause instanceof Error && 'code' in cause ? cause.code : null;
  return typeof code === 'string' ? code : 'unreachable';
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

async function ask(
  admin: SimulatorAdmin,
  what: string,
  path: string,
  body: string | null,
): Promise<MarketTime> {
  let status: number;
  let text: string;
  try {
    const response = await fetch(`${admin.adminUrl.replace(/\/+$/, '')}${path}`, {
      method: body === null ? 'GET' : 'POST',
      headers: {
        Authorization: `Bearer ${admin.token}`,
        ...(body === null ? {} : { 'Content-Type': 'application/json' }),
      },
      ...(body === null ? {} : { body }),
      redirect: 'error',
      signal: AbortSignal.timeout(admin.timeoutMs),
    });
    status = response.status;
    text = await response.text();
  } catch (error) {
    throw away(what, reasonOf(error));
  }
  if (status >= 400 && status < 500) throw refusal(what, status, text);
  if (status !== 200) throw away(what, `status ${status}`);
  try {
    return answerSchema.parse(JSON.parse(text));
  } catch {
    throw away(what, 'an answer that is no market time');
  }
}

export function createSimulatedMarketClock(admin: SimulatorAdmin): MarketClock {
  return { now: () => ask(admin, 'Reading the market clock', '/clock', null) };
}

export function createMarketStepper(admin: SimulatorAdmin): MarketStepper {
  return {
    step: (to) => ask(admin, `Stepping the market clock to ${to}`, '/clock/step', JSON.stringify({ to })),
  };
}
