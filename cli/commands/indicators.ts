// `keel indicators`: a CSV file of daily bars in, every indicator out. Called by cli/main.ts.
import { computeIndicators } from '../../domain/indicators/compute.js';
import { defaultIndicators } from '../../domain/indicators/defaults.js';
import type { IndicatorParameters, IndicatorSet, Series } from '../../domain/indicators/types.js';
import { toColumns } from '../../domain/market/columns.js';
import { parseArguments } from '../arguments.js';
import { missingSessions, readCsvBars, Refusal } from '../csvFile.js';
import type { Say } from '../say.js';
import { UsageError } from '../supervisor/options.js';

export const indicatorsHelp = `Usage: keel indicators --csv FILE [--json]

Computes every indicator on a CSV with the columns Date,Open,High,Low,Close,Volume.

  --json   one array per series, as long as the file, null while the indicator warms up

Example:
  keel indicators --csv aapl.csv --json`;

const shownBars = 5;

/** One value a bar, null while the indicator warms up; a series that is too short is null throughout. */
type Values = readonly (number | null)[];

function orderOf(args: readonly string[]): { readonly csv: string; readonly json: boolean } {
  const { csv, json = false } = readArguments(args).values;
  if (csv === undefined) throw new UsageError('--csv FILE is needed');
  return { csv, json };
}

const readArguments = (args: readonly string[]) =>
  parseArguments({ args: [...args], options: { csv: { type: 'string' }, json: { type: 'boolean' } } });

/** Every series of a set under the name that the output gives it. */
function namesOf(set: IndicatorSet, parameters: IndicatorParameters): [string, Series | null][] {
  return [
    ...parameters.sma.map((period): [string, Series | null] => [`sma${period}`, set.sma[period] ?? null]),
    ...parameters.ema.map((period): [string, Series | null] => [`ema${period}`, set.ema[period] ?? null]),
    [`rsi${parameters.rsi}`, set.rsi],
    ['macd', set.macd?.line ?? null],
    ['macdSignal', set.macd?.signal ?? null],
    ['macdHistogram', set.macd?.histogram ?? null],
    ['bollingerUpper', set.bollinger?.upper ?? null],
    ['bollingerMiddle', set.bollinger?.middle ?? null],
    ['bollingerLower', set.bollinger?.lower ?? null],
    [`atr${parameters.atr}`, set.atr],
    ['superTrend', set.superTrend?.line ?? null],
    ['superTrendDirection', set.superTrend?.direction ?? null],
    [`volumeAverage${parameters.volumeAverage}`, set.volumeAverage],
  ];
}

function valuesOf(name: string, series: Series | null, length: number): Values {
  if (series === null) return new Array<null>(length).fill(null);
  const first = series.findIndex(Number.isFinite);
  // A price near the largest number would overflow here, and JSON would show that as a warm-up.
  if (first < 0 || !series.subarray(first).every(Number.isFinite))
    throw new Refusal([`${name} can not be computed: the file's numbers are too large`]);
  return Array.from(series, (value, index) => (index < first ? null : value));
}

function format(value: number | null): string {
  if (value === null) return '-';
  return Math.abs(value) >= 1e6 ? value.toFixed(0) : value.toFixed(4);
}

/** A line for each series, a column for each of the last bars. */
function table(dates: readonly string[], series: ReadonlyMap<string, Values>): string[] {
  const rows = [
    ['', ...dates.slice(-shownBars)],
    ...[...series].map(([name, values]) => [name, ...values.slice(-shownBars).map(format)]),
  ];
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd(),
  );
}

/**
 * @param args what follows `keel indicators`
 * @param out takes a line for standard output: a table of the last bars, or with --json one object of arrays, each as
 * long as the file: `date`, one a series (null in warm-up), and `tooShort`, the names of series without any value
 * @param err takes a line for standard error: each problem, or why a series is too short
 * @throws UsageError
 * @returns the exit code: 0, or 1 after one line for each problem and nothing on `out`
 */
export async function indicatorsCommand(args: readonly string[], out: Say, err: Say): Promise<number> {
  try {
    const { csv, json } = orderOf(args);
    const bars = await readCsvBars(csv);
    const set = computeIndicators(toColumns(bars), defaultIndicators);
    const named = namesOf(set, defaultIndicators);
    const series = new Map(named.map(([name, values]) => [name, valuesOf(name, values, bars.length)]));
    const date = bars.map(({ time }) => time.slice(0, 10));
    const tooShort = named.filter(([, values]) => values === null).map(([name]) => name);
    if (json) out(JSON.stringify({ date, ...Object.fromEntries(series), tooShort }));
    else for (const line of table(date, series)) out(line);
    const holes = missingSessions(csv, bars);
    if (holes !== null) err(holes);
    for (const line of set.tooShort) err(line);
    return 0;
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    for (const line of error.lines) err(line);
    return 1;
  }
}
