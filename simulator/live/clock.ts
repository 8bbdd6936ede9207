// The market clock of a simulator with live prices: the machine's. It can not be stepped; the exchange follows it whenever
// somebody asks something. Called by server.ts.
import type { Clock } from '../../ports/clocks.js';
import { KeelError } from '../../ports/errors.js';
import type { Engine } from '../engine.js';
import type { SteppedClock } from '../marketClock.js';

/** What only looks may see the exchange so much behind: each move is a line of the ledger. */
const LOOK_MS = 60_000;

export interface LiveClock extends SteppedClock {
  /** Moves the exchange to now; for a look only where it is far behind. */
  follow(why: 'look' | 'trade'): void;
}

export function createLiveClock(engine: Engine, clock: Clock): LiveClock {
  const status: SteppedClock['status'] = () => ({
    now: new Date(clock.now()).toISOString(),
    step: engine.state.step,
    mode: 'running',
    speed: 1,
  });
  const refuse = (): never => {
    const message = "The prices are live, so the market's time is the machine's; it can not be moved.";
    throw new KeelError('CLOCK_OF_MACHINE', message);
  };
  return {
    status,
    step: refuse,
    run: refuse,
    stop: status,
    close: () => undefined,
    follow: (why) => {
      const behindMs = clock.now() - Date.parse(engine.state.now);
      // The machine's clock may be set back; the market's never goes there.
      if (behindMs <= (why === 'trade' ? 0 : LOOK_MS)) return;
      engine.tick(new Date(clock.now()).toISOString());
    },
  };
}
