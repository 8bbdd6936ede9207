// The series of a chart as Chart.js takes them: candles as floating bars, overlays and panels. Called by configuration.ts.
import type { ChartDataset } from 'chart.js';
import { averageColour } from './legend.js';
import { barPitch } from './panels.js';
import { colours, type PanelName } from './theme.js';
import type { Picture } from './types.js';

export type Dataset = ChartDataset<'bar' | 'line'>;

type Values = readonly (number | [number, number])[];

/** Width in whole, odd pixels: a centred wick of one pixel then stays sharp. */
function bodyWidth(count: number): number {
  const width = Math.min(25, Math.floor(barPitch(count) * 0.72));
  return Math.max(1, width % 2 === 0 ? width - 1 : width);
}

function barSet(
  panel: PanelName,
  data: Values,
  fill: readonly string[],
  width: number,
  order: number,
): Dataset {
  return {
    type: 'bar',
    yAxisID: panel,
    data: [...data],
    backgroundColor: [...fill],
    barThickness: width,
    grouped: false,
    order,
  };
}

/** A value with a gap on both sides, which a line alone would not show. */
const lonely = (values: readonly number[], at: number): boolean =>
  Number.isFinite(values[at]) && !Number.isFinite(values[at - 1]) && !Number.isFinite(values[at + 1]);

function lineSet(
  panel: PanelName,
  values: readonly number[],
  colour: string,
  width: number,
  order: number,
): Dataset {
  const dots = values.some((_value, at) => lonely(values, at));
  return {
    type: 'line',
    yAxisID: panel,
    data: [...values],
    borderColor: colour,
    backgroundColor: colour,
    borderWidth: width,
    pointRadius: dots ? values.map((_value, at) => (lonely(values, at) ? width : 0)) : 0,
    order,
  };
}

function candles(picture: Picture, width: number): Dataset[] {
  const rising = picture.bars.map((bar) => bar.close >= bar.open);
  const colour = rising.map((up) => (up ? colours.up : colours.down));
  const wick = picture.bars.map((bar): [number, number] => [bar.low, bar.high]);
  const body = picture.bars.map((bar): [number, number] => [bar.open, bar.close]);
  return [barSet('price', body, colour, width, 20), barSet('price', wick, colour, 1, 21)];
}

function overlays(picture: Picture): Dataset[] {
  const { averages, bollinger, superTrend } = picture.lines;
  const sets: Dataset[] = [];
  if (superTrend !== null) {
    sets.push(lineSet('price', superTrend.up, colours.superTrendUp, 2.5, 1));
    sets.push(lineSet('price', superTrend.down, colours.superTrendDown, 2.5, 2));
  }
  for (const [at, { values }] of averages.entries())
    if (values !== null) sets.push(lineSet('price', values, averageColour(at), 1.6, 3 + at));
  if (bollinger !== null) {
    const upper = lineSet('price', bollinger.upper, colours.bollinger, 1, 40);
    sets.push({ ...upper, fill: '+1', backgroundColor: colours.bollingerFill });
    sets.push(lineSet('price', bollinger.lower, colours.bollinger, 1, 39));
  }
  return sets;
}

function volume(picture: Picture, width: number): Dataset[] {
  const fill = picture.bars.map((bar) => (bar.close >= bar.open ? colours.upSoft : colours.downSoft));
  const bars = picture.bars.map((bar): [number, number] => [0, bar.volume]);
  const sets = [barSet('volume', bars, fill, width, 20)];
  if (picture.volumeAverage !== null)
    sets.push(lineSet('volume', picture.volumeAverage, colours.text, 1.4, 1));
  return sets;
}

function macd(picture: Picture, width: number): Dataset[] {
  if (picture.macd === null) return [];
  const { line, signal, histogram } = picture.macd;
  const fill = histogram.map((value) => (value >= 0 ? colours.upSoft : colours.downSoft));
  return [
    lineSet('macd', line, colours.line, 1.6, 1),
    lineSet('macd', signal, colours.signal, 1.6, 2),
    barSet('macd', histogram, fill, width, 20),
  ];
}

/** Lower `order` is drawn later, that is on top. */
export function datasetsOf(picture: Picture): Dataset[] {
  const width = bodyWidth(picture.bars.length);
  const rsi = picture.rsi === null ? [] : [lineSet('rsi', picture.rsi, colours.line, 1.6, 1)];
  return [
    ...candles(picture, width),
    ...overlays(picture),
    ...volume(picture, width),
    ...rsi,
    ...macd(picture, width),
  ];
}
