// What holds an open run up at the broker, in words. Called by progress.ts and runs.ts.
import type { StepName, StepProgress } from '../../contracts/wire/run.js';
import { troubleWords, unreadWords } from '../../domain/brokerSession/trouble.js';
import type { Clock } from '../../ports/clocks.js';
import type { BrokerStateStore } from '../../ports/stores.js';

export interface HeldUpDeps {
  readonly brokerState: Pick<BrokerStateStore, 'trouble' | 'lastReadAt'>;
  readonly clock: Clock;
}

/** Steps that stand still while the account is not read: they weigh an order on it, or follow one. */
const readers: readonly StepName[] = ['evaluateRisk', 'orderLifecycle'];

/** What a step may take for itself: at the start of Keel the first read comes within it. */
const stepMs = 30_000;

/**
 * Why the broker cannot be read now: a step that needs it waits. For people to read, so a database that is away says nothing.
 * @returns code and words; undefined where the broker is read, or the run waits for the market or has ended
 */
export async function heldUpBy(
  { brokerState, clock }: HeldUpDeps,
  { status, steps }: { readonly status: string; readonly steps: readonly StepProgress[] },
): Promise<string | undefined> {
  if (status !== 'running') return undefined;
  const trouble = await brokerState.trouble(null).catch(() => null);
  const told = troubleWords(trouble, clock.now());
  if (told !== null) return told;
  const waits = steps.some(
    ({ name, ms, startedAt }) =>
      ms === null && readers.includes(name) && clock.now() - Date.parse(startedAt) > stepMs,
  );
  if (!waits) return undefined;
  const words = brokerState.lastReadAt(null).then((at) => unreadWords(at, clock.now()));
  return (await words.catch(() => null)) ?? undefined;
}
