// The owner of the broker's login: acts on the rules of domain/brokerSession, stores what it sees, tells what changed.
// Runs of paper and live wait here while it is away.
import { randomUUID } from 'node:crypto';
import {
  nextSessionAct,
  observeSession,
  resumedState,
  startingState,
  type Observation,
  type SessionAct,
  type SessionEvent,
  type SessionRules,
  type SessionState,
} from '../domain/brokerSession/rules.js';
import type { BrokerLoginPort, BrokerSessionStore } from '../ports/brokerSession.js';
import type { Clock } from '../ports/clocks.js';
import { KeelError } from '../ports/errors.js';
import type { NotificationStore } from '../ports/notifications.js';
import type { Pause } from './pause.js';

export interface BrokerSessionDeps {
  /** Whose login it is: one workflow for each. */
  readonly login: string;
  readonly brokerLogin: BrokerLoginPort;
  readonly brokerSessions: Pick<BrokerSessionStore, 'get' | 'take' | 'save'>;
  readonly notifications: Pick<NotificationStore, 'add'>;
  readonly sessionRules: SessionRules;
  readonly clock: Clock;
  readonly pause: Pause;
  /** True once this worker is shutting down: another one takes the watch over. */
  readonly stopping: () => boolean;
}

/** Longest sleep between two looks at the clock, so that a stop of the worker is noticed; wall milliseconds. */
const napMs = 500;

/** What a wait that begins late has at least, wall milliseconds: Keel was off, and what is stored is of before that. */
const firstLooksMs = 60_000;

export function createBrokerSessionActivities(deps: BrokerSessionDeps) {
  return {
    /**
     * Keeps the login for `forMs` of wall time. It goes on where the stored state stands, so that a worker that dies
     * forgets no attempt. A database that is away does not end it: what it saw is stored with the next look. Only an
     * attempt to open that is stored is made, so that it counts whatever happens.
     * @throws KeelError DATABASE_AWAY (retryable) where the stored state cannot be read at the beginning, SESSION_WATCHED
     *   (retryable) once another watch has begun: this one was given up for dead.
     */
    async watchSession(input: { forMs: number }): Promise<void> {
      const { clock, login } = deps;
      const end = clock.now() + input.forMs;
      const watch = randomUUID();
      const stored = (await deps.brokerSessions.take(login, watch))?.state;
      // What an earlier build stored may lack a field.
      let state = resumedState({ ...startingState(clock.now()), ...stored }, clock.now(), deps.sessionRules);
      let untold = lossOf(state);
      let unsaved: readonly SessionEvent[] = [];
      let isStored = false;
      while (clock.now() < end && !deps.stopping()) {
        const due = nextSessionAct(state, clock.now());
        if ('waitMs' in due) {
          await deps.pause(Math.min(due.waitMs, napMs));
          continue;
        }
        if (due.act !== 'open' || isStored) {
          const seen = await observe(deps.brokerLogin, due.act);
          const step = observeSession(state, seen, clock.now(), deps.sessionRules);
          state = step.state;
          const seenNow = step.events.map((event) => ({ ...event, since: step.state.since }));
          untold = await tellAll(deps, [...untold, ...seenNow]);
          unsaved = [...unsaved, ...step.events];
        } else await deps.pause(napMs);
        isStored = await saved(deps, state, unsaved, watch);
        if (isStored) unsaved = [];
      }
    },

    /**
     * Waits until the login is up, at most until then: a worker that stops hands the wait on to the next one, which has
     * what is left of it.
     * @param input `until` in milliseconds since the epoch; waits of earlier builds have none
     * @returns whether it is up; false only where the wait is over
     * @throws KeelError WORKER_STOPS (retryable).
     */
    async awaitSession({ forMs, until }: { forMs: number; until?: number }): Promise<boolean> {
      const now = deps.clock.now();
      const end = until === undefined ? now + forMs : Math.max(until, now + Math.min(forMs, firstLooksMs));
      for (;;) {
        const row = await deps.brokerSessions.get(deps.login);
        if (row?.state.phase === 'up') return true;
        if (deps.clock.now() >= end) return false;
        if (deps.stopping()) throw handedOn(deps.login);
        await deps.pause(napMs);
      }
    },
  };
}

const handedOn = (login: string): KeelError =>
  new KeelError(
    'WORKER_STOPS',
    `This worker stops; the wait for the login ${login} goes on with the next one. Start Keel again.`,
    { errorClass: 'retryable' },
  );

const observe = (port: BrokerLoginPort, act: SessionAct): Promise<Observation> => port[act]();

/** An event and when it was seen, milliseconds since the epoch. */
type Untold = SessionEvent & { readonly since: number };

/** What stands in a stored state: an earlier worker may have ended before it could tell it. */
const lossOf = ({ phase, reason, since }: SessionState): readonly Untold[] =>
  phase === 'up' || phase === 'starting' ? [] : [{ kind: phase, reason, since }];

/**
 * Tells each event on its own: told twice under one key it is one.
 * @returns those that could not be told, for the next look
 */
async function tellAll(deps: BrokerSessionDeps, events: readonly Untold[]): Promise<readonly Untold[]> {
  const left: Untold[] = [];
  for (const event of events) {
    try {
      await tell(deps, event);
    } catch {
      left.push(event);
    }
  }
  return left;
}

/**
 * Apart from the telling: runs wait for this state, whether or not people could be told.
 * @returns false while the database is away
 * @throws KeelError SESSION_WATCHED (retryable)
 */
async function saved(
  { brokerSessions, login, clock }: BrokerSessionDeps,
  state: SessionState,
  events: readonly SessionEvent[],
  watch: string,
): Promise<boolean> {
  const row = { login, state, checkedAt: new Date(clock.now()).toISOString() };
  const isOurs = await brokerSessions.save(row, events, watch).catch(() => null);
  if (isOurs === false)
    throw new KeelError('SESSION_WATCHED', `Another watch keeps the login ${login} by now; this one ends.`, {
      errorClass: 'retryable',
    });
  return isOurs === true;
}

const titles = {
  lost: 'The login at the broker is lost and is opened again',
  competing: 'Another login has taken the broker',
  'needs-login': 'The broker needs a person to log in',
  limited: 'IBKR has limited requests for a while',
} as const;

/** Reasons of the rules end without a full stop, and those of errors with one. */
const sentence = (words: string): string => (/[.!?]$/.test(words) ? words : `${words}.`);

/** Where nothing listens, nobody can log in. */
const nobodyThere = /\(ECONNREFUSED\)/;

/** By OAuth there is no gateway to log in at. */
function helpOf({ oauth }: SessionRules, { kind, reason }: SessionEvent): string {
  if (kind === 'limited')
    return 'Nobody has to log in: Keel goes on by itself then. Look who else asks IBKR under this user name.';
  if (kind === 'competing')
    return 'Nobody has to log in to Keel: end the other login (TWS, the mobile app), or set broker.compete so that Keel takes the session.';
  if (oauth) return 'Keel goes on trying by itself; keel doctor tells whether its keys and IBKR are well.';
  return nobodyThere.test(reason ?? '')
    ? 'No gateway runs there: start it, and then a person logs in.'
    : 'keel ibkr login-url tells where a person logs in.';
}

async function tell(
  { login, notifications, sessionRules }: BrokerSessionDeps,
  { kind, reason, since }: Untold,
): Promise<void> {
  if (kind === 'up') return;
  const at = new Date(since).toISOString();
  await notifications.add({
    key: `login/${login}/${kind}/${at}`,
    event: 'broker.lost',
    title: titles[kind],
    body: `${login}: ${sentence(reason ?? 'no reason is known')} ${helpOf(sessionRules, { kind, reason })}`,
    facts: { login, phase: kind, reason, at },
  });
}
