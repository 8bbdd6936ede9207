// Text of third parties (symbols, names of companies, what a model wrote earlier) before it may stand in a prompt or be
// shown: one spelling, no characters that hide or reorder, a cap, and quoted as data between lines nobody can forge.
import { createHash } from 'node:crypto';

// Controls but tab and newline, soft hyphen, zero-width, bidi marks and overrides, joiners, variation selectors,
// interlinear marks, byte order mark, tags, and lone surrogates.
const hidden =
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\u{e0000}-\u{e0fff}\p{Cs}]/gu;

/**
 * @param most characters that are kept
 * @returns NFKC, without hidden characters, at most `most` characters long
 */
export const cleanText = (text: string, most: number): string =>
  Array.from(text.normalize('NFKC').replace(hidden, '')).slice(0, most).join('');

/** Names in prompts are short. */
export const nameOf = (text: string): string => cleanText(text, 120).replace(/\s+/g, ' ').trim();

/**
 * Puts data between two lines that hold the hash of the data: data can not hold its own hash, so nothing in it can end
 * the block. The same data always give the same block, which answers are found again by.
 */
export function quoteData(data: unknown): { readonly text: string; readonly sha256: string } {
  const json = JSON.stringify(data);
  const sha256 = createHash('sha256').update(json).digest('hex');
  const mark = sha256.slice(0, 32);
  return { text: `<<<DATA ${mark}\n${json}\nDATA ${mark}>>>`, sha256 };
}
