// The market as it is known at an instant: which session is on, which bars are known, what a price is. Nothing here
// tells a caller anything that is later than the instant asked for.
import { barsOfTimeframe } from '../../domain/market/weekly.js';
import type { Bar, Timeframe } from '../../domain/market/bar.js';
import type { Calendar, Session } from '../../domain/market/calendarTypes.js';
import { createAroundTheClock } from './aroundTheClock.js';
import { onGrid } from './types.js';
import type { Instrument, PricesOf, SessionBar, Split } from './types.js';

export interface Quote {
  /** open: in a session · shut: outside one · halted: in a session for which the instrument has no bar. */
  readonly phase: 'open' | 'shut' | 'halted';
  /** The open of the session that is on, else the last close. */
  readonly last: number;
  /** The bar the price is of; during a session only its open is known. */
  readonly bar: Bar;
  /** Close of the bar before that; null on an instrument's first bar. */
  readonly priorClose: number | null;
}

export interface Market {
  readonly prices: PricesOf;
  /** Why no order can be placed here, in words; null where one can. */
  readonly noOrders: string | null;
  /** Of stocks. */
  readonly calendar: Calendar;
  readonly instruments: readonly Instrument[];
  /** Open of the first bar of all, where an empty exchange's clock stands. */
  readonly firstInstant: string;
  /** The clock goes no further: the close of the calendar's last session but one, so that a next one is known. */
  readonly lastInstant: string;
  /** The calendar by which an instrument trades. */
  calendarOf(conid: number): Calendar;
  instrument(conid: number): Instrument | undefined;
  bySymbol(symbol: string): Instrument | undefined;
  /** The whole bar of a session, for matching. */
  bar(conid: number, date: string): SessionBar | undefined;
  /** Null before the first bar of the instrument. */
  quote(conid: number, at: string): Quote | null;
  /** Bars with a start at or before `until`, as known at `at`: a session that is on shows only its open. */
  bars(conid: number, timeframe: Timeframe, until: string, at: string): readonly Bar[];
  /** True when the instrument trades in the session or in a later one. */
  tradesFrom(conid: number, date: string): boolean;
}

/** The session of a DAY order placed at an instant: the one that is on, else the next. */
export const sessionFor = (calendar: Calendar, at: string): Session =>
  calendar.openAt(at) ?? calendar.nextOpen(at);

/**
 * A market over bars and a calendar.
 * @throws RangeError when there is no bar at all
 */
export function createMarket(calendar: Calendar, instruments: readonly Instrument[]): Market {
  const byConid = new Map(instruments.map((instrument) => [instrument.conid, instrument]));
  const byDate = new Map(
    instruments.map(({ conid, bars }) => [conid, new Map(bars.map((bar) => [bar.session.date, bar]))]),
  );
  const plain = new Map(instruments.map(({ conid, bars }) => [conid, bars.map(plainBar)]));
  const clock = createAroundTheClock(calendar.first, calendar.last);
  const whole = new Map<string, readonly Bar[]>();
  const wholeOf = (conid: number, timeframe: Timeframe): readonly Bar[] => {
    const key = `${timeframe} ${conid}`;
    const made = whole.get(key) ?? barsOfTimeframe(plain.get(conid) ?? [], timeframe);
    whole.set(key, made);
    return made;
  };
  const firstInstant = instruments
    .flatMap(({ bars }) => bars.slice(0, 1))
    .map((bar) => bar.session.open)
    .sort()[0];
  if (firstInstant === undefined) throw new RangeError('the simulator has no bars');
  const lastSession = calendar.session(calendar.last) ?? calendar.previous(calendar.last);
  const barsOf = (conid: number): readonly SessionBar[] => byConid.get(conid)?.bars ?? [];

  const calendarOf = (conid: number): Calendar => (byConid.get(conid)?.kind === 'crypto' ? clock : calendar);
  /** Splits that have taken effect at an instant. */
  const splitsAt = (conid: number, at: string): readonly Split[] => {
    const { splits = [] } = byConid.get(conid) ?? {};
    return splits.filter(({ date }) => (calendarOf(conid).session(date)?.open ?? '9999') <= at);
  };

  return {
    prices: 'replay',
    noOrders: null,
    calendar,
    calendarOf,
    instruments,
    firstInstant,
    lastInstant: calendar.previous(lastSession.date).close,
    instrument: (conid) => byConid.get(conid),
    bySymbol: (symbol) => instruments.find((instrument) => instrument.symbol === symbol),
    bar: (conid, date) => byDate.get(conid)?.get(date),
    quote(conid, at) {
      const bars = barsOf(conid);
      const count = countUntil(bars, at);
      const bar = bars[count - 1];
      if (bar === undefined) return null;
      const trading = at < bar.session.close;
      const prior = bars[count - 2];
      return {
        phase: trading ? 'open' : calendarOf(conid).openAt(at) === null ? 'shut' : 'halted',
        last: trading ? bar.open : bar.close,
        bar: asKnown(bar, at),
        priorClose: prior === undefined ? null : adjusted(prior, splitsAt(conid, at)).close,
      };
    },
    bars(conid, timeframe, until, at) {
      const bars = barsOf(conid);
      const count = countUntil(bars, until < at ? until : at);
      // Only the last one can be of a session that is on.
      const last = bars[count - 1];
      if (last === undefined) return [];
      const daily = [...(plain.get(conid) ?? []).slice(0, count - 1), asKnown(last, at)];
      const splits = splitsAt(conid, at);
      if (splits.length > 0) {
        const even = daily.map((bar) => adjusted(bar, splits));
        return barsOfTimeframe(even, timeframe);
      }
      return timeframe === 'daily' ? daily : known(wholeOf(conid, timeframe), daily, timeframe);
    },
    tradesFrom: (conid, date) => (barsOf(conid).at(-1)?.session.date ?? '') >= date,
  };
}

/**
 * The weeks or months of daily bars: those before the last are whole and made already, the last is made of what is known.
 */
function known(whole: readonly Bar[], daily: readonly Bar[], timeframe: Timeframe): readonly Bar[] {
  const last = daily.at(-1)?.time ?? '';
  const begun = whole.filter((bar) => bar.time <= last);
  const start = begun.pop()?.time ?? '';
  const rest = daily.slice(daily.findLastIndex((bar) => bar.time < start) + 1);
  return [...begun, ...barsOfTimeframe(rest, timeframe)];
}

const plainBar = ({ time, open, high, low, close, volume }: SessionBar): Bar => ({
  time,
  open,
  high,
  low,
  close,
  volume,
});

/** A bar in today's shares: of before a split its prices are divided and its volume multiplied. */
function adjusted(bar: Bar, splits: readonly Split[]): Bar {
  const factor = splits
    .filter(({ date }) => bar.time.slice(0, 10) < date)
    .reduce((product, { numerator, denominator }) => (product * numerator) / denominator, 1);
  if (factor === 1) return bar;
  const at = (value: number): number => onGrid(value / factor);
  return {
    time: bar.time,
    open: at(bar.open),
    high: at(bar.high),
    low: at(bar.low),
    close: at(bar.close),
    volume: Math.round(bar.volume * factor),
  };
}

/** A bar as an instant knows it: before its close, only the open. */
function asKnown(bar: SessionBar, at: string): Bar {
  const { time, open } = bar;
  return at < bar.session.close
    ? { time, open, high: open, low: open, close: open, volume: 0 }
    : plainBar(bar);
}

/** How many bars have opened at or before an instant. */
function countUntil(bars: readonly SessionBar[], instant: string): number {
  let low = 0;
  let high = bars.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const bar = bars[middle];
    if (bar !== undefined && bar.session.open <= instant) low = middle + 1;
    else high = middle;
  }
  return low;
}
