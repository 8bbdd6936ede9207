// Users of the simulator's own API: made with a key that is shown once and kept as a hash. Called by admin.ts and
// ownApi/routes.ts.
import { createHash, randomBytes } from 'node:crypto';
import { z } from 'zod';
import { KeelError } from '../ports/errors.js';
import type { Engine } from './engine.js';
import type { User } from './exchange/types.js';
import { wordsOf } from './ownApi/problems.js';

/** The user that every simulator has, for trying its API; its key is no secret. */
const sampleUser = { email: 'test@example.com', key: 'test-api-key-123', cash: '10000.00' } as const;

const wishSchema = z
  .strictObject({
    /** Kept in lower case: the same person in other letters is no second user. */
    email: z.email('must be an e-mail address').max(254).toLowerCase(),
    /** USD that a new account opens with: a hundred times as much still fits the tables, numeric(15,2). */
    cash: z
      .string()
      .regex(/^\d{1,11}(\.\d{1,2})?$/, 'must be dollars of at most 11 digits and 2 decimals')
      .optional(),
    /** An account that exists; without it a new one is opened. */
    account: z.string().min(1).max(32).optional(),
    /** ISO 8601 UTC with milliseconds, of the machine's clock; null: for ever. */
    expiresAt: z.iso
      .datetime({ precision: 3, error: 'must be an instant such as 2027-01-31T00:00:00.000Z' })
      .nullable()
      .default(null),
  })
  .refine(({ cash, account }) => cash === undefined || account === undefined, {
    path: ['cash'],
    message: 'is for a new account; one that exists keeps what it has',
  });

/** SHA-256 in hex. Keys are random and long, so that a slow hash would add nothing. */
const keyHashOf = (key: string): string => createHash('sha256').update(key, 'utf8').digest('hex');

/**
 * Makes a user with a new key.
 * @param now milliseconds of the machine's clock
 * @throws KeelError BAD_REQUEST or USER_EXISTS
 */
export function createUser(
  engine: Engine,
  wish: unknown,
  now: number,
): { readonly user: User; readonly apiKey: string } {
  const parsed = wishSchema.safeParse(wish);
  if (!parsed.success) throw new KeelError('BAD_REQUEST', `No such user: ${wordsOf(parsed.error)}.`);
  const apiKey = `keel_${randomBytes(24).toString('base64url')}`;
  const { email, cash, account, expiresAt } = parsed.data;
  const isTaken = [...engine.state.users.values()].some((user) => user.email.toLowerCase() === email);
  if (isTaken || email === sampleUser.email)
    throw new KeelError('USER_EXISTS', `There is a user ${email} already.`);
  if (account !== undefined && !engine.state.accounts.has(account))
    throw new KeelError('BAD_REQUEST', `There is no account ${account}.`);
  if (expiresAt !== null && Date.parse(expiresAt) <= now)
    throw new KeelError('BAD_REQUEST', `A key that expired at ${expiresAt} would open nothing.`);
  const keyHash = keyHashOf(apiKey);
  return {
    user: engine.addUser({
      email,
      keyHash,
      expiresAt,
      account: account ?? null,
      cash: cash ?? sampleUser.cash,
    }),
    apiKey,
  };
}

/** The user of a key; null when it is nobody's. The sample user and its account begin with the first use of its key. */
export function userOfKey(engine: Engine, key: string): User | null {
  const known = engine.state.users.get(keyHashOf(key));
  if (known !== undefined) return known;
  return key === sampleUser.key ? ensureSampleUser(engine) : null;
}

/** The sample user; made where it is not there yet. */
export function ensureSampleUser(engine: Engine): User {
  const { email, key, cash } = sampleUser;
  const keyHash = keyHashOf(key);
  const known = engine.state.users.get(keyHash);
  return known ?? engine.addUser({ email, keyHash, expiresAt: null, account: null, cash });
}
