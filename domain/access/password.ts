// What a password must be, before its strength is estimated. Called by everything that sets one.

export const passwordCharacters = { least: 12, most: 256 } as const;

/** Composed (NFC), so that the same letters are the same password on every keyboard. Nothing is ever cut off. */
export const composed = (password: string): string => password.normalize('NFC');

/** @param password composed. @returns why it can not be used, or null. Characters are counted as Unicode counts them. */
export function passwordFault(password: string): string | null {
  const { least, most } = passwordCharacters;
  if (/\p{Surrogate}/u.test(password)) return 'holds half of a character';
  const length = Array.from(password).length;
  if (length < least) return `has ${String(length)} characters; take at least ${String(least)}`;
  if (length > most) return `has ${String(length)} characters; take at most ${String(most)}`;
  return null;
}
