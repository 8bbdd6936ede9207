// The simulator's ledger: one append-only file, ledger.jsonl, that holds all it accepted and did. Its state is the fold of
// these lines (ledgerLines.ts), and `keel verify` reads them as the oracle. Called by engine.ts.
import { closeSync, fstatSync, fsyncSync, ftruncateSync, openSync, readSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { KeelError } from '../ports/errors.js';
import type { Clock } from '../ports/clocks.js';
import type { ExchangeEvent } from './exchange/types.js';
import { lineSchema } from './ledgerLines.js';
import type { Line } from './ledgerLines.js';
import { markOf } from './ledgerMark.js';
import { isWhole, summed } from './ledgerSum.js';

export interface Ledger {
  /** Lines that it held when it was opened. */
  readonly lines: number;
  /** Bytes of an unfinished write that a crash left behind and that were cut off; 0 after a clean stop. */
  readonly cutBytes: number;
  /**
   * Appends the events of one command as one write, and returns when they are on the disk.
   * @throws KeelError LEDGER_WRITE (final); the file then holds none of them, or all were cut at the next start
   */
  readonly append: (events: readonly ExchangeEvent[]) => void;
  readonly isOpen: () => boolean;
  readonly close: () => void;
}

/** Takes one event of a complete write, with the fields of its line, and the number of the line. */
export type Take = (event: ExchangeEvent, line: number) => void;

/**
 * Opens the ledger and reads it to its end, cutting off an unfinished last write. It may be longer than what fits in memory.
 * @param take hears of each event, oldest first; what it throws is thrown
 * @param known lines that it has had, as far as anybody knows
 * @throws KeelError LEDGER_DAMAGED when a complete line cannot be read or is out of order, LEDGER_CUT when it has fewer lines
 *   than are known; nothing is changed then
 */
export function openLedger(file: string, clock: Clock, take: Take, known = 0): Ledger {
  const descriptor = openSync(file, 'a+', 0o600);
  try {
    const { lines, keep, sum } = readWrites(descriptor, file, take);
    if (lines < known) throw cut(file, lines, known);
    const cutBytes = fstatSync(descriptor).size - keep;
    if (cutBytes > 0) ftruncateSync(descriptor, keep);
    fsyncSync(descriptor);
    syncDirectory(dirname(file));
    return openedLedger(descriptor, { lines, size: keep, sum, cutBytes, clock, file });
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
}

function openedLedger(
  descriptor: number,
  start: {
    lines: number;
    size: number;
    sum: string | null;
    cutBytes: number;
    clock: Clock;
    file: string;
  },
): Ledger {
  let seq = start.lines;
  let sum = start.sum;
  let size = start.size;
  let open = true;
  return {
    lines: start.lines,
    cutBytes: start.cutBytes,
    append: (events) => {
      if (events.length === 0) return;
      const wall = new Date(start.clock.now()).toISOString();
      let last = sum;
      const text = events.map((event, index) => {
        const { type, at, ...rest } = event;
        const left = events.length - 1 - index;
        const made = summed(JSON.stringify({ seq: seq + index + 1, type, at, wall, left, ...rest }), last);
        last = made.sum;
        return `${made.line}\n`;
      });
      const bytes = Buffer.from(text.join(''), 'utf8');
      try {
        for (let done = 0; done < bytes.length; done += writeSync(descriptor, bytes, done));
        fsyncSync(descriptor);
      } catch (cause) {
        takeBack(descriptor, size);
        const message = `The simulator's ledger ${start.file} cannot be written; free disk space and start it again.`;
        throw new KeelError('LEDGER_WRITE', message, { facts: { file: start.file }, cause });
      }
      seq += events.length;
      size += bytes.length;
      sum = last;
    },
    isOpen: () => open,
    close: () => {
      open = false;
      closeSync(descriptor);
    },
  };
}

/** Best effort: what cannot be taken back is cut at the next start, or was written whole. */
function takeBack(descriptor: number, size: number): void {
  try {
    ftruncateSync(descriptor, size);
  } catch {
    return;
  }
}

const SLICE_BYTES = 1024 * 1024;
const LF = 10;

/** The whole lines of the file one after the other, and where each ends, in bytes. */
function* linesOf(descriptor: number): Generator<{ readonly text: string; readonly end: number }> {
  const slice = Buffer.alloc(SLICE_BYTES);
  let rest: Buffer = Buffer.alloc(0);
  let at = 0;
  for (;;) {
    const read = readSync(descriptor, slice, 0, SLICE_BYTES, at + rest.length);
    if (read === 0) return;
    const bytes = Buffer.concat([rest, slice.subarray(0, read)]);
    let from = 0;
    for (let end = bytes.indexOf(LF); end !== -1; end = bytes.indexOf(LF, from)) {
      yield { text: bytes.toString('utf8', from, end), end: at + end + 1 };
      from = end + 1;
    }
    at += from;
    rest = bytes.subarray(from);
  }
}

/** Gives on the complete writes of the file. @returns how many lines and bytes they have, and the last one's checksum */
function readWrites(
  descriptor: number,
  file: string,
  take: Take,
): { lines: number; keep: number; sum: string | null } {
  let lines = 0;
  let keep = 0;
  let sum: string | null = null;
  let write: Line[] = [];
  let previous: Line | undefined;
  for (const { text, end } of linesOf(descriptor)) {
    const line = readLine(text, previous, file);
    write.push(line);
    previous = line;
    if (line.left > 0) continue;
    for (const event of write) take(event, event.seq);
    lines = line.seq;
    keep = end;
    sum = line.sum ?? null;
    write = [];
  }
  return { lines, keep, sum };
}

function readLine(text: string, previous: Line | undefined, file: string): Line {
  const number = (previous?.seq ?? 0) + 1;
  const damaged = (why: string, cause?: unknown): KeelError =>
    new KeelError(
      'LEDGER_DAMAGED',
      `The simulator's ledger ${file} is damaged at line ${number}: ${why}. Restore it from a copy, or begin anew without it: npm start -- --reset where it is a Keel's, else another KEEL_SIMULATOR_DIR.`,
      { facts: { file, line: number }, cause },
    );
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw damaged('it is no JSON', cause);
  }
  const parsed = lineSchema.safeParse(value);
  if (!parsed.success) throw damaged('it has not the shape of a line', parsed.error);
  const line = parsed.data;
  if (!isWhole(text, previous?.sum ?? null)) throw damaged('its checksum is another');
  if (line.seq !== number) throw damaged(`its seq is ${line.seq}`);
  if (previous !== undefined && line.at < previous.at)
    throw damaged('its market time is before the last one');
  if (previous !== undefined && previous.left > 0 && line.left !== previous.left - 1)
    throw damaged('its write is not the one the line before began');
  return line;
}

/** Gone on with, it would not know orders that were answered for, and give their ids to others. */
function cut(file: string, lines: number, known: number): KeelError {
  const what = lines === 0 ? `is empty, and had ${known} lines` : `ends with line ${lines} of ${known}`;
  return new KeelError(
    'LEDGER_CUT',
    `The simulator's ledger ${file} ${what}: its end is missing, or it is an older copy. Put the whole file back. To go on from where it ends all the same, delete ${markOf(file)}; to begin anew: npm start -- --reset where it is a Keel's, else another KEEL_SIMULATOR_DIR.`,
    { facts: { file, lines, known } },
  );
}

function syncDirectory(directory: string): void {
  const descriptor = openSync(directory, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
