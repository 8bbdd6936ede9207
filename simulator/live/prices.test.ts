import { describe, expect, it } from 'vitest';
import type { Price, PricesPort } from '../../ports/prices.js';
import { createLivePrices } from './prices.js';

const priced = (symbol: string, price: string): Price => ({
  ...{
    symbol,
    price,
    currency: 'USD',
    at: '2026-01-05T20:00:00.000Z',
    fetchedAt: '2026-01-05T20:00:01.000Z',
    ageMs: 1000,
    ofMarket: true,
  },
  ...{ previousClose: null, volume: null, marketCap: null },
  ...{ source: 'yahoo', freshness: 'live', reason: null },
});

describe('what is held, valued by live prices', () => {
  it('keeps the last price of what has fallen below a cent, and notes those after it', async () => {
    let penny = '0.02';
    const chain: Pick<PricesPort, 'price' | 'batch'> = {
      price: (symbol) => Promise.resolve(priced(symbol, penny)),
      batch: () => Promise.resolve({ prices: [priced('PENNY', penny), priced('IBM', '200')], problems: [] }),
    };
    const prices = createLivePrices(chain);
    await prices.ask('PENNY');
    penny = '0.004';
    await prices.value(['PENNY', 'IBM']);
    expect(prices.known('PENNY')?.price).toBe(0.02);
    expect(prices.known('IBM')?.price).toBe(200);
    await expect(prices.ask('PENNY')).rejects.toMatchObject({ code: 'PRICE_TOO_SMALL' });
  });

  it('has no value for what was never worth a cent', async () => {
    const chain: Pick<PricesPort, 'price' | 'batch'> = {
      price: (symbol) => Promise.resolve(priced(symbol, '0.004')),
      batch: () => Promise.resolve({ prices: [priced('PENNY', '0.004')], problems: [] }),
    };
    await expect(createLivePrices(chain).value(['PENNY'])).rejects.toMatchObject({ code: 'PRICES_AWAY' });
  });

  it('is never valued or traded by a price of another time than the market is of', async () => {
    const other: Price = { ...priced('IBM', '200'), ofMarket: false, reason: 'It is a price of tomorrow.' };
    const chain: Pick<PricesPort, 'price' | 'batch'> = {
      price: () => Promise.resolve(other),
      batch: () => Promise.resolve({ prices: [other], problems: [] }),
    };
    const prices = createLivePrices(chain);
    for (const refused of [prices.ask('IBM'), prices.value(['IBM'])])
      await expect(refused).rejects.toMatchObject({
        code: 'PRICE_OF_OTHER_TIME',
        message: 'IBM is not valued by the price that yahoo gives: It is a price of tomorrow.',
      });
    expect(prices.known('IBM')).toBeNull();
  });
});
