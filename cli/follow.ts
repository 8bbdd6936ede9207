// Prints a run's steps as they happen, until it has ended. Used by `npm start` and `keel run`.
import type { Api, Progress } from './api.js';
import { ApiError } from './api.js';
import type { Say } from './say.js';
import { duration, minute, timeOfDay } from './say.js';
import { setTimeout as sleep } from 'node:timers/promises';

const instants = /\d{4}-\d\d-\d\dT[\d:.]+Z/g;

/** Whether words tell the same: the end of a penalty is known to each process a little otherwise. */
function isSame(one: string, other: string): boolean {
  const [ours, theirs] = [one, other].map((words) => (words.match(instants) ?? []).map(Date.parse));
  return (
    one.replace(instants, '') === other.replace(instants, '') &&
    (ours ?? []).every((at, index) => Math.abs(at - (theirs?.[index] ?? Infinity)) < 60_000)
  );
}

/** Turns each progress into the lines that are new since the last one. */
export function createStepPrinter(say: Say): (progress: Progress) => void {
  const printed = new Set<string>();
  let waiting: string | null = null;
  /** What has held the run up since its last step: it may come and go, and is told once. */
  let told: string[] = [];
  return ({ steps, waitingFor, heldUpBy, decision, mode }) => {
    steps.forEach(({ name, startedAt, ms }, index) => {
      const id = `${String(index)} ${name}`;
      if (ms === null || printed.has(id)) return;
      printed.add(id);
      told = [];
      const words = name === 'decide' && decision !== null ? `   ${decision.action}` : '';
      say(`  ${timeOfDay(startedAt)}  ${name.padEnd(18)} ${duration(ms).padStart(8)}${words}`);
    });
    // In an open market it is the instant of the decision: there is nothing to wait for.
    const isAhead = mode === 'simulated' || Date.parse(waitingFor ?? '') > Date.now();
    if (waitingFor !== null && waitingFor !== waiting && isAhead)
      say(`                waits for the market: ${minute(waitingFor)}`);
    waiting = waitingFor;
    if (heldUpBy === undefined || told.some((words) => isSame(words, heldUpBy))) return;
    told.push(heldUpBy);
    say(`                waits for the broker: ${heldUpBy}`);
  };
}

export interface FollowOptions {
  readonly signal: AbortSignal;
  readonly say: Say;
  /** Wall milliseconds that may pass without any progress; null where a run may wait for days. */
  readonly patienceMs: number | null;
  /** Wall milliseconds that the API may stay away, as while it is started again; two minutes unless given. */
  readonly awayMs?: number;
}

/**
 * Follows a run to its end, over an API that restarts meanwhile too.
 * @returns the last progress
 * @throws ApiError when the API stays away for `awayMs`, or nothing moves for `patienceMs`; the signal's reason when it aborts
 */
export async function followToEnd(api: Api, runId: string, options: FollowOptions): Promise<void> {
  const { signal, say, patienceMs, awayMs = 120_000 } = options;
  const print = createStepPrinter(say);
  let lastNews = performance.now();
  let away: Away | null = null;
  const stuck = new AbortController();
  const timer = setInterval(() => {
    if (patienceMs !== null && performance.now() - lastNews > patienceMs) stuck.abort();
  }, 1000);
  const either = AbortSignal.any([signal, stuck.signal]);
  try {
    for (;;) {
      try {
        for await (const progress of api.follow(runId, either)) {
          lastNews = performance.now();
          away = null;
          print(progress);
        }
        return;
      } catch (error) {
        if (signal.aborted)
          say('  interrupted: the run is still open and goes on while Keel is up, or at its next start');
        signal.throwIfAborted();
        if (stuck.signal.aborted) throw stillOpen(runId, patienceMs ?? 0, error);
        if (!(error instanceof ApiError) || !['API_AWAY', 'STREAM_ENDED'].includes(error.code)) throw error;
        away = stillAway(away);
        // A stream that broke off once is no news: it is opened again.
        if (away.asked === 2) say('  the API does not answer; it is asked again');
        if (performance.now() - away.since > awayMs) throw goneFor(runId, awayMs, error);
        await sleep(500);
      }
    }
  } finally {
    clearInterval(timer);
  }
}

/** Since when the API has told nothing, and how often it was asked in vain. */
interface Away {
  readonly since: number;
  readonly asked: number;
}

const stillAway = (before: Away | null): Away => ({
  since: before?.since ?? performance.now(),
  asked: (before?.asked ?? 0) + 1,
});

const stillOpen = (runId: string, patienceMs: number, cause: unknown): ApiError =>
  new ApiError(
    'NO_PROGRESS',
    `run ${runId} has made no progress for ${duration(patienceMs)}: look at it in the Temporal Web UI and at the worker's log`,
    { cause },
  );

const goneFor = (runId: string, awayMs: number, cause: unknown): ApiError =>
  new ApiError(
    'API_AWAY',
    `the API has not answered for ${duration(awayMs)}; run ${runId} is kept, and goes on once Keel is up: see its logs, and keel runs then`,
    { cause },
  );
