// The machine's own time, as both clocks. Used by every composition root (wall) and, in paper and live, as the market's.
import type { Clock, MarketClock } from '../../ports/clocks.js';

export function createMachineClock(): Clock {
  return { now: () => Date.now() };
}

/** The market's time is the wall's; it is never stepped. */
export function createMachineMarketClock(clock: Clock): MarketClock {
  return { now: () => Promise.resolve({ now: new Date(clock.now()).toISOString(), step: 0 }) };
}
