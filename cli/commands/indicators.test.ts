// `keel indicators`: what it prints for good files, and that bad ones end in named lines and nothing else.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { indicatorsCommand } from './indicators.js';

const aapl = createRequire(import.meta.url).resolve('@observablehq/sample-datasets/aapl.csv');
const rows = readFileSync(aapl, 'utf8').trim().split('\n');
const names = [
  ...['date', 'sma20', 'sma50', 'sma200', 'ema12', 'ema26', 'rsi14', 'macd', 'macdSignal', 'macdHistogram'],
  ...['bollingerUpper', 'bollingerMiddle', 'bollingerLower', 'atr14', 'superTrend', 'superTrendDirection'],
  ...['volumeAverage20', 'tooShort'],
];
let folder = '';

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'keel-indicators-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

async function run(...args: string[]): Promise<{ code: number; out: string[]; err: string[] }> {
  const out: string[] = [];
  const err: string[] = [];
  const code = await indicatorsCommand(
    args,
    (line) => out.push(line),
    (line) => err.push(line),
  );
  return { code, out, err };
}

function csv(...lines: string[]): string {
  const file = path.join(folder, 'bars.csv');
  writeFileSync(file, `${lines.join('\n')}\n`);
  return file;
}

async function json(file: string): Promise<Record<string, unknown[]>> {
  const { code, out } = await run('--csv', file, '--json');
  expect([code, out.length]).toEqual([0, 1]);
  return JSON.parse(out[0] ?? '') as Record<string, unknown[]>;
}

describe('keel indicators --json', () => {
  it('prints one array a series, as long as the file, null exactly in warm-up', async () => {
    const result = await json(aapl);
    expect(Object.keys(result)).toEqual(names);
    const warmUp = { date: 0, sma20: 19, sma50: 49, sma200: 199, ema12: 11, ema26: 25, rsi14: 14, macd: 33 };
    const more = {
      macdSignal: 33,
      macdHistogram: 33,
      bollingerUpper: 19,
      bollingerMiddle: 19,
      bollingerLower: 19,
    };
    const last = { atr14: 14, superTrend: 10, superTrendDirection: 10, volumeAverage20: 19 };
    for (const [name, nulls] of Object.entries({ ...warmUp, ...more, ...last })) {
      expect(result[name], name).toHaveLength(1260);
      expect(
        result[name]?.slice(0, nulls).every((value) => value === null),
        name,
      ).toBe(true);
      expect(
        result[name]?.slice(nulls).every((value) => value !== null),
        name,
      ).toBe(true);
    }
    expect(result.tooShort).toEqual([]);
    expect(result.date?.at(-1)).toBe('2018-05-11');
  });

  it('prints the values of TA-Lib', async () => {
    const golden = JSON.parse(
      readFileSync(new URL('../../domain/indicators/goldens/aapl.json', import.meta.url), 'utf8'),
    ) as { sets: { series: Record<string, { values: number[] }> }[] };
    const result = await json(aapl);
    for (const [name, key] of Object.entries({
      rsi14: 'rsi',
      macdSignal: 'macdSignal',
      sma200: 'sma200',
      atr14: 'atr',
    }))
      expect(result[name]?.at(-1)).toBeCloseTo(golden.sets[0]?.series[key]?.values.at(-1) ?? NaN, 9);
  });

  it('keeps a series without enough bars as nulls, names it, and says on standard error what it needs', async () => {
    const file = csv(...rows.slice(0, 31));
    const result = await json(file);
    expect(result.tooShort).toEqual(['sma50', 'sma200', 'macd', 'macdSignal', 'macdHistogram']);
    expect(result.sma200).toEqual(new Array(30).fill(null));
    expect((await run('--csv', file, '--json')).err).toEqual([
      'sma50 needs 50 bars, there are 30',
      'sma200 needs 200 bars, there are 30',
      'macd needs 34 bars, there are 30',
    ]);
  });
});

describe('keel indicators', () => {
  it.each([
    ['one session', [100], 'the NYSE session 2013-10-02 has no bar'],
    ['several sessions', [100, 200, 201], '3 NYSE sessions, the first 2013-10-02, have no bar'],
  ])('names %s without a bar on standard error, and goes on', async (_what, left, words) => {
    const file = csv(...rows.filter((_row, line) => !left.includes(line)));
    const { code, out, err } = await run('--csv', file);
    expect({ code, err }).toEqual({
      code: 0,
      err: [`${file}: ${words}; the bars around a hole count as neighbours`],
    });
    expect(out).toHaveLength(names.length - 1);
  });

  it('says nothing of holes where the days are not those of the NYSE', async () => {
    const saturday = '2018-05-12,188,189,187,188,188,1000';
    const { code, err } = await run('--csv', csv(...rows.filter((_row, line) => line !== 100), saturday));
    expect({ code, err }).toEqual({ code: 0, err: [] });
  });

  it('prints a table of the last five bars', async () => {
    const { code, out, err } = await run('--csv', aapl);
    expect({ code, err }).toEqual({ code: 0, err: [] });
    expect(out[0]?.trim().split(/\s+/)).toEqual([
      '2018-05-07',
      '2018-05-08',
      '2018-05-09',
      '2018-05-10',
      '2018-05-11',
    ]);
    expect(out.slice(1).map((line) => line.split(' ')[0])).toEqual(names.slice(1, -1));
    expect(new Set(out.slice(1).map((line) => line.trim().split(/\s+/).length))).toEqual(new Set([6]));
    expect(Math.max(...out.map((line) => line.length))).toBeLessThan(100);
  });

  it.each([
    [['a hole'], ['Date,Open,High,Low,Close,Volume', '2014-07-07,10,12,,11,100'], [', line 2: low is blank']],
    [
      ['several faults'],
      [
        'Date,Open,High,Low,Close,Volume',
        '2014-07-07,10,x,9,11,100',
        '2014-07-07,10,12,-9,11,100',
        '2014-07-07,10,12,9,11,100',
      ],
      [
        ', line 2: high is not a number: "x"',
        ', line 3: the bar of 2014-07-07 has a price that is not above 0: low -9',
        ', line 4: the bar of 2014-07-07 is there more than once',
      ],
    ],
    [
      ['a missing column'],
      ['Date,Open,High,Low,Close', '2014-07-07,10,12,9,11'],
      [', line 1: the header has no column Volume; needed are Date, Open, High, Low, Close, Volume'],
    ],
  ])(
    'ends %s with a line for each fault, 1, and nothing on standard output',
    async (_name, lines, problems) => {
      const file = csv(...lines);
      for (const args of [
        ['--csv', file],
        ['--csv', file, '--json'],
      ])
        expect(await run(...args)).toEqual({
          code: 1,
          out: [],
          err: problems.map((problem) => `${file}${problem}`),
        });
    },
  );

  it('refuses numbers so large that an indicator overflows, instead of printing nulls', async () => {
    const days = Array.from(
      { length: 30 },
      (_, i) => `2014-07-${String(i + 1).padStart(2, '0')},1e308,1e308,1e308,1e308,1`,
    );
    const { code, out, err } = await run('--csv', csv('Date,Open,High,Low,Close,Volume', ...days), '--json');
    expect({ code, out, err }).toEqual({
      code: 1,
      out: [],
      err: ["sma20 can not be computed: the file's numbers are too large"],
    });
  });

  it.each([
    [
      ['--csv', '/nowhere/bars.csv'],
      /^\/nowhere\/bars\.csv can not be read: there is no such file or folder$/,
    ],
    [['--csv', '/'], /^\/ can not be read: it is a folder$/],
  ])('answers %j with one line', async (args, line) => {
    const { code, out, err } = await run(...args);
    expect([code, out, err.length]).toEqual([1, [], 1]);
    expect(err[0]).toMatch(line);
  });

  it.each([
    [[], '--csv FILE is needed'],
    [['--csv'], "Option '--csv <value>' argument missing"],
    [['--cvs', 'x'], 'there is no option --cvs; did you mean --csv?'],
  ])('refuses wrong use: %j', async (args, message) => {
    await expect(run(...args)).rejects.toMatchObject({ name: 'UsageError', message });
  });
});
