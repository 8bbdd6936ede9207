// Bars of a CSV file for the commands that take one, and the refusal that ends such a command. Used by cli/commands.
import { readFile } from 'node:fs/promises';
import type { Bar } from '../domain/market/bar.js';
import { parseCsv } from '../domain/market/csv.js';

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
