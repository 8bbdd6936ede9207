// What holds an open run up at the broker, in words. Called by progress.ts and runs.ts.
import { troubleWords } from '../../domain/brokerSession/trouble.js';
import type { Clock } from '../../ports/clocks.js';
import type { BrokerStateStore } from '../../ports/stores.js';

export interface HeldUpDeps {
  readonly brokerState: Pick<BrokerStateStore, 'trouble'>;
  readonly clock: Clock;
}

/**
 * Why the broker cannot be read now: a step that needs it waits. For people to read, so a database that is away says nothing.
 * @returns code and words; undefined where the broker is read, or the run waits for the market or has ended
 */
export async function heldUpBy(
  { brokerState, clock }: HeldUpDeps,
  { status }: { readonly status: string },
): Promise<string | undefined> {
  if (status !== 'running') return undefined;
  const trouble = await brokerState.trouble(null).catch(() => null);
  return troubleWords(trouble, clock.now()) ?? undefined;
}
