// Which of a strategy's profiles is asked next: the first one, unless the run has found it down more often than another.
// Made from the recorded calls alone, so that a worker that takes over from a dead one chooses the same. Called by ask.ts.
import type { CallRow } from '../../ports/conversations.js';
import { KeelError } from '../../ports/errors.js';
import type { ModelProfile } from './profile.js';

/** Whether another profile is asked after this one has failed: one that never was found down (`fresh`), or one that was. */
export type Fallback = 'fresh' | 'tried' | 'none';

/** So many requests to slow down count as one time down: each of them was heeded. */
const patience = 3;

/**
 * How often a run has found a profile down. What may have been paid for (a timeout, a lost connection, a gateway's error)
 * does not count: nobody pays twice for one question because a model was slow.
 */
export function timesDown({ name }: ModelProfile, made: readonly CallRow[]): number {
  const own = made.filter(({ profile, state }) => profile === name && state === 'failed');
  const slowed = own.filter(({ code, down }) => code === 'MODEL_RATE_LIMIT' && down !== true);
  return own.filter(({ down }) => down === true).length + Math.floor(slowed.length / patience);
}

/**
 * @param profiles in the order in which they are preferred
 * @param made the calls of the run so far
 * @throws KeelError MODEL_NOT_CONFIGURED (final) when there is none
 */
export function chooseProfile(
  profiles: readonly ModelProfile[],
  made: readonly CallRow[],
): { readonly profile: ModelProfile; readonly others: readonly ModelProfile[] } {
  // The sort is stable: among equals the order stays.
  const [profile, ...others] = [...profiles].sort((a, b) => timesDown(a, made) - timesDown(b, made));
  if (profile === undefined) throw new KeelError('MODEL_NOT_CONFIGURED', 'no model is configured');
  return { profile, others };
}

/**
 * @param profiles in the order in which they are preferred
 * @param made the calls of the run, the failed one among them
 */
export function standsReady(
  profiles: readonly ModelProfile[],
  failed: ModelProfile,
  made: readonly CallRow[],
): Fallback {
  const next = chooseProfile(profiles, made).profile;
  if (next === failed) return 'none';
  return timesDown(next, made) === 0 ? 'fresh' : 'tried';
}

/** Whether this run has been told by the profile's server that its model takes no pictures. */
export const refusedPictures = ({ name, model }: ModelProfile, made: readonly CallRow[]): boolean =>
  made.some(
    (call) => call.code === 'MODEL_NO_PICTURES' && call.profile === name && call.modelAsked === model,
  );
