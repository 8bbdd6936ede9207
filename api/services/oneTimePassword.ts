// The password that a user is given for his first login, or after he has lost his own. Called by users.ts and cli/admin.ts.
import { randomBytes } from 'node:crypto';

/** 100 random bits that can be typed: five letters or digits, four times. */
export function oneTimePassword(): string {
  const alphabet = 'abcdefghijklmnopqrstuvwxyz234567';
  const letters = [...randomBytes(20)].map((byte) => alphabet.charAt(byte & 31)).join('');
  return letters.replace(/(.{5})(?=.)/g, '$1-');
}
