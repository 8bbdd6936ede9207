// Bars of a CSV file for the commands that take one, and the refusal that ends such a command. Used by cli/commands.
import { readFile } from 'node:fs/promises';
import type { Bar } from '../domain/market/bar.js';
import { parseCsv } from '../domain/market/csv.js';
import { createNyseCalendar } from '../domain/market/nyse.js';

/** Ends a command with these lines on standard error, and nothing on standard output or written. */
export class Refusal extends Error {
  readonly lines: readonly string[];
  constructor(lines: readonly string[]) {
    super(lines[0]);
    this.lines = lines;
  }
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file or folder',
  EACCES: 'permission is denied',
  EPERM: 'permission is denied',
  EISDIR: 'it is a folder',
  ENOTDIR: 'a part of the path is no folder',
  EROFS: 'the file system is read-only',
  ENOSPC: 'the disk is full',
};

/** What a system error says, without its code and path, in one line. */
export function plainReason(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return reasons[code] ?? (error instanceof Error ? error.message : String(error)).replaceAll('\n', ' ');
}

/** @throws Refusal with a line for each problem of the file: a file is taken whole or not at all. */
export async function readCsvBars(file: string): Promise<readonly Bar[]> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw new Refusal([`${file} can not be read: ${plainReason(error)}`]);
  });
  const { bars, problems } = parseCsv(text);
  if (problems.length > 0) {
    throw new Refusal(problems.map(({ line, message }) => `${file}, line ${line}: ${message}`));
  }
  return bars;
}

/**
 * What to know of sessions that have no bar between the first and the last. A note, no refusal: the file may be of
 * another exchange. Without one bar outside the sessions of the NYSE it is taken to be of the NYSE.
 * @returns a line, or null when no session is missing, or nothing can be said
 */
export function missingSessions(file: string, bars: readonly Bar[]): string | null {
  const dates = bars.map(({ time }) => time.slice(0, 10));
  const calendar = createNyseCalendar();
  const [first = '', last = ''] = [dates[0], dates.at(-1)];
  if (first < calendar.first || last > calendar.last) return null;
  if (dates.some((date) => calendar.session(date) === null)) return null;
  const there = new Set(dates);
  const missing = calendar.between(first, last).filter(({ date }) => !there.has(date));
  const [one, ...more] = missing.map(({ date }) => date);
  if (one === undefined) return null;
  const which =
    more.length === 0
      ? `the NYSE session ${one} has`
      : `${missing.length} NYSE sessions, the first ${one}, have`;
  return `${file}: ${which} no bar; the bars around a hole count as neighbours`;
}
