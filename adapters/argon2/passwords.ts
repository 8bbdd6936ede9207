// Hashes passwords with argon2id, off the event loop and few at a time. Called by the composition root of the API and
// by the commands that make users.
import { availableParallelism } from 'node:os';
import { hash, verify } from '@node-rs/argon2';
import type { PasswordHasher } from '../../ports/access.js';
import { KeelError } from '../../ports/errors.js';

/**
 * Memory in KiB, passes, lanes. OWASP asks for 19 MiB and 2 passes at least; this is 64 MiB and 3 (RFC 9106, second
 * choice), about 100 ms on a core of 2024.
 */
export const argon2Cost = { memoryCost: 65_536, timeCost: 3, parallelism: 1 } as const;
const outOfPlace = 100;

const unpadded = (bytes: number): string => Buffer.alloc(bytes, 1).toString('base64').replace(/=+$/, '');
/** Of no password that anybody knows, at the same cost. */
const nobodysHash =
  `$argon2id$v=19$m=${String(argon2Cost.memoryCost)},t=${String(argon2Cost.timeCost)},p=${String(argon2Cost.parallelism)}` +
  `$${unpadded(16)}$${unpadded(32)}`;

/** Lets `most` work at once, in the order in which they came; the others wait. */
function createTurns(most: number) {
  const waiting: (() => void)[] = [];
  let working = 0;
  return async <T>(work: () => Promise<T>): Promise<T> => {
    if (waiting.length >= outOfPlace) {
      throw new KeelError('PASSWORDS_BUSY', 'Too many passwords are being checked at once; try again.', {
        errorClass: 'retryable',
      });
    }
    if (working >= most) await new Promise<void>((resolve) => waiting.push(resolve));
    else working += 1;
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next === undefined) working -= 1;
      else next();
    }
  };
}

/** One core is left for everything else. */
export function createPasswordHasher(most = Math.max(1, availableParallelism() - 1)): PasswordHasher {
  const turn = createTurns(most);
  const make = (password: string): Promise<string> => turn(() => hash(password, argon2Cost));
  return {
    hash: make,
    verify: async (stored, password) => {
      // Whoever is not there is looked for as long as one who is.
      const fits = await turn(() => verify(stored ?? nobodysHash, password));
      return fits && stored !== null;
    },
  };
}
