// The bars that an evaluation walks over: the repository's own data, or a CSV file. Called by cli/commands/eval.ts.
import { createHash } from 'node:crypto';
import path from 'node:path';
import type { Bar } from '../../domain/market/bar.js';
import type { Calendar } from '../../domain/market/calendarTypes.js';
import { loadInstruments } from '../../simulator/data.js';
import { readCsvBars } from '../csvFile.js';

export interface EvaluatedSeries {
  /** Short, for headings and keys. */
  readonly name: string;
  readonly source: string;
  readonly bars: readonly Bar[];
  /** Of the bars as they are computed with. */
  readonly sha256: string;
}

/** Names of --data that are no files. */
const ours: Readonly<Record<string, { readonly symbol: string; readonly source: string }>> = {
  aapl: { symbol: 'AAPL', source: 'aapl.csv of @observablehq/sample-datasets' },
  sp500: { symbol: 'SPX', source: 'sp500-2000.csv of vega-datasets' },
};

export const ownData = Object.keys(ours);

/** @throws Refusal for a file that is no CSV of daily bars; KeelError SIMULATOR_DATA */
export async function readSeries(data: string, calendar: Calendar): Promise<EvaluatedSeries> {
  const own = ours[data];
  if (own === undefined) {
    const name = path.basename(data, path.extname(data)).toUpperCase();
    return hashed(name, path.basename(data), await readCsvBars(data));
  }
  const instrument = loadInstruments(calendar).find(({ symbol }) => symbol === own.symbol);
  const bars = instrument?.bars.map(({ time, open, high, low, close, volume }) => ({
    ...{ time, open, high, low, close, volume },
  }));
  return hashed(own.symbol, own.source, bars ?? []);
}

function hashed(name: string, source: string, bars: readonly Bar[]): EvaluatedSeries {
  const rows = bars.map(({ time, open, high, low, close, volume }) => [time, open, high, low, close, volume]);
  return { name, source, bars, sha256: createHash('sha256').update(JSON.stringify(rows)).digest('hex') };
}
