// Fresh broker state for those who weigh an order. Nobody polls for himself: they wait for the one poller.
import type { Clock, MarketTime } from '../ports/clocks.js';
import { KeelError } from '../ports/errors.js';
import type { BrokerSnapshot } from '../ports/stores.js';
import type { Pause } from './pause.js';

export interface FreshnessRule {
  /** Milliseconds of wall time that a snapshot may be old. */
  readonly snapshotMaxAgeMs: number;
  /** How long to wait for the next poll, and how often to look. */
  readonly waitMs: number;
  readonly lookMs: number;
}

/** How far the clocks of two workers may differ. A snapshot from further ahead is of unknown age: a clock was set back. */
const clockSkewMs = 2000;

/**
 * Fresh: read within the last `snapshotMaxAgeMs`, and after the last step of the market clock. That it was read after
 * our own last write needs no check here: an intent reserves until a snapshot shows what became of it.
 */
export const isFresh = (
  snapshot: Pick<BrokerSnapshot, 'readStartedAt' | 'marketStep'>,
  market: MarketTime,
  rule: FreshnessRule,
  nowMs: number,
): boolean => {
  const ageMs = nowMs - Date.parse(snapshot.readStartedAt);
  return ageMs >= -clockSkewMs && ageMs <= rule.snapshotMaxAgeMs && snapshot.marketStep >= market.step;
};

/**
 * Calls `attempt` until it gives a result, at most `waitMs`. The last call is told that it is the last: what does not
 * need a fresh snapshot may then give its result as things are.
 * @throws KeelError BROKER_STATE_STALE (final) when no fresh snapshot came in time.
 */
export async function whenFresh<T>(
  rule: FreshnessRule,
  clock: Clock,
  pause: Pause,
  attempt: (last: boolean) => Promise<T | 'stale'>,
): Promise<T> {
  const deadline = clock.now() + rule.waitMs;
  for (;;) {
    const last = clock.now() >= deadline;
    const result = await attempt(last);
    if (result !== 'stale') return result;
    if (last) {
      throw new KeelError(
        'BROKER_STATE_STALE',
        `no broker state younger than ${rule.snapshotMaxAgeMs} ms came within ${rule.waitMs} ms: look at the broker's session and the brokerState workflow`,
      );
    }
    await pause(rule.lookMs);
  }
}
