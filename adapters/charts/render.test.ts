import { readFileSync } from 'node:fs';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import type { ChartRequest } from '../../ports/chartRenderer.js';
import { createRender } from './render.js';
import { aapl, barsOf, requestOf } from './testing/samples.js';

const render = createRender();

/** Decodes the PNG by sharp's own reader: what a person's viewer would show. */
async function picture(request: ChartRequest) {
  const { png } = await render(request);
  const { data, info } = await sharp(png).raw().toBuffer({ resolveWithObject: true });
  const at = (x: number, y: number): string =>
    data.subarray((y * info.width + x) * 3, (y * info.width + x) * 3 + 3).toString('hex');
  const find = (colour: string, box = { left: 0, right: 1200, top: 0, bottom: 900 }): [number, number][] => {
    const found: [number, number][] = [];
    for (let y = box.top; y < box.bottom; y += 1)
      for (let x = box.left; x < box.right; x += 1) if (at(x, y) === colour) found.push([x, y]);
    return found;
  };
  return { png, data, info, find };
}

const up = '0072b2';
const down = 'd55e00';
const superTrendUp = '00875a';
const superTrendDown = 'c2185b';
const [sma20, sma200] = ['8e24aa', '111111'];
const white = 'ffffff';

const pricePanel = { left: 16, right: 1116, top: 113, bottom: 535 };
const title = { left: 0, right: 400, top: 0, bottom: 40 };
const lastPrice = { left: 800, right: 1200, top: 0, bottom: 40 };

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

/** Mean y of a colour in the left and in the right third of the price panel. */
function heights(found: readonly [number, number][]): { left: number; right: number } {
  const y = (from: number, to: number): number =>
    mean(found.filter(([x]) => x >= from && x < to).map(([, height]) => height));
  return { left: y(16, 380), right: y(750, 1116) };
}

const ramp = (from: number, step: number, count: number): number[] =>
  Array.from({ length: count + 1 }, (_, at) => from + step * at);

describe('a chart', () => {
  it('is a PNG of 1200 by 900 without metadata', async () => {
    const { png } = await picture(requestOf(aapl()));
    const metadata = await sharp(png).metadata();
    expect(metadata).toMatchObject({ format: 'png', width: 1200, height: 900, channels: 3 });
    expect(metadata.exif).toBeUndefined();
    expect(metadata.icc).toBeUndefined();
    expect(metadata.xmp).toBeUndefined();
    expect(png.byteLength).toBeLessThan(300_000);
  });

  it('is the same to the byte for the same request', async () => {
    const [one, other] = [await render(requestOf(aapl())), await render(requestOf(aapl()))];
    expect(Buffer.compare(one.png, other.png)).toBe(0);
  });

  it('is right when two are asked for at once', async () => {
    const [first, second] = await Promise.all([
      render(requestOf(aapl())),
      render(requestOf(barsOf(ramp(100, 1, 60)))),
    ]);
    expect(Buffer.compare(first.png, (await render(requestOf(aapl()))).png)).toBe(0);
    expect(Buffer.compare(second.png, (await render(requestOf(barsOf(ramp(100, 1, 60))))).png)).toBe(0);
  });

  it('draws a rising series in blue candles from bottom left to top right', async () => {
    const { find } = await picture(requestOf(barsOf(ramp(100, 1, 60))));
    const blue = find(up, pricePanel);
    expect(blue.length).toBeGreaterThan(1000);
    expect(find(down, pricePanel)).toHaveLength(0);
    const { left, right } = heights(blue);
    expect(left - right).toBeGreaterThan(150);
  });

  it('draws a falling series in orange candles from top left to bottom right', async () => {
    const { find } = await picture(requestOf(barsOf(ramp(200, -1, 60))));
    const orange = find(down, pricePanel);
    expect(orange.length).toBeGreaterThan(1000);
    expect(find(up, pricePanel)).toHaveLength(0);
    const { left, right } = heights(orange);
    expect(right - left).toBeGreaterThan(150);
  });

  it('draws only the last bars of the window', async () => {
    const bars = barsOf([...ramp(200, -1, 60), ...ramp(141, 1, 39)]);
    const { find } = await picture(requestOf(bars, { window: 40 }));
    expect(find(down, pricePanel)).toHaveLength(0);
    expect(find(up, pricePanel).length).toBeGreaterThan(1000);
  });

  it('writes the symbol: ink where a blank has none, and other ink for another symbol', async () => {
    const one = await picture(requestOf(aapl()));
    const other = await picture(requestOf(aapl(), { symbol: 'MSFT' }));
    const ink = (chart: typeof one): number => 400 * 40 - chart.find(white, title).length;
    expect(ink(one)).toBeGreaterThan(800);
    expect(ink(one)).not.toBe(ink(other));
  });

  it('shows another last price in the header and at the axis', async () => {
    const bars = aapl();
    const last = bars.at(-1);
    if (last === undefined) throw new Error('no bars');
    const one = await picture(requestOf(bars));
    const other = await picture(requestOf([...bars.slice(0, -1), { ...last, close: 189.37 }]));
    const ink = (chart: typeof one, box: typeof title): string => JSON.stringify(chart.find('1f2933', box));
    expect(ink(one, lastPrice)).not.toBe(ink(other, lastPrice));
    const axis = { left: 1117, right: 1200, top: 113, bottom: 535 };
    expect(ink(one, axis)).not.toBe(ink(other, axis));
  });

  it('keeps a title that is too long away from the last price', async () => {
    const { find } = await picture(requestOf(aapl(), { symbol: 'W'.repeat(400) }));
    const between = { left: 600, right: 780, top: 8, bottom: 40 };
    expect(find(white, between)).toHaveLength(180 * 32);
  });
});

describe('indicators of a chart', () => {
  it('leaves a gap where an average warms up', async () => {
    const { find } = await picture(requestOf(barsOf(ramp(100, 1, 60))));
    const purple = find(sma20, pricePanel).map(([x]) => x);
    // Bar 20 of 60 stands at 16 + 19.5 · 1100 / 60.
    expect(Math.min(...purple)).toBeGreaterThan(365);
    expect(Math.min(...purple)).toBeLessThan(385);
    expect(Math.max(...purple)).toBeGreaterThan(1095);
  });

  it('leaves out an average that has too few bars, and says so', async () => {
    const enough = await picture(requestOf(aapl()));
    expect(enough.find(sma200, pricePanel).length).toBeGreaterThan(300);
    const few = await picture(requestOf(aapl().slice(-150)));
    expect(few.find(sma200)).toHaveLength(0);
  });

  it('changes the colour of SuperTrend with its direction and never shows both at once', async () => {
    const { find } = await picture(requestOf(barsOf([...ramp(100, 1, 60), ...ramp(159, -1, 60)])));
    const below = new Set(find(superTrendUp, pricePanel).map(([x]) => x));
    const above = new Set(find(superTrendDown, pricePanel).map(([x]) => x));
    expect([...below].filter((x) => above.has(x))).toHaveLength(0);
    // The top is at x = 566; the flip comes some bars later, and the line does not bridge it.
    const flip = Math.max(...below);
    expect(flip).toBeGreaterThan(566);
    expect(Math.min(...[...above].filter((x) => x > 566)) - flip).toBeGreaterThan(4);
    expect([...above].filter((x) => x > flip).length).toBeGreaterThan(300);
  });

  it('draws RSI, MACD and volume in their panels', async () => {
    const { find } = await picture(requestOf(aapl()));
    const panel = (top: number, bottom: number) => ({ left: 200, right: 1116, top, bottom });
    expect(find('6a1b9a', panel(650, 741)).length).toBeGreaterThan(300);
    expect(find('6a1b9a', panel(770, 864)).length).toBeGreaterThan(300);
    expect(find('e08e00', panel(770, 864)).length).toBeGreaterThan(300);
    expect(find('8cc0de', panel(565, 627)).length).toBeGreaterThan(1000);
    expect(find('8cc0de', panel(770, 864)).length).toBeGreaterThan(300);
  });
});

describe('bars that are odd', () => {
  it.each([
    ['one bar', barsOf([100, 101])],
    ['two bars', barsOf([100, 101, 99])],
    ['flat prices', barsOf(ramp(10, 0, 80)).map((bar) => ({ ...bar, high: 10, low: 10, volume: 0 }))],
    ['prices of a millionth', barsOf(ramp(2e-6, 1e-8, 80)).map((bar) => ({ ...bar, high: 1e-5, low: 1e-6 }))],
    ['prices of a billion', barsOf(ramp(1e9, 1e6, 80))],
  ])('are drawn: %s', async (_name, bars) => {
    const { info, find } = await picture(requestOf(bars));
    expect(info).toMatchObject({ width: 1200, height: 900 });
    expect(find(up, pricePanel).length + find(down, pricePanel).length).toBeGreaterThan(0);
  });

  it('shows flat prices without inventing a range: one level, in the middle', async () => {
    const flat = barsOf(ramp(10, 0, 30)).map((bar) => ({ ...bar, high: 10, low: 10 }));
    const { find } = await picture(requestOf(flat.slice(0, 9)));
    const rows = new Set(find(up, pricePanel).map(([, y]) => y));
    expect(Math.max(...rows) - Math.min(...rows)).toBeLessThanOrEqual(2);
    expect(mean([...rows])).toBeGreaterThan(300);
    expect(mean([...rows])).toBeLessThan(350);
  });

  it('are refused when a parameter of an indicator is wrong', async () => {
    const request = requestOf(aapl());
    const wrong = { ...request, indicators: { ...request.indicators, rsi: 0 } };
    await expect(render(wrong)).rejects.toMatchObject({ code: 'CHART_INPUT', errorClass: 'final' });
  });
});

describe('the golden picture', () => {
  it('looks as it did when a person approved it (scripts/chart-golden.ts makes it anew)', async () => {
    const golden = readFileSync(new URL('./goldens/aapl-daily.png', import.meta.url));
    const expected = await sharp(golden).raw().toBuffer();
    const { data } = await picture(requestOf(aapl()));
    expect(data.length).toBe(expected.length);
    let different = 0;
    for (let at = 0; at < data.length; at += 3) {
      const apart = Math.max(
        ...[0, 1, 2].map((channel) => Math.abs((data[at + channel] ?? 0) - (expected[at + channel] ?? 0))),
      );
      if (apart > 48) different += 1;
    }
    // Another processor may round an edge differently; a line that moved by a pixel is thousands.
    expect(different).toBeLessThan(200);
  });
});
