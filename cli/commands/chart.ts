// `keel chart`: a CSV file of daily bars in, a chart as PNG out. Called by cli/main.ts.
import { rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { createRender } from '../../adapters/charts/render.js';
import { defaultIndicators } from '../../domain/indicators/defaults.js';
import { timeframeRules, timeframes, type Timeframe } from '../../domain/market/bar.js';
import { createNyseCalendar } from '../../domain/market/nyse.js';
import { barsOfTimeframe } from '../../domain/market/weekly.js';
import { KeelError } from '../../ports/errors.js';
import { parseArguments } from '../arguments.js';
import { missingSessions, plainReason, readCsvBars, Refusal } from '../csvFile.js';
import type { Say } from '../say.js';
import { UsageError } from '../supervisor/options.js';
import { finishedBars } from '../weeks.js';

export const chartHelp = `Usage: keel chart --csv FILE --out PNG [--symbol NAME] [--timeframe ${timeframes.join('|')}]

Draws the chart that a run would store: candles, averages, bands, volume, RSI and MACD.

Example:
  keel chart --csv aapl.csv --out aapl.png --timeframe weekly`;

interface Order {
  readonly csv: string;
  readonly out: string;
  readonly symbol: string;
  readonly timeframe: Timeframe;
}

const isTimeframe = (text: string): text is Timeframe => Object.hasOwn(timeframeRules, text);

function orderOf(args: readonly string[]): Order {
  const { values } = readArguments(args);
  const { csv, out, timeframe = 'daily' } = values;
  if (csv === undefined || out === undefined) throw new UsageError('--csv FILE and --out PNG are needed');
  if (!isTimeframe(timeframe))
    throw new UsageError(`--timeframe is ${timeframes.join(' or ')}, not ${JSON.stringify(timeframe)}`);
  const symbol = values.symbol ?? path.basename(csv, path.extname(csv)).toUpperCase();
  return { csv, out, symbol, timeframe };
}

function readArguments(args: readonly string[]) {
  const text = { type: 'string' } as const;
  return parseArguments({
    args: [...args],
    options: { csv: text, out: text, symbol: text, timeframe: text },
  });
}

/** All of it or nothing: the picture is complete before it has its name. */
async function writeWhole(file: string, bytes: Uint8Array): Promise<void> {
  const part = `${file}.${process.pid}.part`;
  try {
    await writeFile(part, bytes, { flag: 'wx' });
    await rename(part, file);
  } catch (error) {
    await rm(part, { force: true }).catch(() => undefined);
    throw new Refusal([`${file} can not be written: ${plainReason(error)}`]);
  }
}

async function draw(order: Order, out: Say, err: Say): Promise<void> {
  const daily = await readCsvBars(order.csv);
  const bars = finishedBars(daily, order.timeframe, createNyseCalendar());
  const interval = { daily: 'day', weekly: 'week', monthly: 'month' }[order.timeframe];
  if (bars.length === 0) throw new Refusal([`${order.csv} holds not one finished ${interval}`]);
  const made = barsOfTimeframe(daily, order.timeframe);
  if (bars[0]?.time !== made[0]?.time)
    err(`the first ${interval} of ${order.csv} is only a piece of one and left out`);
  if (bars.at(-1)?.time !== made.at(-1)?.time)
    err(`the last ${interval} of ${order.csv} is unfinished and left out`);
  const holes = missingSessions(order.csv, daily);
  if (holes !== null) err(holes);
  const { window } = timeframeRules[order.timeframe];
  const source = path.basename(order.csv);
  const { symbol, timeframe } = order;
  const request = { symbol, timeframe, bars, window, indicators: defaultIndicators, source };
  const { png, width, height } = await createRender()(request);
  await writeWhole(order.out, png);
  const drawn = `${Math.min(window, bars.length)} of ${bars.length} ${timeframe} bars`;
  out(`${order.out}: ${symbol}, ${drawn}, ${width}×${height} pixels, ${png.byteLength} bytes`);
}

/**
 * @param args what follows `keel chart`.
 * @param out takes a line for standard output; `err` one for standard error.
 * @throws UsageError
 * @returns the exit code: 0, or 1 after one line for each problem, with no file written.
 */
export async function chartCommand(args: readonly string[], out: Say, err: Say): Promise<number> {
  try {
    await draw(orderOf(args), out, err);
    return 0;
  } catch (error) {
    if (error instanceof Refusal) error.lines.forEach(err);
    else if (error instanceof KeelError) err(error.message);
    else throw error;
    return 1;
  }
}
