// The rules of the broker's login: when to look, when to keep it awake, when to open it anew, when only a person can help.
// Pure: the clock comes in with each call. activities/brokerSession.ts acts on them.

/**
 * starting: not looked at yet · up: orders may go out · lost: opened again by itself · competing: another login of the same
 * user name has it · needs-login: waits for a person, however long · limited: IBKR has stopped Keel's requests for a while, so
 * that nobody can look, and nobody has to do anything.
 */
export type SessionPhase = 'starting' | 'up' | 'lost' | 'competing' | 'needs-login' | 'limited';

export interface SessionState {
  readonly phase: SessionPhase;
  /** Why it is not up; null while it is. */
  readonly reason: string | null;
  /** When the phase began, milliseconds since the epoch. */
  readonly since: number;
  /** Counts the sessions that came up: who prepared something for an earlier one has to prepare it again. */
  readonly epoch: number;
  /** Looks in a row that brought no answer. */
  readonly failures: number;
  /** Attempts to open it since it was last up for long, or a person logged in. */
  readonly attempts: number;
  /** Whether the last look found a login at all. */
  readonly connected: boolean;
  /** When a session that is still unusable is opened, milliseconds since the epoch; null while none has to be. */
  readonly openAt: number | null;
  /** The next act, set by what the last look found. */
  readonly next: 'status' | 'open' | 'prepare';
  /** Earliest time of the next look or act, and of the next tickle. */
  readonly dueAt: number;
  readonly tickleAt: number;
}

/**
 * What an act brought. `failed` is no answer at all, or none that can be read; of `open`, that nothing was sent.
 */
export type Observation =
  | {
      readonly kind: 'status';
      readonly authenticated: boolean;
      readonly connected: boolean;
      /** False while a new session is not ready; builds that do not say are taken at their word. */
      readonly established: boolean;
      readonly competing: boolean;
    }
  | { readonly kind: 'no-login' }
  | { readonly kind: 'failed'; readonly reason: string }
  /** Not made, or answered with the penalty itself: it says nothing of the login. `until`, milliseconds since the epoch. */
  | { readonly kind: 'limited'; readonly until: number; readonly reason: string }
  | { readonly kind: 'opened' }
  | { readonly kind: 'prepared' }
  | { readonly kind: 'tickled' };

export type SessionAct = 'status' | 'tickle' | 'open' | 'prepare';

export interface SessionEvent {
  readonly kind: 'up' | 'lost' | 'competing' | 'needs-login' | 'limited';
  readonly reason: string | null;
}

/** Wall milliseconds, and counts. */
export interface SessionRules {
  readonly statusMs: number;
  readonly tickleMs: number;
  /** From opening it to the first look. */
  readonly settleMs: number;
  /** Up for so long, the attempts are forgotten. */
  readonly steadyMs: number;
  /** Looks without an answer that are a loss. */
  readonly failuresAreLoss: number;
  /**
   * The wait before each attempt to open it. There are no more, as IBKR may lock the account out; where Keel itself is the
   * login, the last wait stays.
   */
  readonly backOffMs: readonly number[];
  /** Whether Keel itself is the login, by OAuth: then there is no gateway, and no person can log in by hand. */
  readonly oauth: boolean;
  /** Whether another login of the same user name may be pushed out. */
  readonly compete: boolean;
}

/** Together longer than a nightly reset takes as a rule, wall milliseconds. */
const backOffMs = [2000, 10_000, 60_000, 5 * 60_000, 15 * 60_000];
/** After those, where nobody can help: through a maintenance of hours, and at most so often in a day. */
const oauthBackOffMs = [...backOffMs, 60 * 60_000];

/** IBKR's figures, all times divided by the gateway's factor. A lost session is told after two looks: well within 60 s. */
export const sessionRules = (factor: number, compete: boolean, oauth = false): SessionRules => ({
  statusMs: 15_000 / factor,
  tickleMs: 55_000 / factor,
  settleMs: 2000 / factor,
  steadyMs: (10 * 60_000) / factor,
  failuresAreLoss: 2,
  backOffMs: (oauth ? oauthBackOffMs : backOffMs).map((ms) => ms / factor),
  compete,
  oauth,
});

export const startingState = (now: number): SessionState => ({
  phase: 'starting',
  reason: null,
  since: now,
  epoch: 0,
  failures: 0,
  attempts: 0,
  connected: false,
  openAt: null,
  next: 'status',
  dueAt: now,
  tickleAt: now,
});

/**
 * The state as a new watch goes on with it. An attempt to open that the last one counted may have been sent, or may still be:
 * it is looked for and never made again.
 */
export const resumedState = (state: SessionState, now: number, rules: SessionRules): SessionState =>
  state.next === 'open' ? { ...state, next: 'status', dueAt: now + rules.settleMs } : state;

/** The act that is due, or how long there is none (milliseconds). */
export function nextSessionAct(
  state: SessionState,
  now: number,
): { readonly act: SessionAct } | { readonly waitMs: number } {
  if (now >= state.dueAt) return { act: state.next };
  if (state.phase === 'up' && now >= state.tickleAt) return { act: 'tickle' };
  const until = state.phase === 'up' ? Math.min(state.dueAt, state.tickleAt) : state.dueAt;
  return { waitMs: until - now };
}

export interface SessionStep {
  readonly state: SessionState;
  readonly events: readonly SessionEvent[];
}

/** The state after an act. */
export function observeSession(
  state: SessionState,
  seen: Observation,
  now: number,
  rules: SessionRules,
): SessionStep {
  switch (seen.kind) {
    case 'status':
      return onStatus({ ...state, failures: 0 }, seen, now, rules);
    case 'no-login':
      return toPhase({ ...state, failures: 0, connected: false }, 'needs-login', noLogin, now, rules);
    case 'failed':
      return onFailure(state, seen.reason, now, rules);
    case 'limited':
      return onLimit(state, seen, now, rules);
    case 'opened':
      return quiet({ ...state, next: 'status', dueAt: now + rules.settleMs });
    case 'prepared':
      return toPhase(state, 'up', null, now, rules);
    case 'tickled':
      return quiet({ ...state, tickleAt: now + rules.tickleMs });
  }
}

const noLogin = 'the gateway has no login: a person must log in';
const quiet = (state: SessionState): SessionStep => ({ state, events: [] });

function onStatus(
  before: SessionState,
  seen: Extract<Observation, { readonly kind: 'status' }>,
  now: number,
  rules: SessionRules,
): SessionStep {
  // A login that was not there before is a person's: what was tried before it counts no more. By OAuth it is none's.
  const attempts = !rules.oauth && seen.connected && !before.connected ? 0 : before.attempts;
  const state = { ...before, attempts, connected: seen.connected };
  if (!seen.connected && !seen.authenticated) return toPhase(state, 'needs-login', noLogin, now, rules);
  if (seen.competing && !rules.compete) {
    return toPhase(state, 'competing', 'another login of this user name holds the session', now, rules);
  }
  if (seen.authenticated && seen.established && !seen.competing) return onUsable(state, now, rules);
  const reason = seen.competing ? 'another login of this user name had taken the session' : endOf(now);
  return reopen(state, reason, now, rules);
}

function onUsable(before: SessionState, now: number, rules: SessionRules): SessionStep {
  const state = { ...before, openAt: null };
  if (state.phase !== 'up') return quiet({ ...state, next: 'prepare', dueAt: now });
  const attempts = now - state.since >= rules.steadyMs ? 0 : state.attempts;
  return quiet({ ...state, attempts, next: 'status', dueAt: now + rules.statusMs });
}

/**
 * Connected and not usable: it is opened, until that has been tried too often. Opening breaks a session that has come up by
 * itself, so the looks go on during the wait, and only one that finds it unusable after the wait opens it.
 */
function reopen(state: SessionState, reason: string, now: number, rules: SessionRules): SessionStep {
  const waitMs = rules.backOffMs[state.attempts] ?? (rules.oauth ? rules.backOffMs.at(-1) : undefined);
  if (waitMs === undefined) {
    const why = `${reason}, and ${String(rules.backOffMs.length)} attempts to open it have failed: a person must log in`;
    return toPhase(state, 'needs-login', why, now, rules);
  }
  const { state: lost, events } = toPhase(state, 'lost', reason, now, rules);
  const openAt = state.openAt ?? now + waitMs;
  if (now < openAt) {
    return { state: { ...lost, openAt, dueAt: Math.min(openAt, now + rules.statusMs) }, events };
  }
  return {
    state: { ...lost, openAt: null, attempts: state.attempts + 1, next: 'open', dueAt: now },
    events,
  };
}

function onFailure(state: SessionState, reason: string, now: number, rules: SessionRules): SessionStep {
  const failures = state.failures + 1;
  // What never reached IBKR was no attempt.
  const attempts = state.next === 'open' ? state.attempts - 1 : state.attempts;
  const after = { ...state, failures, attempts };
  // What cannot be prepared is of no use, however well the status looks.
  if (state.next === 'prepare') return toPhase(after, 'lost', reason, now, rules);
  if (failures < rules.failuresAreLoss || state.phase === 'needs-login' || state.phase === 'competing') {
    return quiet({ ...after, next: 'status', dueAt: now + rules.statusMs });
  }
  const { state: lost, events } = toPhase(after, 'lost', reason, now, rules);
  // A wait that has begun goes on: looks that fail now and then must not put the opening off for ever.
  return { state: { ...lost, openAt: after.openAt }, events };
}

/**
 * No look that has failed, and no attempt to open. The next one waits for the end; the turns until then only keep what is
 * told fresh. What a person has to do stays told: the penalty ends without him, and that does not.
 */
function onLimit(
  before: SessionState,
  { until, reason }: Extract<Observation, { readonly kind: 'limited' }>,
  now: number,
  rules: SessionRules,
): SessionStep {
  const attempts = before.next === 'open' ? before.attempts - 1 : before.attempts;
  const state = { ...before, attempts, failures: 0 };
  const dueAt = now + Math.max(0, Math.min(until - now, rules.statusMs));
  if (state.phase === 'needs-login' || state.phase === 'competing')
    return quiet({ ...state, next: 'status', dueAt });
  const { state: limited, events } = toPhase(state, 'limited', reason, now, rules);
  return { state: { ...limited, openAt: before.openAt, dueAt }, events };
}

function toPhase(
  state: SessionState,
  phase: SessionEvent['kind'],
  reason: string | null,
  now: number,
  rules: SessionRules,
): SessionStep {
  const next = { ...state, openAt: null, next: 'status' as const, dueAt: now + rules.statusMs };
  if (state.phase === phase) return quiet({ ...next, reason });
  const up = phase === 'up';
  return {
    state: {
      ...next,
      phase,
      reason,
      since: now,
      epoch: state.epoch + (up ? 1 : 0),
      tickleAt: up ? now + rules.tickleMs : state.tickleAt,
    },
    events: [{ kind: phase, reason }],
  };
}

/** Midnight of IBKR's regions in UTC, summer and winter: New York, Hong Kong, Zug. */
const resetHours = [4, 5, 16, 22, 23];
const nearMs = 20 * 60_000;
const dayMs = 24 * 60 * 60_000;

function endOf(now: number): string {
  const midnight = resetHours.some((hour) => {
    const away = Math.abs((now % dayMs) - hour * 60 * 60_000);
    return Math.min(away, dayMs - away) <= nearMs;
  });
  return midnight ? 'the session ended, as IBKR does at midnight' : 'the session ended';
}
