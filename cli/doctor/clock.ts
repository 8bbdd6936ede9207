// Compares this machine's clock with another's. Called by the checks of the services that tell their time.
import type { Finding } from './types.js';

const warnMs = 2000;
const faultMs = 30_000;

/**
 * @param theirs what the other clock said, milliseconds since 1970
 * @param before this machine's time before the question was asked, and `after` after it was answered
 * @param grainMs how coarse the other clock is: 1000 for the Date header of HTTP
 * @returns one finding: nothing of the way there and back counts as skew
 */
export function skewFinding(
  who: string,
  { theirs, before, after, grainMs }: Readonly<Record<'theirs' | 'before' | 'after' | 'grainMs', number>>,
): Finding {
  const ahead = before - (theirs + grainMs);
  const behind = theirs - after;
  const skew = Math.max(ahead, behind, 0);
  if (skew < warnMs) return { check: 'clock', status: 'ok', found: `agrees with that of ${who}` };
  return {
    check: 'clock',
    status: skew >= faultMs ? 'fault' : 'warning',
    found: `this machine is ${String(Math.round(skew / 1000))} s ${ahead > behind ? 'ahead of' : 'behind'} ${who}`,
    cause: 'one of the two clocks is not set by the network',
    fix: 'switch time synchronisation on (timedatectl set-ntp true, or chrony), on both',
  };
}
