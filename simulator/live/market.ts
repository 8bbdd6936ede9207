// The market whose prices come from a chain of sources: any ticker, the machine's time, no bars. It takes trades of the
// simulator's own API alone, because orders that rest need bars to be matched with. Called by server.ts.
import type { Calendar } from '../../domain/market/calendarTypes.js';
import { createAroundTheClock } from '../exchange/aroundTheClock.js';
import type { Market } from '../exchange/market.js';
import type { Instrument } from '../exchange/types.js';
import type { LivePrices } from './prices.js';
import { tickerOf, tickerOfConid } from './tickers.js';
import type { Ticker } from './tickers.js';

export function createLiveMarket(calendar: Calendar, prices: Pick<LivePrices, 'known'>): Market {
  const clock = createAroundTheClock(calendar.first, calendar.last);
  const calendarOf = (conid: number): Calendar =>
    tickerOfConid(conid)?.kind === 'crypto' ? clock : calendar;
  const last = calendar.session(calendar.last) ?? calendar.previous(calendar.last);
  return {
    prices: 'chain',
    noOrders:
      'This simulator has live prices and takes no orders here; trade by its own API, or start one that replays.',
    calendar,
    calendarOf,
    instruments: [],
    firstInstant: `${calendar.first}T00:00:00.000Z`,
    lastInstant: calendar.previous(last.date).close,
    instrument: (conid) => instrumentOf(tickerOfConid(conid)),
    bySymbol: (symbol) => instrumentOf(tickerOf(symbol)),
    bar: () => undefined,
    quote(conid, at) {
      const ticker = tickerOfConid(conid);
      const known = ticker === null ? null : prices.known(ticker.symbol);
      if (known === null) return null;
      const { price } = known;
      return {
        phase: calendarOf(conid).openAt(at) === null ? 'shut' : 'open',
        last: price,
        bar: { time: known.at, open: price, high: price, low: price, close: price, volume: 0 },
        priorClose: known.previousClose,
      };
    },
    bars: () => [],
    tradesFrom: () => false,
  };
}

const instrumentOf = (ticker: Ticker | null): Instrument | undefined =>
  ticker === null
    ? undefined
    : {
        ...ticker,
        name: ticker.symbol,
        exchange: 'KEELSIM',
        synthetic: false,
        bars: [],
        splits: [],
        droppedRows: 0,
      };
