// The penalty clock: who is too fast gets 429 to everything until it has run down. Called by faultGate.ts.
import type { Response } from 'express';
import type { Portal } from './portal.js';

/** IBKR's own penalty, wall milliseconds; divided by the factor of the limits. */
const PENALTY_MS = 900_000;

export const isInPenalty = ({ penalty, clock }: Portal): boolean => clock.now() < penalty.until;

/** @param ms how long; null for the broker's own length, scaled */
export function beginPenalty({ penalty, clock, limitsFactor }: Portal, ms: number | null): void {
  penalty.until = clock.now() + (ms ?? PENALTY_MS / limitsFactor);
}

export function refusePacing({ penalty }: Portal, response: Response): void {
  penalty.refused += 1;
  response.status(429).json({ error: 'Too Many Requests', statusCode: 429 });
}
