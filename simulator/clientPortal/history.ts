// The grammar of /iserver/marketdata/history: which bars a request asks for, and the answer's shape. Called by
// marketData.ts.
import { timeframeRules, timeframes, type Bar, type Timeframe } from '../../domain/market/bar.js';
import type { Market } from '../exchange/market.js';
import { onGrid } from '../exchange/types.js';
import { longTime } from './portal.js';

/** At most this many bars come back; the newest are kept. */
const MOST_BARS = 1000;
/** Shares of one unit of volume. */
const VOLUME_FACTOR = 100;
const DAY_MS = 86_400_000;
/** Bid and ask stand at least this far from the last price, USD. */
const LEAST_HALF_SPREAD = 0.01;

/** How far bid and ask stand from a price, USD. */
export const halfSpread = (last: number, spread: number): number =>
  Math.max(LEAST_HALF_SPREAD, (last * spread) / 2);

type Unit = 'min' | 'h' | 'd' | 'w' | 'm' | 'y';

/** Largest count of each unit of a period; m is months. */
const mostOf: Readonly<Record<Unit, number>> = { min: 30, h: 8, d: 1000, w: 792, m: 182, y: 15 };
const intraday = ['1min', '2min', '3min', '5min', '10min', '15min', '30min', '1h', '2h', '3h', '4h', '8h'];

/** Seconds of a bar, as the broker states them. */
const barSeconds: Readonly<Record<Timeframe, number>> = {
  daily: 86_400,
  weekly: 604_800,
  monthly: 2_592_000,
};

export interface HistoryRequest {
  readonly conid: number;
  readonly period: string;
  readonly count: number;
  readonly unit: Unit;
  readonly timeframe: Timeframe;
  /** Where the period ends (-1), or begins (1). */
  readonly at: string;
  readonly direction: 1 | -1;
  readonly source: Source;
  readonly outsideRth: boolean;
}

/** What the prices of a bar are of. */
type Source = (typeof sources)[number];
const sources = ['Last', 'Midpoint', 'Bid_Ask'] as const;

/** Reads the query; the error is the broker's answer in words. */
export function readHistoryRequest(
  given: {
    readonly conid: string | null;
    readonly period: string | null;
    readonly bar: string | null;
    readonly startTime: string | null;
    readonly direction?: string | null;
    readonly source?: string | null;
    readonly outsideRth?: boolean;
  },
  now: string,
): HistoryRequest | { readonly error: string } {
  const period = given.period ?? '1w';
  const match = /^(\d{1,4})(min|h|d|w|m|y)$/.exec(period);
  const count = Number(match?.[1]);
  const unit = match?.[2] as Unit | undefined;
  if (unit === undefined || count < 1 || count > mostOf[unit])
    return { error: `Bad Request: period ${period} is not valid` };
  const bar = given.bar ?? '1d';
  const timeframe = timeframes.find((each) => timeframeRules[each].request.bar === bar);
  if (timeframe === undefined)
    return {
      error: intraday.includes(bar)
        ? `No historical data of bar ${bar}: daily, weekly and monthly only`
        : `Bad Request: bar ${bar} is not valid`,
    };
  if (!isAllowed(timeframe, count, unit))
    return { error: `Bad Request: bar ${bar} is not valid for period ${period}` };
  const at = given.startTime === null ? now : instantOf(given.startTime);
  if (at === null)
    return { error: `Bad Request: startTime ${given.startTime ?? ''} is not YYYYMMDD-HH:mm:ss` };
  if (given.conid === null || !/^\d{1,15}$/.test(given.conid))
    return { error: 'Bad Request: conid is not valid' };
  const view = viewOf(given);
  if ('error' in view) return view;
  const outsideRth = given.outsideRth === true;
  return { conid: Number(given.conid), period, count, unit, timeframe, at, outsideRth, ...view };
}

/** Which way the period goes from startTime, and what the prices are of. */
function viewOf({
  startTime,
  direction,
  source,
}: {
  readonly startTime: string | null;
  readonly direction?: string | null;
  readonly source?: string | null;
}): Pick<HistoryRequest, 'direction' | 'source'> | { readonly error: string } {
  const towards = direction ?? '-1';
  if (towards !== '1' && towards !== '-1') return { error: `Bad Request: direction ${towards} is not valid` };
  if (towards === '1' && startTime === null) return { error: 'Bad Request: direction 1 needs a startTime' };
  const known = sources.find((each) => each === (source ?? 'Last'));
  if (known === undefined) return { error: `Bad Request: source ${source ?? ''} is not valid` };
  return { direction: towards === '1' ? 1 : -1, source: known };
}

/** The broker's table: a day allows no daily bar, less than a month no monthly one, and fifteen years none under a week. */
function isAllowed(timeframe: Timeframe, count: number, unit: Unit): boolean {
  if (unit === 'min' || unit === 'h' || (unit === 'd' && count === 1)) return false;
  if (timeframe === 'weekly') return !(unit === 'd' && count < 7);
  if (timeframe === 'monthly') return unit === 'm' || unit === 'y' || count * (unit === 'w' ? 7 : 1) >= 28;
  return !(unit === 'y' && count === 15);
}

function instantOf(text: string): string | null {
  const match = /^(\d{4})(\d{2})(\d{2})-(\d{2}:\d{2}:\d{2})$/.exec(text);
  if (match === null) return null;
  const instant = `${match[1] ?? ''}-${match[2] ?? ''}-${match[3] ?? ''}T${match[4] ?? ''}.000Z`;
  const ms = Date.parse(instant);
  return Number.isFinite(ms) && new Date(ms).toISOString() === instant ? instant : null;
}

/**
 * The bars of a request, oldest first, as the market knows them now.
 * @param spread between bid and ask, a share of the price
 */
export function barsOf(market: Market, request: HistoryRequest, now: string, spread = 0): readonly Bar[] {
  const bars = request.direction === 1 ? barsFrom(market, request, now) : barsUntil(market, request, now);
  return bars.map((bar) => ofSource(bar, request.source, spread));
}

function barsUntil(
  market: Market,
  { conid, timeframe, count, unit, at }: HistoryRequest,
  now: string,
): readonly Bar[] {
  const until = at < now ? at : now;
  const bars = market.bars(conid, timeframe, until, now);
  if (unit === 'd' && timeframe === 'daily') return bars.slice(-Math.min(count, MOST_BARS));
  const from = periodFrom(until, -count, unit);
  return bars.filter((bar) => bar.time >= from).slice(-MOST_BARS);
}

function barsFrom(
  market: Market,
  { conid, timeframe, count, unit, at }: HistoryRequest,
  now: string,
): readonly Bar[] {
  const bars = market.bars(conid, timeframe, now, now).filter((bar) => bar.time >= at);
  if (unit === 'd' && timeframe === 'daily') return bars.slice(0, Math.min(count, MOST_BARS));
  const end = periodFrom(at, count, unit);
  return bars.filter((bar) => bar.time < end).slice(0, MOST_BARS);
}

/** Bid and ask stand evenly around the trades. What they were on average is not known: they are shown around the middle of open and close. */
function ofSource(bar: Bar, source: Source, spread: number): Bar {
  if (source === 'Last') return bar;
  if (source === 'Midpoint') return { ...bar, volume: 0 };
  const bid = (last: number): number => onGrid(last - halfSpread(last, spread));
  const ask = (last: number): number => onGrid(last + halfSpread(last, spread));
  const middle = (bar.open + bar.close) / 2;
  return { ...bar, open: bid(middle), high: ask(bar.high), low: bid(bar.low), close: ask(middle), volume: 0 };
}

/** The instant so many units later; earlier where they are less than none. */
function periodFrom(at: string, count: number, unit: Unit): string {
  const start = new Date(at);
  if (unit === 'y') start.setUTCFullYear(start.getUTCFullYear() + count);
  else if (unit === 'm') start.setUTCMonth(start.getUTCMonth() + count);
  else start.setTime(start.getTime() + count * (unit === 'w' ? 7 : 1) * DAY_MS);
  return start.toISOString();
}

/** The answer for bars of which there is at least one. Volume is in hundreds of shares. */
export function historyAnswer(
  symbol: string,
  request: HistoryRequest,
  bars: readonly [Bar, ...Bar[]],
): object {
  const [first] = bars;
  const high = bars.reduce((best, bar) => (bar.high > best.high ? bar : best), first);
  const low = bars.reduce((best, bar) => (bar.low < best.low ? bar : best), first);
  // price × priceFactor / volume / minutes since startTime
  const extreme = (bar: Bar, price: number): string =>
    `${Math.round(price * 100)}/${bar.volume / VOLUME_FACTOR}/${(Date.parse(bar.time) - Date.parse(first.time)) / 60_000}`;
  return {
    serverId: '1',
    symbol,
    text: symbol,
    priceFactor: 100,
    startTime: longTime(first.time),
    high: extreme(high, high.high),
    low: extreme(low, low.low),
    timePeriod: request.period,
    barLength: barSeconds[request.timeframe],
    mdAvailability: 'S',
    mktDataDelay: 0,
    outsideRth: request.outsideRth,
    tradingDayDuration: 390,
    volumeFactor: VOLUME_FACTOR,
    priceDisplayRule: 1,
    priceDisplayValue: '2',
    chartPanStartTime: longTime(first.time),
    direction: request.direction,
    negativeCapable: false,
    messageVersion: 2,
    travelTime: 1,
    points: bars.length - 1,
    data: bars.map(({ open, close, high: top, low: bottom, volume, time }) => ({
      o: open,
      c: close,
      h: top,
      l: bottom,
      v: volume / VOLUME_FACTOR,
      t: Date.parse(time),
    })),
  };
}
