// How many lines the ledger has had, in a small file beside it: a ledger that lost whole lines at its end, or all of them, is
// itself no sign of that. It is written behind each write and not forced to the disk, so it may know of fewer lines than there
// are, and never of more. Called by world.ts.
import { closeSync, constants, existsSync, openSync, readFileSync, writeSync } from 'node:fs';
import { z } from 'zod';

const markSchema = z.object({ lines: z.number().int().min(0) });

export const markOf = (ledgerFile: string): string => ledgerFile.replace(/(\.jsonl)?$/, '.mark.json');

/** @returns the lines that the ledger has had; 0 where nobody knows, and where there is no ledger: that is a new one */
export function linesKnown(ledgerFile: string): number {
  if (!existsSync(ledgerFile)) return 0;
  try {
    return markSchema.parse(JSON.parse(readFileSync(markOf(ledgerFile), 'utf8'))).lines;
  } catch {
    return 0;
  }
}

export interface LedgerMark {
  /** The ledger has so many lines more. */
  add(lines: number): void;
  close(): void;
}

/** @param lines that the ledger has */
export function openMark(ledgerFile: string, lines: number): LedgerMark {
  const descriptor = openSync(markOf(ledgerFile), constants.O_RDWR | constants.O_CREAT, 0o600);
  let known = lines;
  /** Of one length always, so that it is written over in place. */
  const write = (): void => {
    try {
      writeSync(descriptor, `{"lines":${String(known).padStart(16)}}\n`, 0);
    } catch {
      // A mark that stays behind refuses less; the ledger itself was written.
    }
  };
  write();
  return {
    add(more) {
      known += more;
      write();
    },
    close: () => {
      closeSync(descriptor);
    },
  };
}
