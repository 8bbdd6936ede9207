// Finds what the rules analyst decides on every session of the simulator's symbols, and writes cli/demoDates.json: the
// first date after warm-up on which it buys (the demo's default) and the counts, as they are. Run it after `npm run build`:
// node dist/scripts/demo-dates.js [--check]
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { createRulesAnalyst } from '../adapters/rules/analyst.js';
import type { Action, Analysis } from '../domain/decision/decision.js';
import { defaultIndicators } from '../domain/indicators/defaults.js';
import { timeframeRules, type Timeframe } from '../domain/market/bar.js';
import type { Calendar } from '../domain/market/calendarTypes.js';
import { createNyseCalendar } from '../domain/market/nyse.js';
import { dropUnfinished } from '../domain/market/weekly.js';
import { barsOf, readHistoryRequest } from '../simulator/clientPortal/history.js';
import { loadInstruments } from '../simulator/data.js';
import { createMarket, type Market } from '../simulator/exchange/market.js';
import type { Instrument } from '../simulator/exchange/types.js';

const timeframes: readonly Timeframe[] = ['daily', 'weekly'];
const minimumRCoefficient = 1.5;
const analyst = createRulesAnalyst();

interface SymbolDates {
  readonly firstBuy: string | null;
  /** First and last session that could be decided on. */
  readonly first: string | null;
  readonly last: string | null;
  readonly counts: Record<Action, number>;
}

function barsAt(market: Market, calendar: Calendar, conid: number, timeframe: Timeframe, close: string) {
  const query = { conid: String(conid), startTime: null, ...timeframeRules[timeframe].request };
  const request = readHistoryRequest(query, close);
  if ('error' in request) throw new Error(request.error);
  return dropUnfinished(barsOf(market, request, close), timeframe, close, calendar);
}

/** Null while some timeframe warms up. */
async function actionAt(market: Market, calendar: Calendar, { conid }: Instrument, close: string) {
  const analyses: Analysis[] = [];
  for (const timeframe of timeframes) {
    const bars = barsAt(market, calendar, conid, timeframe, close);
    if (bars.length < timeframeRules[timeframe].warmUp) return null;
    const outcome = await analyst.analyze({ timeframe, bars, indicators: defaultIndicators });
    if (outcome.kind === 'failed') throw new Error(outcome.message);
    analyses.push(outcome.value);
  }
  const proposal = await analyst.decide({ analyses, limits: { minimumRCoefficient } });
  if (proposal.kind === 'failed') throw new Error(proposal.message);
  return proposal.value.action;
}

async function datesOf(market: Market, calendar: Calendar, instrument: Instrument): Promise<SymbolDates> {
  const counts: Record<Action, number> = { buy: 0, sell: 0, hold: 0 };
  let [first, last, firstBuy]: (string | null)[] = [null, null, null];
  for (const { session } of instrument.bars) {
    const action = await actionAt(market, calendar, instrument, session.close);
    if (action === null) continue;
    first ??= session.date;
    last = session.date;
    if (action === 'buy') firstBuy ??= session.date;
    counts[action] += 1;
  }
  return { firstBuy: firstBuy ?? null, first: first ?? null, last: last ?? null, counts };
}

const calendar = createNyseCalendar();
// Strategies decide in the sessions of the stock exchange.
const instruments = loadInstruments(calendar).filter(({ kind }) => kind === 'stock');
const market = createMarket(calendar, instruments);
const dates: Record<string, SymbolDates> = {};
for (const instrument of instruments) dates[instrument.symbol] = await datesOf(market, calendar, instrument);
const text = `${JSON.stringify({ analyst: `${analyst.name} ${analyst.version}`, symbols: dates }, null, 2)}\n`;
const file = path.resolve('cli/demoDates.json');
if (process.argv.includes('--check')) {
  if (readFileSync(file, 'utf8') !== text)
    throw new Error('cli/demoDates.json is out of date: run this script');
} else {
  writeFileSync(file, text);
  process.stdout.write(text);
}
