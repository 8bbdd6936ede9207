import { describe, expect, it } from 'vitest';
import { computeIndicators } from '../../domain/indicators/compute.js';
import { toColumns } from '../../domain/market/columns.js';
import type { ChartRequest } from '../../ports/chartRenderer.js';
import { panelTitle } from './legend.js';
import { pictureOf } from './picture.js';
import { aapl, barsOf, requestOf } from './testing/samples.js';

const pictured = (request: ChartRequest) =>
  pictureOf(request, computeIndicators(toColumns(request.bars), request.indicators));
const texts = (request: ChartRequest): string[] =>
  pictured(request)
    .legend.flat()
    .map(({ text }) => text);

describe('the legend', () => {
  it('says which average has too few bars and gives it no colour', () => {
    const { legend } = pictured(requestOf(aapl().slice(0, 150)));
    const entry = legend.flat().find(({ text }) => text.startsWith('SMA 200'));
    expect(entry).toEqual({ text: 'SMA 200: too few bars', colour: null, mark: 'line' });
  });

  it('gives the value at the last bar', () => {
    const bars = barsOf(Array.from({ length: 31 }, (_, at) => 100 + at));
    // Closes 111 to 130.
    expect(texts(requestOf(bars))).toContain('SMA 20  120.50');
  });

  it('names the parameters of the strategy', () => {
    const request = requestOf(aapl());
    const indicators = { ...request.indicators, sma: [10], superTrend: { period: 7, multiplier: 2 } };
    const found = texts({ ...request, indicators }).join(' | ');
    expect(found).toContain('SMA 10  ');
    expect(found).toContain('SuperTrend 7, 2');
    expect(found).not.toContain('SMA 200');
  });

  it('gives the trend that holds now its value, and the other none', () => {
    const found = texts(requestOf(aapl())).filter((text) => text.startsWith('SuperTrend'));
    expect(found).toHaveLength(2);
    expect(found.filter((text) => text.includes('now'))).toHaveLength(1);
  });

  it('says so in the panels that have too few bars', () => {
    const picture = pictured(requestOf(aapl().slice(0, 5)));
    const of = (panel: 'volume' | 'rsi' | 'macd'): string[] =>
      panelTitle(panel, picture).map(({ text }) => text);
    expect(of('volume')[1]).toBe('average 20: too few bars');
    expect(of('rsi')).toEqual(['RSI 14: too few bars']);
    expect(of('macd')).toEqual(['MACD 12, 26, 9: too few bars']);
  });
});

describe('the price range', () => {
  it('holds every candle and is not squeezed by a far average', () => {
    const bars = barsOf([...Array.from({ length: 200 }, () => 10), ...Array.from({ length: 60 }, () => 100)]);
    const { priceRange } = pictured(requestOf(bars, { window: 50 }));
    expect(priceRange.low).toBeGreaterThan(90);
    expect(priceRange.high).toBeGreaterThan(100.5);
  });
});
