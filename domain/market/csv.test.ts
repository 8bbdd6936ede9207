// What the CSV reader takes, and that it names every line it can not take instead of skipping it.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseCsv } from './csv.js';

const header = 'Date,Open,High,Low,Close,Volume';
const good = '2014-07-07,10,12,9,11,100';
const problemsOf = (...lines: string[]): string[] =>
  parseCsv(lines.join('\n')).problems.map(({ line, message }) => `${line}: ${message}`);

describe('parseCsv', () => {
  it('reads bars at midnight UTC of their date', () => {
    expect(parseCsv(`${header}\n${good}\n2014-07-08,1.5e1,16.25,.5,15,0\n`)).toEqual({
      bars: [
        { time: '2014-07-07T00:00:00.000Z', open: 10, high: 12, low: 9, close: 11, volume: 100 },
        { time: '2014-07-08T00:00:00.000Z', open: 15, high: 16.25, low: 0.5, close: 15, volume: 0 },
      ],
      problems: [],
    });
  });

  it('takes columns in any order and case, ignores others, and knows quotes, spaces, BOM and CRLF', () => {
    const text =
      '\uFEFFvolume, Adj Close,CLOSE,low,"High",open,"date"\r\n100,"a ""b"", c",11, 9,"12",10,2014-07-07\r\n\r\n';
    expect(parseCsv(text)).toEqual(parseCsv(`${header}\n${good}`));
    expect(parseCsv(text).bars).toHaveLength(1);
  });

  it.each([
    ['an empty file', [''], ['1: the file is empty']],
    ['blank lines only', ['', '  '], ['1: the file is empty']],
    ['a header alone', [header], ['2: there is a header, but not one bar']],
    [
      'missing columns',
      ['Date,Open,High,Close', good],
      [
        '1: the header has no column Low; needed are Date, Open, High, Low, Close, Volume',
        '1: the header has no column Volume; needed are Date, Open, High, Low, Close, Volume',
      ],
    ],
    ['a column twice', [`${header},close`, `${good},1`], ['1: the header has the column Close 2 times']],
    ['a blank cell', [header, '2014-07-07,10,12,,11,100'], ['2: low is blank']],
    ['a blank date', [header, ',10,12,9,11,100'], ['2: date is blank']],
    ['a blank line between', [header, good, '', '2014-07-08,10,12,9,11,100'], ['3: the line is blank']],
    ['a word', [header, '2014-07-07,10,12,9,null,100'], ['2: close is not a number: "null"']],
    ['a hexadecimal', [header, '2014-07-07,0x10,12,9,11,100'], ['2: open is not a number: "0x10"']],
    ['a thousands comma', [header, '2014-07-07,10,12,9,11,"1,000"'], ['2: volume is not a number: "1,000"']],
    ['a short row', [header, '2014-07-07,10,12,9,11'], ['2: there are 5 cells where the header has 6']],
    [
      'a leading comma',
      [header, `,"2014-07-07",10,12,9,11,100`],
      ['2: there are 7 cells where the header has 6'],
    ],
    [
      'another date form',
      [header, '07/07/2014,10,12,9,11,100'],
      ['2: date is not a day of the form YYYY-MM-DD: "07/07/2014"'],
    ],
    [
      'a day that is none',
      [header, '2014-02-30,10,12,9,11,100'],
      ['2: date is not a day of the form YYYY-MM-DD: "2014-02-30"'],
    ],
    ['a day twice', [header, good, good], ['3: the bar of 2014-07-07 is there more than once']],
    [
      'days out of order',
      [header, '2014-07-08,10,12,9,11,100', good],
      ['3: the bar of 2014-07-07 is out of order: it comes after 2014-07-08'],
    ],
    [
      'a negative price',
      [header, '2014-07-07,10,12,-9,11,100'],
      ['2: the bar of 2014-07-07 has a price that is not above 0: low -9'],
    ],
    [
      'a number too large',
      [header, '2014-07-07,10,1e999,9,11,100'],
      ['2: the bar of 2014-07-07 has no finite high: Infinity'],
    ],
    [
      'a high below the close',
      [header, '2014-07-07,10,10.5,9,11,100'],
      ['2: the bar of 2014-07-07 has its high 10.5 below its close 11'],
    ],
  ])('names the line of %s', (_name, lines, problems) => {
    expect(problemsOf(...lines)).toEqual(problems);
  });

  it('names every problem in the order of the lines, and then gives no bars at all', () => {
    const result = parseCsv([header, '2014-07-07,10,8,9,11,100', 'x,10,12,,11,100', good].join('\n'));
    expect(result.bars).toEqual([]);
    expect(result.problems.map(({ line }) => line)).toEqual([2, 2, 2, 3, 3, 4]);
  });

  it('gives back what was written, to the last digit', () => {
    const price = fc.double({ min: 1e-6, max: 1e9, noNaN: true, noDefaultInfinity: true });
    fc.assert(
      fc.property(fc.array(fc.tuple(price, price, fc.nat()), { minLength: 1, maxLength: 30 }), (rows) => {
        const bars = rows.map(([a, b, volume], i) => ({
          time: new Date(1.4e12 - (1.4e12 % 86_400_000) + i * 86_400_000).toISOString(),
          open: a,
          high: Math.max(a, b),
          low: Math.min(a, b),
          close: b,
          volume,
        }));
        const lines = bars.map((bar) =>
          [bar.time.slice(0, 10), bar.open, bar.high, bar.low, bar.close, bar.volume].join(','),
        );
        expect(parseCsv([header, ...lines].join('\n'))).toEqual({ bars, problems: [] });
      }),
    );
  });
});
