// The texts that explain the lines: name, parameters and last value of each. Pure; called by picture.ts and header.ts.
import type { IndicatorParameters } from '../../contracts/wire/strategy.js';
import { fixed, price, short, signed } from './numberText.js';
import { averageColours, colours, type PanelName } from './theme.js';
import type { LegendEntry, Picture, PriceLines } from './types.js';

const tooFew = (name: string): string => `${name}: too few bars`;

/** The value at the last bar as text; a dash while it is not defined. */
function lastOf(values: readonly number[], text: (value: number) => string): string {
  const value = values[values.length - 1];
  return value === undefined || Number.isNaN(value) ? '–' : text(value);
}

export const averageColour = (position: number): string =>
  averageColours[position % averageColours.length] ?? colours.text;

function bollingerEntry(lines: PriceLines, parameters: IndicatorParameters): LegendEntry {
  const name = `Bollinger ${parameters.bollinger.period}, ${parameters.bollinger.deviations}`;
  if (lines.bollinger === null) return { text: tooFew(name), colour: null, mark: 'line' };
  const text = `${name}  ${lastOf(lines.bollinger.lower, price)} to ${lastOf(lines.bollinger.upper, price)}`;
  return { text, colour: colours.bollinger, mark: 'line' };
}

function superTrendEntries(lines: PriceLines, parameters: IndicatorParameters): LegendEntry[] {
  const name = `SuperTrend ${parameters.superTrend.period}, ${parameters.superTrend.multiplier}`;
  if (lines.superTrend === null) return [{ text: tooFew(name), colour: null, mark: 'line' }];
  const { up, down } = lines.superTrend;
  const upNow = lastOf(up, price);
  const downNow = lastOf(down, price);
  return [
    {
      text: upNow === '–' ? `${name} up` : `${name} up, now ${upNow}`,
      colour: colours.superTrendUp,
      mark: 'line',
    },
    {
      text: downNow === '–' ? `${name} down` : `${name} down, now ${downNow}`,
      colour: colours.superTrendDown,
      mark: 'line',
    },
  ];
}

/** Entries of the price panel: candles and averages in one row, bands and trend in the next. */
export function legendOf(
  lines: PriceLines,
  parameters: IndicatorParameters,
): readonly (readonly LegendEntry[])[] {
  const first: LegendEntry[] = [
    { text: 'up (close ≥ open)', colour: colours.up, mark: 'box' },
    { text: 'down', colour: colours.down, mark: 'box' },
    ...lines.averages.map(({ period, values }, at): LegendEntry => {
      const name = `SMA ${period}`;
      return values === null
        ? { text: tooFew(name), colour: null, mark: 'line' }
        : { text: `${name}  ${lastOf(values, price)}`, colour: averageColour(at), mark: 'line' };
    }),
  ];
  return [first, [bollingerEntry(lines, parameters), ...superTrendEntries(lines, parameters)]];
}

/** The title of a lower panel with its last values. */
export function panelTitle(panel: Exclude<PanelName, 'price'>, picture: Picture): readonly LegendEntry[] {
  const { parameters } = picture;
  const plain = (text: string): LegendEntry => ({ text, colour: null, mark: 'line' });
  if (panel === 'volume') {
    const name = `average ${parameters.volumeAverage}`;
    const { volumeAverage } = picture;
    return [
      plain(`Volume  ${short(picture.last.volume)}`),
      volumeAverage === null
        ? plain(tooFew(name))
        : { text: `${name}  ${lastOf(volumeAverage, short)}`, colour: colours.text, mark: 'line' },
    ];
  }
  if (panel === 'rsi') {
    const name = `RSI ${parameters.rsi}`;
    if (picture.rsi === null) return [plain(tooFew(name))];
    return [
      {
        text: `${name}  ${lastOf(picture.rsi, (value) => fixed(value, 1))}`,
        colour: colours.line,
        mark: 'line',
      },
    ];
  }
  const name = `MACD ${parameters.macd.fast}, ${parameters.macd.slow}, ${parameters.macd.signal}`;
  if (picture.macd === null) return [plain(tooFew(name))];
  const digits = Math.abs(picture.last.close) >= 1 ? 2 : 6;
  const value = (number: number): string => signed(number, digits);
  return [
    { text: `${name}  ${lastOf(picture.macd.line, value)}`, colour: colours.line, mark: 'line' },
    { text: `signal  ${lastOf(picture.macd.signal, value)}`, colour: colours.signal, mark: 'line' },
    { text: `histogram  ${lastOf(picture.macd.histogram, value)}`, colour: colours.upSoft, mark: 'box' },
  ];
}
