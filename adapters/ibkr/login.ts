// The login as its owner works on it: status, tickle, init, and what a new session wants. Made by gateway.ts; every answer
// becomes an observation, because a loop that keeps a login alive must not die of one.
import type { Observation } from '../../domain/brokerSession/rules.js';
import type { BrokerLoginPort } from '../../ports/brokerSession.js';
import { KeelError } from '../../ports/errors.js';
import type { IbkrClient } from './client.js';
import { anyObjectSchema, authStatusSchema } from './schemas.js';
import type { IbkrSession } from './session.js';
import { limitedUntil } from './sharedTurns.js';
import { initEndpoint, statusEndpoint, tickleEndpoint } from './sessionEndpoints.js';

/** For each call, wall milliseconds: a gateway that hangs must not hide a loss for longer. */
const timeoutMs = 5000;

/** A look that these stop says nothing of the login. */
const limitCodes: readonly string[] = ['IBKR_RATE_LIMITED', 'IBKR_PACING_DEADLINE'];

/** What an act that failed tells: that there is no login, that IBKR has limited requests, or nothing. By OAuth there is no login to wait for. */
const reading =
  ({ oauth, stoppedUntil }: Pick<LoginOptions, 'oauth' | 'stoppedUntil'>) =>
  (error: unknown): Observation => {
    if (!(error instanceof KeelError)) throw error;
    const until = stoppedUntil();
    if (until !== null && limitCodes.includes(error.code))
      return { kind: 'limited', until, reason: limitedUntil(until) };
    return error.code === 'IBKR_UNAUTHORIZED' && !oauth
      ? { kind: 'no-login' }
      : { kind: 'failed', reason: error.message };
  };

/** Whether the request never left: then IBKR counts nothing. */
const unsent = (error: unknown): boolean =>
  error instanceof KeelError &&
  (error.code === 'IBKR_PACING_DEADLINE' || [error.facts['sent'], error.facts['signed']].includes(false));

/** Right after a session was opened the gateway may still say that there is none: that is a status too. */
const idle: Observation = {
  kind: 'status',
  authenticated: false,
  connected: true,
  established: false,
  competing: false,
};

export interface LoginOptions {
  readonly client: IbkrClient;
  readonly session: Pick<IbkrSession, 'lost' | 'join'>;
  readonly compete: boolean;
  /** Whether Keel itself is the login, by OAuth: then there is one as soon as anything is answered. */
  readonly oauth: boolean;
  /** When a penalty ends, milliseconds since the epoch; null while there is none. */
  readonly stoppedUntil: () => number | null;
}

export function createIbkrLogin(options: LoginOptions): BrokerLoginPort {
  const { client, session, compete, oauth } = options;
  const seenIn = reading(options);
  return {
    status: () =>
      client.call(statusEndpoint, { timeoutMs }, authStatusSchema).then(
        (found): Observation => ({
          kind: 'status',
          authenticated: found.authenticated,
          // Builds that leave it out are dead where they are not authenticated.
          connected: oauth || (found.connected ?? found.authenticated),
          established: found.established !== false,
          competing: found.competing === true,
        }),
        (error: unknown) =>
          error instanceof KeelError && error.code === 'IBKR_NO_BRIDGE' ? idle : seenIn(error),
      ),
    tickle: () =>
      client.call(tickleEndpoint, { timeoutMs }, anyObjectSchema).then(
        (): Observation => ({ kind: 'tickled' }),
        // The status, which comes more often, tells what it means.
        (error: unknown): Observation => (error instanceof KeelError ? { kind: 'tickled' } : seenIn(error)),
      ),
    open: async () => {
      session.lost();
      const body = { publish: true, compete };
      return client.call(initEndpoint, { body, timeoutMs }, anyObjectSchema).then(
        (): Observation => ({ kind: 'opened' }),
        (error: unknown): Observation => {
          const seen = seenIn(error);
          return seen.kind === 'no-login' || unsent(error) ? seen : { kind: 'opened' };
        },
      );
    },
    prepare: async () => {
      session.lost();
      return session.join().then((): Observation => ({ kind: 'prepared' }), seenIn);
    },
  };
}
