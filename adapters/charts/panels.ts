// Where each panel lies and what its axis says. The pixels are fixed here, so decorations need not ask Chart.js.
import { niceTicks, fixed, short, type Ticks } from './numberText.js';
import { layout, panelWeights, size, type PanelName } from './theme.js';
import type { Picture, Range } from './types.js';

export interface Panel {
  readonly name: PanelName;
  /** Pixels from the top of the picture. */
  readonly top: number;
  readonly bottom: number;
  /** Values at bottom and top of the panel. */
  readonly range: Range;
  readonly ticks: Ticks;
  readonly tickText: (value: number) => string;
}

export const plot = {
  left: layout.left,
  right: size.width - layout.priceAxis,
  top: layout.header,
  bottom: size.height - layout.dateAxis,
} as const;

/** Labels closer than this to a panel's end would run into the neighbouring panel's. */
const endGap = 9;

/** Labels closer than this to the last price would be half hidden by its tag. */
const tagGap = 20;

/** Free pixels above the data for the panel's title, as an extension of the range. */
function withTitle(range: Range, height: number): Range {
  const free = layout.panelTitle / height;
  return { low: range.low, high: range.low + (range.high - range.low) / (1 - free) };
}

const inner = (ticks: Ticks, range: Range, height: number): Ticks => {
  const gap = ((range.high - range.low) * endGap) / height;
  return {
    ...ticks,
    values: ticks.values.filter((value) => value >= range.low + gap && value <= range.high - gap),
  };
};

function contentOf(
  name: PanelName,
  picture: Picture,
  height: number,
): Omit<Panel, 'name' | 'top' | 'bottom'> {
  if (name === 'price') {
    const range = picture.priceRange;
    const round = inner(niceTicks(range.low, range.high, 8), range, height);
    const near = ((range.high - range.low) * tagGap) / height;
    const values = round.values.filter((value) => Math.abs(value - picture.last.close) >= near);
    const ticks = { ...round, values };
    return { range, ticks, tickText: (value) => fixed(value, ticks.digits) };
  }
  if (name === 'volume') {
    const range = withTitle({ low: 0, high: picture.volumeTop }, height);
    return { range, ticks: inner(niceTicks(0, picture.volumeTop, 2), range, height), tickText: short };
  }
  if (name === 'rsi') {
    const range = withTitle({ low: 0, high: 100 }, height);
    return { range, ticks: { values: [30, 70], digits: 0 }, tickText: (value) => fixed(value, 0) };
  }
  const range = withTitle(picture.macdRange, height);
  const { low, high } = picture.macdRange;
  const ticks =
    picture.macd === null ? { values: [], digits: 0 } : inner(niceTicks(low, high, 3), range, height);
  return { range, ticks, tickText: (value) => fixed(value, ticks.digits) };
}

/** All panels, top to bottom. */
export function panelsOf(picture: Picture): readonly Panel[] {
  const names = Object.keys(panelWeights) as PanelName[];
  const total = names.reduce((sum, name) => sum + panelWeights[name], 0);
  let top: number = plot.top;
  return names.map((name) => {
    const height = ((plot.bottom - plot.top) * panelWeights[name]) / total;
    const panel = { name, top, bottom: top + height, ...contentOf(name, picture, height) };
    top += height;
    return panel;
  });
}

/** Pixels from the top of the picture at which a panel shows a value. */
export const yOf = (panel: Panel, value: number): number =>
  panel.bottom -
  ((value - panel.range.low) / (panel.range.high - panel.range.low)) * (panel.bottom - panel.top);

/** Pixels between two neighbouring bars. */
export const barPitch = (count: number): number => (plot.right - plot.left) / count;
