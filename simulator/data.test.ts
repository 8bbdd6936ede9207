import { describe, expect, it } from 'vitest';
import { createNyseCalendar } from '../domain/market/nyse.js';
import { loadInstruments } from './data.js';

const instruments = loadInstruments(createNyseCalendar());
const bySymbol = new Map(instruments.map((instrument) => [instrument.symbol, instrument]));

describe('the data of the simulator', () => {
  it('is real for AAPL and the S&P 500, each row a session', () => {
    expect(bySymbol.get('AAPL')).toMatchObject({ conid: 265598, synthetic: false, droppedRows: 0 });
    expect(bySymbol.get('AAPL')?.bars).toHaveLength(1260);
    // 2014-07-07,94.139999,95.989998,94.099998,95.970001,89.297775,56468000
    expect(bySymbol.get('AAPL')?.bars.find((bar) => bar.session.date === '2014-07-07')).toMatchObject({
      time: '2014-07-07T13:30:00.000Z',
      open: 94.14,
      high: 95.99,
      low: 94.1,
      close: 95.97,
      volume: 56468000,
    });
    expect(bySymbol.get('SPX')).toMatchObject({ conid: 416904, synthetic: false, droppedRows: 0 });
    expect(bySymbol.get('SPX')?.bars).toHaveLength(5105);
  });

  it('says of made-up symbols that they are, and makes the same bars everywhere', () => {
    const made = instruments.filter(({ synthetic }) => synthetic);
    expect(made.map(({ name }) => name)).toEqual([
      'Synthetic trend (Keel simulator)',
      'Synthetic range (Keel simulator)',
      'Synthetic split, 4 for 1 on 2014-06-09 (Keel simulator)',
      'Synthetic crypto, around the clock (Keel simulator)',
    ]);
    const ends = made.map(({ bars }) => [bars.length, bars[0]?.close, bars.at(-1)?.close]);
    expect(ends).toMatchInlineSnapshot(`
      [
        [
          2590,
          49.64,
          149.29,
        ],
        [
          2590,
          99.31,
          107.85,
        ],
        [
          2590,
          99.68,
          24.57,
        ],
        [
          2299,
          691.39,
          734.91,
        ],
      ]
    `);
  });

  it('has no bar that is none', () => {
    for (const { bars } of instruments) {
      const wrong = bars.filter(
        ({ open, high, low, close }) =>
          !(low > 0 && low <= Math.min(open, close) && Math.max(open, close) <= high),
      );
      expect(wrong).toEqual([]);
    }
  });
});
