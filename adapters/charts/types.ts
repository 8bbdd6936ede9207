// The shapes that the files of the chart share.
import type { Bar } from '../../domain/market/bar.js';
import type { IndicatorParameters } from '../../contracts/wire/strategy.js';

export interface LegendEntry {
  readonly text: string;
  /** null where nothing is drawn. */
  readonly colour: string | null;
  readonly mark: 'line' | 'box';
}

export interface Range {
  readonly low: number;
  readonly high: number;
}

/** Series of the drawn bars only; NaN is a gap. */
export interface PriceLines {
  readonly averages: readonly { readonly period: number; readonly values: number[] | null }[];
  readonly bollinger: {
    readonly upper: number[];
    readonly middle: number[];
    readonly lower: number[];
  } | null;
  readonly superTrend: { readonly up: number[]; readonly down: number[] } | null;
}

export interface Picture {
  readonly symbol: string;
  readonly timeframe: string;
  readonly source: string;
  readonly bars: readonly Bar[];
  readonly last: Bar;
  /** Close of the bar before the last, where there is one. */
  readonly previousClose: number | null;
  readonly parameters: IndicatorParameters;
  readonly lines: PriceLines;
  readonly volumeAverage: number[] | null;
  readonly rsi: number[] | null;
  readonly macd: {
    readonly line: number[];
    readonly signal: number[];
    readonly histogram: number[];
  } | null;
  readonly priceRange: Range;
  readonly macdRange: Range;
  readonly volumeTop: number;
  /** By row. */
  readonly legend: readonly (readonly LegendEntry[])[];
}

/** What the decorations use of a canvas context; Keel is compiled without the browser's types. */
export interface Pen {
  fillStyle: string;
  strokeStyle: string;
  lineWidth: number;
  font: string;
  textAlign: 'left' | 'right' | 'center';
  textBaseline: 'alphabetic' | 'middle' | 'top';
  save(): void;
  restore(): void;
  fillRect(x: number, y: number, width: number, height: number): void;
  fillText(text: string, x: number, y: number): void;
  measureText(text: string): { readonly width: number };
  beginPath(): void;
  moveTo(x: number, y: number): void;
  lineTo(x: number, y: number): void;
  stroke(): void;
  setLineDash(segments: readonly number[]): void;
}
