// The instruments of the simulator: real daily bars from npm packages, and made-up ones. Called once by server.ts.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { Calendar } from '../domain/market/calendarTypes.js';
import { KeelError } from '../ports/errors.js';
import { createAroundTheClock } from './exchange/aroundTheClock.js';
import { syntheticBars } from './exchange/synthetic.js';
import { onGrid } from './exchange/types.js';
import type { Instrument, SessionBar, Split } from './exchange/types.js';

/** Span of the synthetic instruments. */
const SYNTHETIC = { from: '2010-01-04', to: '2020-04-17' };

/**
 * Reads AAPL and the S&P 500 from node_modules and makes the synthetic instruments.
 * @throws KeelError SIMULATOR_DATA when a package is missing or a row cannot be read
 */
export function loadInstruments(calendar: Calendar): Instrument[] {
  const vega = join(dirname(locate('vega-datasets')), '..', 'data', 'sp500-2000.csv');
  const apple = locate('@observablehq/sample-datasets/aapl.csv');
  const sessions = calendar.between(SYNTHETIC.from, SYNTHETIC.to);
  const stock = { kind: 'stock', splits: [] } as const;
  const synthetic = { ...stock, exchange: 'KEELSIM', synthetic: true, droppedRows: 0 };
  const evenly = syntheticBars(sessions, {
    seed: 20140609,
    start: 25,
    drift: 0.0002,
    noise: 0.02,
    pull: 0.01,
  });
  return [
    {
      conid: 265598,
      symbol: 'AAPL',
      name: 'APPLE INC',
      exchange: 'NASDAQ',
      synthetic: false,
      ...stock,
      ...readBars(apple, calendar),
    },
    {
      conid: 416904,
      symbol: 'SPX',
      name: 'S&P 500 index, tradable in the simulator only',
      exchange: 'KEELSIM',
      synthetic: false,
      ...stock,
      ...readBars(vega, calendar),
    },
    {
      ...synthetic,
      conid: 900000001,
      symbol: 'SYNTREND',
      name: 'Synthetic trend (Keel simulator)',
      bars: syntheticBars(sessions, { seed: 20100104, start: 50, drift: 0.0004, noise: 0.018, pull: 0 }),
    },
    {
      ...synthetic,
      conid: 900000002,
      symbol: 'SYNFLAT',
      name: 'Synthetic range (Keel simulator)',
      bars: syntheticBars(sessions, { seed: 20200417, start: 100, drift: 0, noise: 0.015, pull: 0.03 }),
    },
    {
      ...synthetic,
      conid: 900000003,
      symbol: 'SYNSPLIT',
      name: 'Synthetic split, 4 for 1 on 2014-06-09 (Keel simulator)',
      bars: evenly.map(asTraded),
      splits: [SPLIT],
    },
    {
      ...synthetic,
      conid: 900000004,
      symbol: 'SYNCOIN',
      name: 'Synthetic crypto, around the clock (Keel simulator)',
      exchange: 'KEELCOIN',
      kind: 'crypto',
      bars: syntheticBars(createAroundTheClock(calendar.first, calendar.last).between(COIN.from, COIN.to), {
        seed: 20140101,
        start: 700,
        drift: 0.0003,
        noise: 0.03,
        pull: 0.005,
      }),
    },
  ];
}

const SPLIT: Split = { date: '2014-06-09', numerator: 4, denominator: 1 };
const COIN = { from: '2014-01-01', to: '2020-04-17' };

/** A bar at the prices and in the shares of its day: before the split they were others. */
const asTraded = (bar: SessionBar): SessionBar =>
  bar.session.date >= SPLIT.date
    ? bar
    : {
        ...bar,
        open: onGrid(bar.open * SPLIT.numerator),
        high: onGrid(bar.high * SPLIT.numerator),
        low: onGrid(bar.low * SPLIT.numerator),
        close: onGrid(bar.close * SPLIT.numerator),
        volume: Math.round(bar.volume / SPLIT.numerator),
      };

/**
 * Reads a CSV whose columns begin with date, open, high, low, close and end with volume; prices are rounded to the grid,
 * rows of days without a session are dropped and counted.
 */
function readBars(file: string, calendar: Calendar): { bars: SessionBar[]; droppedRows: number } {
  const lines = readText(file).split(/\r?\n/).slice(1);
  const bars: SessionBar[] = [];
  let droppedRows = 0;
  lines.forEach((line, index) => {
    if (line === '') return;
    const bar = readRow(line, `${file} line ${index + 2}`, calendar);
    if (bar === null) droppedRows += 1;
    else bars.push(bar);
  });
  return { bars, droppedRows };
}

function locate(name: string): string {
  try {
    return createRequire(import.meta.url).resolve(name);
  } catch (cause) {
    const message = `The simulator's market data, npm package file ${name}, is not installed; run npm ci.`;
    throw new KeelError('SIMULATOR_DATA', message, { facts: { name }, cause });
  }
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    const message = `The simulator's market data cannot be read from ${file}; run npm ci.`;
    throw new KeelError('SIMULATOR_DATA', message, { facts: { file }, cause });
  }
}

function readRow(line: string, where: string, calendar: Calendar): SessionBar | null {
  const cells = line.split(',');
  const date = cells[0] ?? '';
  const numbers = [...cells.slice(1, 5), cells.at(-1)].map(Number);
  const [open = NaN, high = NaN, low = NaN, close = NaN, volume = NaN] = numbers.map((value, index) =>
    index < 4 && Number.isFinite(value) ? onGrid(value) : value,
  );
  const isBar = low > 0 && low <= Math.min(open, close) && Math.max(open, close) <= high;
  if (!numbers.every((value) => Number.isFinite(value) && value >= 0) || !isBar)
    throw new KeelError('SIMULATOR_DATA', `${where} is no daily bar: ${line}`, { facts: { where } });
  const session = calendar.session(date);
  return session === null ? null : { time: session.open, open, high, low, close, volume, session };
}
