// The checksum that ends each line of the ledger: CRC-32 of the line before it, going on from the line above. So a digit
// that was changed, a line that was swapped and one that was put in do not pass for what the simulator wrote. It is no
// seal against somebody who reckons it anew. Called by ledger.ts.
import { crc32 } from 'node:zlib';

const ending = /,"sum":"([0-9a-f]{8})"\}$/;

const sumOf = (content: string, previous: string | null): string =>
  crc32(content, previous === null ? 0 : parseInt(previous, 16))
    .toString(16)
    .padStart(8, '0');

/**
 * @param line a JSON object as text
 * @param previous the checksum of the line above; null above the first
 */
export function summed(
  line: string,
  previous: string | null,
): { readonly line: string; readonly sum: string } {
  const sum = sumOf(line.slice(0, -1), previous);
  return { line: `${line.slice(0, -1)},"sum":"${sum}"}`, sum };
}

/**
 * Whether a line that was read is what was written. Lines of older ledgers have no checksum; none of those comes behind
 * one that has.
 */
export function isWhole(line: string, previous: string | null): boolean {
  const [end = '', sum] = ending.exec(line) ?? [];
  return sum === undefined ? previous === null : sumOf(line.slice(0, -end.length), previous) === sum;
}
