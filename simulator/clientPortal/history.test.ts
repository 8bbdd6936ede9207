import { describe, expect, it } from 'vitest';
import { aggregateMonthly, aggregateWeekly } from '../../domain/market/weekly.js';
import { CONID, marketOf, sessions } from '../testing/exchange.js';
import type { Prices } from '../testing/exchange.js';
import type { HistoryRequest } from './history.js';
import { barsOf, historyAnswer, readHistoryRequest } from './history.js';

const prices = Array.from({ length: 30 }, (_, day): Prices => [100 + day, 110 + day, 90 + day, 105 + day]);
const market = marketOf(prices);
const session = (index: number): { open: string; close: string } =>
  sessions[index] ?? { open: '', close: '' };

type Given = Partial<Record<'period' | 'bar' | 'startTime' | 'direction' | 'source', string>>;

function request(now: string, given: Given): HistoryRequest {
  const read = readHistoryRequest(
    { conid: String(CONID), period: null, bar: null, startTime: null, ...given },
    now,
  );
  if ('error' in read) throw new Error(read.error);
  return read;
}

const bars = (now: string, given: Given) => barsOf(market, request(now, given), now);

describe('history', () => {
  it('knows of a session that is on nothing but its open', () => {
    const last = bars(session(9).open, { period: '1m' }).at(-1);
    expect(last).toEqual({ time: session(9).open, open: 109, high: 109, low: 109, close: 109, volume: 0 });
  });

  it('knows the whole bar from the close on', () => {
    expect(bars(session(9).close, { period: '1m' }).at(-1)).toMatchObject({ high: 119, low: 99, close: 114 });
  });

  it('never goes past the market clock, whatever startTime says', () => {
    const now = session(9).close;
    expect(bars(now, { period: '1y', startTime: '20200101-00:00:00' })).toEqual(bars(now, { period: '1y' }));
  });

  it('ends at startTime', () => {
    const found = bars(session(29).close, { period: '1y', startTime: '20140711-13:30:00' });
    expect(found.at(-1)?.time).toBe('2014-07-11T13:30:00.000Z');
    expect(found).toHaveLength(5);
  });

  it('begins at startTime where the direction is 1, and goes as far as the period or the market clock', () => {
    const startTime = '20140711-13:30:00';
    const now = session(29).close;
    const forward = (period: string, bar = '1d', at = now) =>
      bars(at, { period, bar, startTime, direction: '1' }).map(({ time }) => time.slice(0, 10));
    const days = sessions.slice(0, 30).map(({ date }) => date);
    expect(forward('5d')).toEqual(days.slice(4, 9));
    expect(forward('1w')).toEqual(days.filter((date) => date >= '2014-07-11' && date < '2014-07-18'));
    expect(forward('1y')).toEqual(days.slice(4));
    expect(forward('1y', '1d', session(6).open)).toEqual(days.slice(4, 7));
    expect(forward('1m', '1w')[0]).toBe('2014-07-14');
    expect(bars(now, { period: '5d', startTime, direction: '-1' })).toEqual(
      bars(now, { period: '5d', startTime }),
    );
    const [first, ...rest] = bars(now, { period: '5d', startTime, direction: '1' });
    if (first === undefined) throw new Error('no bars');
    const wanted = request(now, { period: '5d', startTime, direction: '1' });
    expect(historyAnswer('TEST', wanted, [first, ...rest])).toMatchObject({
      direction: 1,
      startTime,
    });
  });

  it('gives trades, their midpoint, or bid and ask, and volume of trades alone', () => {
    const given = { period: '7d' };
    const now = session(9).close;
    const [trade] = bars(now, given);
    expect(bars(now, { ...given, source: 'Last' })[0]).toEqual(trade);
    expect(bars(now, { ...given, source: 'Midpoint' })[0]).toEqual({ ...trade, volume: 0 });
    const wide = barsOf(market, request(now, { ...given, source: 'Bid_Ask' }), now, 0.02)[0];
    // Open and close are what bid and ask were on average, the extremes the lowest bid and the highest ask.
    const { time, high, low, open, close } = trade ?? {
      time: '',
      high: NaN,
      low: NaN,
      open: NaN,
      close: NaN,
    };
    expect(wide).toEqual({
      time,
      open: Number((((open + close) / 2) * 0.99).toFixed(2)),
      high: Number((high * 1.01).toFixed(2)),
      low: Number((low * 0.99).toFixed(2)),
      close: Number((((open + close) / 2) * 1.01).toFixed(2)),
      volume: 0,
    });
  });

  it('counts days in sessions and weeks, months and years by the calendar', () => {
    const now = session(29).close;
    expect(bars(now, { period: '7d' })).toHaveLength(7);
    expect(bars(now, { period: '1w' }).map((bar) => bar.time.slice(0, 10))).toEqual(
      sessions.slice(25, 30).map(({ date }) => date),
    );
    expect(bars(now, { period: '1m' })).toHaveLength(23);
  });

  it('aggregates weeks, the one that is on included', () => {
    const found = bars(session(7).open, { period: '1m', bar: '1w' });
    expect(found).toEqual([
      { time: session(0).open, open: 100, high: 114, low: 90, close: 109, volume: 5000 },
      { time: session(5).open, open: 105, high: 116, low: 95, close: 107, volume: 2000 },
    ]);
  });

  it('aggregates months, the one that is on included, and shows of a session that is on its open alone', () => {
    const [days, months] = ['1d', '1m'].map((bar) => bars(session(29).open, { period: '1y', bar }));
    expect(months?.map(({ time }) => time.slice(0, 7))).toEqual(['2014-07', '2014-08']);
    expect(months).toEqual(aggregateMonthly(days ?? []));
    const held = request(session(29).open, { period: '1y', bar: '1m' });
    const [first] = months ?? [];
    if (first === undefined) throw new Error('no months');
    expect(historyAnswer('TEST', held, [first])).toMatchObject({ barLength: 2_592_000 });
  });

  it('makes the same weeks and months at every instant as from the days known then', () => {
    for (const { open, close } of sessions.slice(0, 30)) {
      for (const now of [open, close]) {
        const days = bars(now, { period: '1y' });
        expect(bars(now, { period: '1y', bar: '1w' })).toEqual(aggregateWeekly(days));
        expect(bars(now, { period: '15y', bar: '1m' })).toEqual(aggregateMonthly(days));
      }
    }
  });

  it('gives the broker’s figures: points is one less than the bars, extremes carry price, volume and minutes', () => {
    const wanted = request(session(29).close, { period: '3d' });
    const [first, ...rest] = barsOf(market, wanted, session(29).close);
    if (first === undefined) throw new Error('no bars');
    expect(historyAnswer('TEST', wanted, [first, ...rest])).toMatchObject({
      points: 2,
      volumeFactor: 100,
      startTime: '20140813-13:30:00',
      high: '13900/10/2880',
      low: '11700/10/0',
      data: [{ t: Date.parse(first.time), v: 10, o: 127 }, {}, {}],
    });
  });
});

describe('the history grammar', () => {
  it.each([
    ['1001d', '1d', 'period'],
    ['16y', '1w', 'period'],
    ['1M', '1d', 'period'],
    ['0d', '1d', 'period'],
    ['', '1d', 'period'],
    ['1y', '7d', 'bar 7d is not valid'],
    ['1y', '1h', 'daily, weekly and monthly only'],
    ['27d', '1m', 'not valid for period'],
    ['3w', '1m', 'not valid for period'],
    ['1d', '1d', 'not valid for period'],
    ['15y', '1d', 'not valid for period'],
    ['3h', '1d', 'not valid for period'],
  ])('refuses period %s with bar %s', (period, bar, words) => {
    expect(readHistoryRequest({ conid: '1', period, bar, startTime: null }, session(0).open)).toEqual({
      error: expect.stringContaining(words) as string,
    });
  });

  it.each([
    [{ direction: '1' }, 'direction 1 needs a startTime'],
    [{ direction: '0' }, 'direction 0 is not valid'],
    [{ direction: 'back' }, 'direction back is not valid'],
    [{ source: 'trades' }, 'source trades is not valid'],
  ])('refuses %o', (given, words) => {
    const asked = { conid: '1', period: '1y', bar: '1d', startTime: null, ...given };
    expect(readHistoryRequest(asked, session(0).open)).toEqual({ error: `Bad Request: ${words}` });
  });

  it.each(['2014', '20141332-00:00:00', '20140101 00:00:00', '20140101-25:00:00'])(
    'refuses the startTime %s',
    (startTime) => {
      expect(readHistoryRequest({ conid: '1', period: '1y', bar: '1d', startTime }, session(0).open)).toEqual(
        { error: expect.stringContaining('startTime') as string },
      );
    },
  );
});
