// Waiting with a deadline, for conditions that no event announces: another process's file, log or death.
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Asks every `everyMs` until the answer is not null.
 * @returns the answer, or null when `deadlineMs` (wall clock) have passed
 */
export async function poll<T>(
  deadlineMs: number,
  everyMs: number,
  ask: () => T | null | Promise<T | null>,
): Promise<T | null> {
  const end = performance.now() + deadlineMs;
  for (;;) {
    const answer = await ask();
    if (answer !== null) return answer;
    if (performance.now() >= end) return null;
    await sleep(Math.min(everyMs, Math.max(1, end - performance.now())));
  }
}
