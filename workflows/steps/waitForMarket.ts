// The one way to wait for the market. A durable timer where the machine is the market's clock; in simulated mode a wait
// for the driver's signal, checked again every 30 s of wall time in case a signal was lost.
import { condition, sleep } from '@temporalio/workflow';
import type { Mode } from '../../contracts/wire/names.js';
import { stored } from './proxies.js';

const recheck = '30 seconds';

export interface MarketWait {
  readonly mode: Mode;
  readonly runId: string;
  /** Market instant, ISO 8601 UTC. */
  readonly instant: string;
  readonly deadlineMs: number;
  /** The last instant that a marketReached signal named, or null. */
  readonly signalled: () => string | null;
  /** True once something else ended the wait. */
  readonly interrupted: () => boolean;
}

/** @returns true when the market reached the instant, false when the wait was interrupted. */
export async function waitForMarket(wait: MarketWait): Promise<boolean> {
  const { checkMarket, stopWaiting } = stored(wait.deadlineMs);
  const { runId, instant } = wait;
  for (;;) {
    const told = wait.signalled();
    const { reached, now } = await checkMarket({ runId, instant });
    if (reached) return true;
    if (wait.mode === 'simulated') {
      // Only news since the check: a signal that the market's clock does not bear out must not turn this into a hot loop.
      const signalled = () => wait.signalled() !== told && (wait.signalled() ?? '') >= instant;
      await condition(() => wait.interrupted() || signalled(), recheck);
    } else {
      const left = Date.parse(instant) - Date.parse(now);
      await Promise.race([sleep(Math.max(left, 1)), condition(() => wait.interrupted())]);
    }
    if (wait.interrupted()) {
      await stopWaiting(runId);
      return false;
    }
  }
}
