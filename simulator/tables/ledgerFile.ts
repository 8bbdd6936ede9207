// The ledger read as a file, behind the exchange that writes it: from a place to a place, in slices, so that a long ledger
// takes no memory. Called by write.ts.
import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { KeelError } from '../../ports/errors.js';

const SLICE_BYTES = 256 * 1024;
/** Far longer than any line. */
const LINE_BYTES = 64 * 1024;
const LF = 10;

/** Hashes that name a ledger: of its first line, and of the last one before a place. */
export interface Marks {
  readonly first: string;
  readonly last: string;
}

/** @param end bytes; the end of a line, above zero */
export async function marksOf(file: string, end: number): Promise<Marks> {
  const handle = await open(file, 'r');
  try {
    const head = await bytesOf(handle, 0, Math.min(LINE_BYTES, end));
    const tail = await bytesOf(handle, Math.max(0, end - LINE_BYTES), end);
    const line = tail.subarray(tail.lastIndexOf(LF, tail.length - 2) + 1, tail.length - 1);
    return { first: sha256(head.subarray(0, head.indexOf(LF))), last: sha256(line) };
  } finally {
    await handle.close();
  }
}

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

/** The lines between two ends of lines, bytes, a slice at a time. */
export async function* linesOf(file: string, from: number, to: number): AsyncGenerator<readonly string[]> {
  const handle = await open(file, 'r');
  try {
    let rest: Buffer = Buffer.alloc(0);
    for (let at = from; at < to; at += SLICE_BYTES) {
      const bytes = Buffer.concat([rest, await bytesOf(handle, at, Math.min(at + SLICE_BYTES, to))]);
      const end = bytes.lastIndexOf(LF) + 1;
      rest = bytes.subarray(end);
      if (end > 0) yield bytes.toString('utf8', 0, end - 1).split('\n');
    }
  } finally {
    await handle.close();
  }
}

async function bytesOf(handle: FileHandle, from: number, to: number): Promise<Buffer> {
  const bytes = Buffer.alloc(to - from);
  for (let done = 0; done < bytes.length;) {
    const { bytesRead } = await handle.read(bytes, done, bytes.length - done, from + done);
    if (bytesRead === 0)
      throw new KeelError('LEDGER_DAMAGED', `The simulator's ledger ends before byte ${to}: it was cut.`);
    done += bytesRead;
  }
  return bytes;
}
