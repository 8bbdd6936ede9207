// What surrounds the data: header, legend, panel titles, level lines, the tag of the last price. A Chart.js plugin.
import type { Plugin } from 'chart.js';
import { panelTitle } from './legend.js';
import { price, short, signed } from './numberText.js';
import { plot, yOf, type Panel } from './panels.js';
import { colours, fontFamily, layout, size } from './theme.js';
import type { LegendEntry, Pen, Picture } from './types.js';

const font = (pixels: number): string => `${pixels}px "${fontFamily}"`;

function write(
  pen: Pen,
  text: string,
  x: number,
  y: number,
  colour: string,
  align: Pen['textAlign'] = 'left',
) {
  pen.fillStyle = colour;
  pen.textAlign = align;
  pen.fillText(text, x, y);
}

/** Shortens a text until it fits. */
function fitted(pen: Pen, text: string, width: number): string {
  if (pen.measureText(text).width <= width) return text;
  let kept = text;
  while (kept.length > 1 && pen.measureText(`${kept}…`).width > width) kept = kept.slice(0, -1);
  return `${kept}…`;
}

function rule(pen: Pen, y: number, colour: string, dash: readonly number[]): void {
  pen.setLineDash(dash);
  pen.strokeStyle = colour;
  pen.lineWidth = 1;
  pen.beginPath();
  pen.moveTo(plot.left, Math.round(y) + 0.5);
  pen.lineTo(plot.right, Math.round(y) + 0.5);
  pen.stroke();
  pen.setLineDash([]);
}

const markWidth = 20;
const markGap = 6;

/** Draws entries from left to right and wraps them at the right edge. Text is centred on `y`. */
function entries(pen: Pen, list: readonly LegendEntry[], y: number, lineHeight: number): void {
  let x: number = plot.left;
  let line = y;
  for (const { text, colour, mark } of list) {
    const markSpace = colour === null ? 0 : (mark === 'box' ? 12 : markWidth) + markGap;
    const width = markSpace + pen.measureText(text).width;
    if (x > plot.left && x + width > size.width - layout.left) {
      x = plot.left;
      line += lineHeight;
    }
    if (colour !== null) {
      pen.fillStyle = colour;
      if (mark === 'box') pen.fillRect(x, line - 6, 12, 12);
      else pen.fillRect(x, line - 1.5, markWidth, 3);
    }
    write(pen, text, x + markSpace, line, colours.text);
    x += width + 20;
  }
}

function changeText({ last, previousClose }: Picture): string {
  if (previousClose === null || previousClose === 0) return '';
  const change = last.close - previousClose;
  const digits = Math.abs(last.close) >= 1 ? 2 : 6;
  return `${signed(change, digits)} (${signed((change / Math.abs(previousClose)) * 100, 2)} %)`;
}

const dayOf = (time: string): string => time.slice(0, 10);

function header(pen: Pen, picture: Picture): void {
  const { bars, last } = picture;
  const right = size.width - layout.left;
  pen.textBaseline = 'middle';
  pen.font = font(26);
  const lastText = `Last ${price(last.close)}`;
  write(pen, lastText, right, 24, colours.text, 'right');
  const lastWidth = pen.measureText(lastText).width;
  write(pen, fitted(pen, `${picture.symbol}  ${picture.timeframe}`, 560), plot.left, 24, colours.text);
  pen.font = font(16);
  write(pen, changeText(picture), right - lastWidth - 14, 26, colours.quiet, 'right');
  pen.font = font(14);
  const range = `${dayOf(bars[0]?.time ?? last.time)} to ${dayOf(last.time)}`;
  const count = `${bars.length} ${bars.length === 1 ? 'bar' : 'bars'}`;
  const what = `${range}  ·  ${count}  ·  source: ${picture.source}`;
  write(pen, fitted(pen, what, 640), plot.left, 51, colours.quiet);
  const prices = `O ${price(last.open)}  H ${price(last.high)}  L ${price(last.low)}  C ${price(last.close)}`;
  write(pen, `${prices}  V ${short(last.volume)}`, right, 51, colours.quiet, 'right');
  for (const [row, list] of picture.legend.entries()) entries(pen, list, 76 + 20 * row, 20);
}

function panelFrame(pen: Pen, panel: Panel, picture: Picture): void {
  rule(pen, panel.top, colours.frame, []);
  if (panel.name === 'price') return;
  pen.font = font(14);
  pen.textBaseline = 'middle';
  entries(pen, panelTitle(panel.name, picture), panel.top + 13, 18);
}

function lastPriceTag(pen: Pen, panel: Panel, picture: Picture): void {
  const y = yOf(panel, picture.last.close);
  rule(pen, y, colours.quiet, [2, 3]);
  pen.fillStyle = colours.text;
  pen.fillRect(plot.right, Math.round(y) - 10, layout.priceAxis, 21);
  pen.font = font(14);
  pen.textBaseline = 'middle';
  write(pen, price(picture.last.close), plot.right + 8, Math.round(y) + 1, colours.tagText);
}

/** Levels that a reader compares with: RSI 30 and 70, MACD zero. Drawn under the data. */
function levels(pen: Pen, panel: Panel): void {
  if (panel.name === 'rsi') for (const level of [30, 70]) rule(pen, yOf(panel, level), colours.level, [5, 4]);
  if (panel.name === 'macd') rule(pen, yOf(panel, 0), colours.level, []);
}

/** Under the data: background and levels. On top: header, titles, the last price. */
export function decorations(picture: Picture, panels: readonly Panel[]): Plugin<'bar' | 'line'> {
  const penOf = (chart: { ctx: unknown }): Pen => chart.ctx as Pen;
  return {
    id: 'decorations',
    beforeDraw: (chart) => {
      const pen = penOf(chart);
      pen.fillStyle = colours.background;
      pen.fillRect(0, 0, size.width, size.height);
    },
    beforeDatasetsDraw: (chart) => {
      const pen = penOf(chart);
      pen.save();
      for (const panel of panels) levels(pen, panel);
      pen.restore();
    },
    afterDraw: (chart) => {
      const pen = penOf(chart);
      pen.save();
      header(pen, picture);
      for (const panel of panels) {
        panelFrame(pen, panel, picture);
        if (panel.name === 'price') lastPriceTag(pen, panel, picture);
      }
      pen.restore();
    },
  };
}
