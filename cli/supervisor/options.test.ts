import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseStartOptions, UsageError } from './options.js';

const parse = (...argv: string[]) => parseStartOptions(argv, undefined);

describe('parseStartOptions', () => {
  it('runs AAPL in .keel of the working directory and stays up when nothing is said', () => {
    expect(parse()).toMatchObject({
      once: false,
      again: false,
      json: null,
      symbol: 'AAPL',
      asOf: null,
      dataDir: resolve('.keel'),
      reset: false,
    });
  });

  it('makes paths absolute and symbols upper-case', () => {
    const options = parse('--symbol', 'spx', '--json', 'out.json', '--data-dir', 'd', '--once');
    expect(options).toMatchObject({
      symbol: 'SPX',
      json: resolve('out.json'),
      dataDir: resolve('d'),
      once: true,
    });
  });

  it('takes the data directory of the environment, and the option over it', () => {
    expect(parseStartOptions([], '/var/keel').dataDir).toBe('/var/keel');
    expect(parseStartOptions(['--data-dir', '/x'], '/var/keel').dataDir).toBe('/x');
  });

  it('refuses what is no date, no symbol or no option', () => {
    for (const argv of [
      ['--as-of', '2014-02-30'],
      ['--as-of', 'monday'],
      ['--symbol', '../x'],
      ['--again', '--as-of', '2014-07-07'],
      ['--ones'],
      ['x'],
    ]) {
      expect(() => parse(...argv)).toThrow(UsageError);
    }
  });
});
