// Daily bars from a CSV file. Called by the CLI and the simulator; reads text, never a file.
import type { Bar } from './bar.js';
import { isDate } from './dates.js';
import { validateBars } from './validate.js';

export interface CsvProblem {
  /** Line in the file, from 1; the header is line 1. */
  readonly line: number;
  readonly message: string;
}

/** When there is any problem, there are no bars: a file is taken whole or not at all. */
export interface CsvBars {
  readonly bars: readonly Bar[];
  readonly problems: readonly CsvProblem[];
}

const columns = ['date', 'open', 'high', 'low', 'close', 'volume'] as const;
type Column = (typeof columns)[number];
const plainNumber = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

/**
 * Reads the columns Date, Open, High, Low, Close and Volume, in any order and case; other columns are ignored.
 * A bar's time is its date at 00:00:00.000Z, which a caller may map to the open of the session.
 * Nothing is skipped or repaired: blank cells, words for numbers, dates that do not exist, come twice or out of
 * order, and prices that can not be, are all named with their line.
 */
export function parseCsv(text: string): CsvBars {
  const lines = text.replace(/^\uFEFF/, '').split(/\r\n|\n|\r/);
  while (lines.length > 0 && lines.at(-1)?.trim() === '') lines.pop();
  const [header, ...rows] = lines;
  if (header === undefined) return failed([{ line: 1, message: 'the file is empty' }]);
  const names = cellsOf(header).map((name) => name.toLowerCase());
  const problems = headerProblems(names);
  if (problems.length > 0) return failed(problems);
  if (rows.length === 0) return failed([{ line: 2, message: 'there is a header, but not one bar' }]);

  const places = columns.map((column) => [column, names.indexOf(column)] as const);
  const read: { readonly line: number; readonly bar: Bar }[] = [];
  rows.forEach((row, index) => {
    const line = index + 2;
    const result = readRow(row, names.length, places);
    if (Array.isArray(result)) problems.push(...result.map((message) => ({ line, message })));
    else read.push({ line, bar: result });
  });
  const bars = read.map(({ bar }) => bar);
  for (const { index, message } of validateBars(bars))
    problems.push({ line: read[index]?.line ?? 0, message: message.replaceAll('T00:00:00.000Z', '') });
  return problems.length === 0 ? { bars, problems } : failed(problems.sort((a, b) => a.line - b.line));
}

const failed = (problems: readonly CsvProblem[]): CsvBars => ({ bars: [], problems });

/** Cells of a line, trimmed; a cell in double quotes may hold commas, and "" for a quote. */
function cellsOf(line: string): string[] {
  if (!line.includes('"')) return line.split(',').map((cell) => cell.trim());
  const cells = `,${line}`.matchAll(/,\s*(?:"((?:[^"]|"")*)"\s*(?=,|$)|([^,]*))/g);
  return [...cells].map(([, quoted, bare]) => (quoted?.replaceAll('""', '"') ?? bare ?? '').trim());
}

function headerProblems(names: readonly string[]): CsvProblem[] {
  const count = (column: Column): number => names.filter((name) => name === column).length;
  const title = (column: Column): string => `${column.charAt(0).toUpperCase()}${column.slice(1)}`;
  return columns
    .filter((column) => count(column) !== 1)
    .map((column) => ({
      line: 1,
      message:
        count(column) === 0
          ? `the header has no column ${title(column)}; needed are Date, Open, High, Low, Close, Volume`
          : `the header has the column ${title(column)} ${count(column)} times`,
    }));
}

/** The bar of a row, or what is wrong with the row. */
function readRow(row: string, width: number, places: readonly (readonly [Column, number])[]): Bar | string[] {
  if (row.trim() === '') return ['the line is blank'];
  const cells = cellsOf(row);
  if (cells.length !== width) return [`there are ${cells.length} cells where the header has ${width}`];
  const problems: string[] = [];
  const value = { date: '', open: 0, high: 0, low: 0, close: 0, volume: 0 };
  for (const [column, place] of places) {
    const cell = cells[place] ?? '';
    if (cell === '') problems.push(`${column} is blank`);
    else if (column === 'date') {
      if (!isDate(cell)) problems.push(`date is not a day of the form YYYY-MM-DD: ${JSON.stringify(cell)}`);
      value.date = cell;
    } else if (!plainNumber.test(cell)) problems.push(`${column} is not a number: ${JSON.stringify(cell)}`);
    else value[column] = Number(cell);
  }
  const { date, ...amounts } = value;
  return problems.length > 0 ? problems : { time: `${date}T00:00:00.000Z`, ...amounts };
}
