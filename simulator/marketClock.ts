// The market clock of the simulator: stands, is stepped, or runs at a speed. Called by admin.ts; its time is the engine's.
import type { Clock } from '../ports/clocks.js';
import { KeelError } from '../ports/errors.js';
import { isInstant } from '../domain/market/dates.js';
import type { Engine } from './engine.js';

export interface ClockStatus {
  /** ISO 8601 UTC with milliseconds. */
  readonly now: string;
  /** Steps so far; running does not count. */
  readonly step: number;
  readonly mode: 'stepped' | 'running';
  /** Market seconds a wall second; 0 while stepped. */
  readonly speed: number;
}

export interface SteppedClock {
  status(): ClockStatus;
  /**
   * Moves to an instant; the instant the clock stands at is no step.
   * @throws KeelError CLOCK_RUNNING, CLOCK_BACK, CLOCK_BEYOND or BAD_REQUEST
   */
  step(to: unknown): ClockStatus;
  /** @throws KeelError BAD_REQUEST when the speed is no number from 0.001 to 1,000,000 */
  run(speed: unknown): ClockStatus;
  stop(): ClockStatus;
  close(): void;
}

/** How often a running clock moves, wall milliseconds. Each move is a line of the ledger. */
const TICK_MS = 1000;

/** @param onFailure hears of a tick that could not be made durable; the clock has stopped then */
export function createSteppedClock(
  engine: Engine,
  clock: Clock,
  onFailure: (error: unknown) => void,
): SteppedClock {
  let running: { readonly timer: NodeJS.Timeout; readonly speed: number } | null = null;
  const { lastInstant } = engine.market;

  const status = (): ClockStatus => ({
    now: engine.state.now,
    step: engine.state.step,
    mode: running === null ? 'stepped' : 'running',
    speed: running?.speed ?? 0,
  });
  const halt = (): void => {
    if (running !== null) clearInterval(running.timer);
    running = null;
  };
  const stop = (): ClockStatus => {
    if (running !== null) {
      halt();
      engine.note({ type: 'stop' });
    }
    return status();
  };
  const start = (speed: number): void => {
    const from = Date.parse(engine.state.now);
    const wall = clock.now();
    const tick = (): void => {
      try {
        const to = new Date(Math.floor(from + (clock.now() - wall) * speed)).toISOString();
        if (to > engine.state.now) engine.tick(to < lastInstant ? to : lastInstant);
        if (to >= lastInstant) stop();
      } catch (error) {
        halt();
        onFailure(error);
      }
    };
    running = { timer: setInterval(tick, TICK_MS), speed };
  };

  return {
    status,
    step(to) {
      if (typeof to !== 'string' || !isInstant(to))
        throw new KeelError('BAD_REQUEST', '`to` must be an instant such as 2014-07-07T13:35:00.000Z.');
      if (running !== null)
        throw new KeelError('CLOCK_RUNNING', 'The clock runs; POST /clock/stop before you step it.');
      const { now } = engine.state;
      if (to < now)
        throw new KeelError('CLOCK_BACK', `The clock stands at ${now} and never goes back to ${to}.`);
      if (to > lastInstant)
        throw new KeelError(
          'CLOCK_BEYOND',
          `The clock ends at ${lastInstant}, with the calendar; ${to} is later.`,
        );
      if (to > now) engine.step(to);
      return status();
    },
    run(speed) {
      if (typeof speed !== 'number' || !(speed >= 0.001 && speed <= 1_000_000))
        throw new KeelError('BAD_REQUEST', '`speed` must be a number from 0.001 to 1000000; 1 is real time.');
      halt();
      engine.note({ type: 'run', speed });
      start(speed);
      return status();
    },
    stop,
    close: halt,
  };
}
