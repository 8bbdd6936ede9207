import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { tickerOf, tickerOfConid } from './tickers.js';

const letters = (min: number, max: number) => fc.stringMatching(new RegExp(`^[A-Z]{${min},${max}}$`));
const stock = fc
  .tuple(letters(1, 5), fc.option(letters(1, 1), { nil: null }))
  .map(([name, letter]) => (letter === null ? name : `${name}.${letter}`));
const coin = fc.stringMatching(/^[A-Z0-9]{2,5}$/).map((name) => `${name}/USD`);
const symbol = fc.oneof(stock, coin);

describe('the contract id of a ticker', () => {
  it('leads back to it, and no other ticker has it', () => {
    fc.assert(
      fc.property(symbol, symbol, (one, other) => {
        const [a, b] = [tickerOf(one), tickerOf(other)];
        expect(a?.symbol).toBe(one);
        expect(tickerOfConid(a?.conid ?? 0)).toEqual(a);
        expect(a?.conid === b?.conid).toBe(one === other);
        expect(a?.conid).toBeLessThan(2 ** 31);
      }),
      { numRuns: 500 },
    );
  });

  it('is one for all ways to write it', () => {
    expect(tickerOf('brk-b')).toEqual(tickerOf('BRK.B'));
    expect(tickerOf('btc-usd')).toEqual({ ...tickerOf('BTC/USD'), symbol: 'BTC/USD', kind: 'crypto' });
  });

  it.each(['', ' ', 'TOOLONG', 'A.BC', '^GSPC', 'EURUSD=X', 'BTC-EUR', 'A/USD', '.A', "A'"])(
    'is none for %j',
    (text) => {
      expect(tickerOf(text)).toBeNull();
    },
  );

  it('belongs to none below, above and between the ranges', () => {
    fc.assert(
      fc.property(fc.integer({ min: -1, max: 2 ** 31 }), (conid) => {
        const found = tickerOfConid(conid);
        if (found !== null) expect(tickerOf(found.symbol)?.conid).toBe(conid);
      }),
      { numRuns: 500 },
    );
    for (const conid of [0, 265_598, 999_999_999, 1_000_000_000, 1_500_000_000, Number.NaN, 1.5, 2 ** 40])
      expect(tickerOfConid(conid)).toBeNull();
  });
});
