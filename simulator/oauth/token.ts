// The broker's half of the exchange for a live session token. Called by front.ts.
import { createHmac, randomBytes } from 'node:crypto';
import type { OauthConsumer } from './verify.js';

/** base^exponent modulo the prime, by squaring. Not for secrets of worth: its time depends on them. */
function power(base: bigint, exponent: bigint, modulus: bigint): bigint {
  let result = 1n;
  let square = base % modulus;
  for (let left = exponent; left > 0n; left >>= 1n) {
    if ((left & 1n) === 1n) result = (result * square) % modulus;
    square = (square * square) % modulus;
  }
  return result;
}

/** Two's complement, big end first, as Java's BigInteger writes it. */
function javaBytes(number: bigint): Buffer {
  const hex = number.toString(16);
  const even = hex.length % 2 === 0 ? hex : `0${hex}`;
  return Buffer.from(/^[89a-f]/.test(even) ? `00${even}` : even, 'hex');
}

export interface IssuedToken {
  readonly key: Buffer;
  /** Hex: what the consumer needs to come to the same key, and what tells it that it has. */
  readonly response: string;
  readonly signature: string;
}

/** @returns null for a challenge that is no number of the group */
export function issueToken(consumer: OauthConsumer, challenge: string): IssuedToken | null {
  const prime = BigInt(`0x${consumer.prime}`);
  if (!/^[0-9a-f]+$/i.test(challenge)) return null;
  const theirs = BigInt(`0x${challenge}`);
  if (theirs <= 1n || theirs >= prime - 1n) return null;
  const own = BigInt(`0x${randomBytes(32).toString('hex')}`);
  const shared = power(theirs, own, prime);
  const key = createHmac('sha1', javaBytes(shared)).update(Buffer.from(consumer.secret, 'hex')).digest();
  return {
    key,
    response: power(BigInt(consumer.generator), own, prime).toString(16),
    signature: createHmac('sha1', key).update(consumer.consumerKey).digest('hex'),
  };
}
