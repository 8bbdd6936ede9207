// Opening the brokerage session, from whichever lane comes to it. Called by session.ts.
import type { Clock } from '../../ports/clocks.js';
import { KeelError } from '../../ports/errors.js';
import { labelOf } from './client.js';
import type { IbkrClient } from './client.js';
import { refusalOf } from './errors.js';
import type { Lane } from './pacing.js';
import type { AuthStatus } from './schemas.js';
import { initEndpoint } from './sessionEndpoints.js';
import { sleep } from './timer.js';
import type { Timer } from './timer.js';

export interface OpeningOptions {
  readonly client: IbkrClient;
  readonly clock: Clock;
  readonly timer: Timer;
  /** Whether another login of the same user name may be pushed out. */
  readonly compete: boolean;
  /** Whether Keel itself is the login, by OAuth: then no person has to be, and what `connected` says does not count. */
  readonly oauth: boolean;
  readonly factor: number;
}

/** How long an opened session may take until it is authenticated, and how often it is asked for; wall milliseconds. */
const settleMs = 5000;
const settlePollMs = 500;

/** Says that an init was not written, because another lane had written one. */
const overtaken = new Error('another lane opens the session');

const sessionCodes = new Set(['IBKR_UNAUTHORIZED', 'IBKR_NO_BRIDGE', 'IBKR_ACCOUNTS_FIRST']);

export const isSessionLoss = (error: unknown): boolean =>
  error instanceof KeelError && sessionCodes.has(error.code);

export const usable = (status: AuthStatus): boolean =>
  status.authenticated && status.established !== false && status.competing !== true;

export const away = (message: string, cause?: unknown): KeelError =>
  new KeelError('BROKER_SESSION', message, {
    errorClass: 'retryable',
    ...(cause === undefined ? {} : { cause }),
  });

export const loginNeeded = (cause?: unknown): KeelError =>
  away('The gateway has no login: a person must log in to it in a browser.', cause);

const heldElsewhere =
  'Another login of this user name holds the brokerage session. End it, or allow Keel to compete.';

/** A gateway without a person's login. */
const noLogin = ({ oauth }: OpeningOptions, found: AuthStatus): boolean => !oauth && found.connected !== true;

/** Where only the owner of the login opens the session, everybody else waits for it. */
export function refuseUnopened(options: OpeningOptions, found: AuthStatus): never {
  if (noLogin(options, found)) throw loginNeeded();
  throw away(
    found.competing === true
      ? heldElsewhere
      : 'The brokerage session is not up; the workflow brokerSession opens it.',
  );
}

/** Waits until a session that was just opened is usable. @throws KeelError BROKER_SESSION (retryable) after 5 s. */
async function settled(
  { clock, timer, factor }: OpeningOptions,
  status: () => Promise<AuthStatus>,
): Promise<void> {
  const deadline = clock.now() + settleMs;
  const pause = Math.max(10, settlePollMs / factor);
  for (;;) {
    // Right after the session was opened the gateway may still say "no bridge" for a moment.
    const found = await status().catch((error: unknown) => {
      if (isSessionLoss(error)) return null;
      throw error;
    });
    if (found !== null && usable(found)) return;
    if (clock.now() + pause > deadline) {
      throw away('The brokerage session was opened and did not become usable within 5 s.');
    }
    await sleep(timer, pause);
  }
}

export interface Opening {
  /** Moves when an init is written, and when its opening has ended. */
  turn(): number;
  /**
   * Asks for a session and waits until it is usable. Two lanes may come to this at once, and a second init would undo the
   * first with all that was asked since: then the later one only waits.
   * @param since the turn before the status was asked for
   * @throws KeelError BROKER_SESSION (retryable)
   */
  open(found: AuthStatus, lane: Lane, since: number): Promise<void>;
}

/** @param forget called where what was asked of the session before counts no more */
export function createOpening(
  options: OpeningOptions,
  status: (lane: Lane) => Promise<AuthStatus>,
  forget: () => void,
): Opening {
  const { client } = options;
  /** Whether an init was written whose session is awaited. */
  let comingUp = false;
  let turn = 0;

  /** Asks for a brokerage session. `write` may refuse it as `overtaken` at the last moment. */
  async function init(lane: Lane, write: () => void): Promise<void> {
    const body = { publish: true, compete: options.compete };
    const answer = await client.exchange(initEndpoint, { body, lane }, write).catch((error: unknown) => {
      if (error === overtaken) return null;
      throw error;
    });
    const refusal = answer === null ? null : refusalOf(labelOf(initEndpoint), answer);
    if (refusal !== null) throw refusal;
  }

  async function open(found: AuthStatus, lane: Lane, since: number): Promise<void> {
    if (turn === since) forget();
    if (noLogin(options, found)) throw loginNeeded();
    if (found.competing === true && !options.compete) {
      throw away(heldElsewhere);
    }
    const own = { written: false };
    const write = (): void => {
      if (turn !== since) throw overtaken;
      forget();
      turn += 1;
      own.written = comingUp = true;
    };
    try {
      if (!comingUp) await init(lane, write);
      await settled(options, () => status(lane));
    } finally {
      if (own.written) {
        turn += 1;
        comingUp = false;
      }
    }
  }

  return { turn: () => turn, open };
}
