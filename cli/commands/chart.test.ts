import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { chartCommand } from './chart.js';

const aapl = createRequire(import.meta.url).resolve('@observablehq/sample-datasets/aapl.csv');
const header = 'Date,Open,High,Low,Close,Volume';
let folder = '';

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'keel-chart-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

async function run(...args: string[]): Promise<{ code: number; out: string[]; err: string[] }> {
  const out: string[] = [];
  const err: string[] = [];
  const code = await chartCommand(
    args,
    (line) => out.push(line),
    (line) => err.push(line),
  );
  return { code, out, err };
}

function csv(lines: readonly string[]): string {
  const file = path.join(folder, 'bars.csv');
  writeFileSync(file, `${lines.join('\n')}\n`);
  return file;
}

const target = (): string => path.join(folder, 'chart.png');

describe('keel chart', () => {
  it('draws the last year of a daily CSV and says what it wrote', async () => {
    const { code, out, err } = await run('--csv', aapl, '--out', target());
    expect({ code, err }).toEqual({ code: 0, err: [] });
    expect(out).toHaveLength(1);
    expect(out[0]).toContain('chart.png: AAPL, 252 of 1260 daily bars, 1200×900 pixels');
    expect(await sharp(target()).metadata()).toMatchObject({ format: 'png', width: 1200, height: 900 });
    expect(readdirSync(folder)).toEqual(['chart.png']);
  });

  it('joins days to weeks, and leaves out a week that has not ended', async () => {
    const rows = readFileSync(aapl, 'utf8').trim().split('\n');
    const finished = await run('--csv', aapl, '--out', target(), '--timeframe', 'weekly', '--symbol', 'X');
    expect(finished).toMatchObject({ code: 0, err: [] });
    expect(finished.out[0]).toContain('X, 260 of 261 weekly bars');
    // Without Friday, 2018-05-11.
    const file = csv(rows.slice(0, -1));
    const open = await run('--csv', file, '--out', target(), '--timeframe', 'weekly');
    expect(open.code).toBe(0);
    expect(open.out[0]).toContain('BARS, 260 of 260 weekly bars');
    expect(open.err).toEqual([`the last week of ${file} is unfinished and left out`]);
  });

  it('joins days to months, and leaves out a month that has not ended, in and outside the calendar', async () => {
    const whole = await run('--csv', aapl, '--out', target(), '--timeframe', 'monthly');
    expect(whole.out[0]).toContain('AAPL, 59 of 59 monthly bars');
    expect(whole.err).toEqual([
      `the first month of ${aapl} is only a piece of one and left out`,
      `the last month of ${aapl} is unfinished and left out`,
    ]);
    const rows = ['1998-10-29', '1998-10-30', '1998-11-27', '1998-11-30', '1998-12-30'].map(
      (date) => `${date},10,11,9,10,100`,
    );
    for (const [count, months] of [
      [2, '1 of 1'],
      [3, '1 of 1'],
      [4, '2 of 2'],
      [5, '2 of 2'],
    ] as const) {
      const file = csv([header, ...rows.slice(0, count)]);
      const { code, out } = await run('--csv', file, '--out', target(), '--timeframe', 'monthly');
      expect([code, out[0]]).toEqual([0, expect.stringContaining(`BARS, ${months} monthly bars`)]);
    }
  });

  it('names every problem of a bad CSV with its line, and writes nothing', async () => {
    const file = csv([
      header,
      '2018-01-02,10,11,9,10,100',
      '2018-01-03,10,11,9,,100',
      '2018-01-04,-1,11,-2,10,100',
      '2018-01-02,10,11,9,10,100',
      '2018-01-05,ten,11,9,10,100',
    ]);
    const { code, out, err } = await run('--csv', file, '--out', target());
    expect(code).toBe(1);
    expect(out).toEqual([]);
    for (const line of [3, 4, 5, 6])
      expect(err.some((text) => text.startsWith(`${file}, line ${line}: `))).toBe(true);
    expect(err.some((text) => text.includes(', line 2:'))).toBe(false);
    expect(err.every((text) => !text.includes('\n'))).toBe(true);
    expect(readdirSync(folder)).toEqual(['bars.csv']);
  });

  it('keeps the picture that is there when the CSV is bad', async () => {
    writeFileSync(target(), 'before');
    expect((await run('--csv', csv([header]), '--out', target())).code).toBe(1);
    expect(readFileSync(target(), 'utf8')).toBe('before');
  });

  it.each([
    ['a folder that is not there', () => path.join(folder, 'missing', 'chart.png'), /no such file or folder/],
    ['a folder', () => path.join(folder, 'taken'), /it is a folder/],
    ['a path through a file', () => path.join(folder, 'bars.csv', 'chart.png'), /part of the path/],
  ])('says in one line that it can not write to %s', async (_name, place, reason) => {
    const file = csv([header, '2018-01-02,10,11,9,10,100', '2018-01-03,10,11,9,10,100']);
    mkdirSync(path.join(folder, 'taken'));
    const { code, err } = await run('--csv', file, '--out', place());
    expect(code).toBe(1);
    expect(err).toHaveLength(1);
    expect(err[0]).toContain('can not be written');
    expect(err[0]).toMatch(reason);
    expect(readdirSync(folder).sort()).toEqual(['bars.csv', 'taken']);
  });

  it('says in one line that a CSV is not there', async () => {
    const { code, out, err } = await run('--csv', '/nowhere/a.csv', '--out', 'a.png');
    expect({ code, out }).toEqual({ code: 1, out: [] });
    expect(err).toEqual([expect.stringMatching(/can not be read: there is no/)]);
  });

  it.each([
    ['no arguments', [], /--csv FILE and --out PNG are needed/],
    ['a timeframe it does not know', ['--csv', aapl, '--out', 'a.png', '--timeframe', 'hourly'], /daily or/],
    ['an option it does not know', ['--timefrme', 'daily'], /--timefrme; did you mean --timeframe\?/],
    ['an option without its value', ['--csv'], /--csv/],
  ])('refuses %s as wrong use', async (_name, args, reason) => {
    await expect(run(...args)).rejects.toMatchObject({
      name: 'UsageError',
      message: expect.stringMatching(reason) as string,
    });
  });
});
