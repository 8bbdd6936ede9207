// Plots of an evaluation as PNG: intervals, curves, calibration. Drawn with the font of the charts. Called by cli/eval.
import { ChartJSNodeCanvas } from 'chartjs-node-canvas';
import type { ChartConfiguration, Plugin } from 'chart.js';
import { chartFont } from './drawnText.js';
import { colours, fontFamily } from './theme.js';
import type { Pen } from './types.js';

export interface IntervalRow {
  readonly label: string;
  /** 0 to 1. */
  readonly share: number;
  readonly low: number;
  readonly high: number;
  /** Where guessing would be, on this row. */
  readonly chance: number | null;
}

export interface Curve {
  readonly label: string;
  readonly values: readonly number[];
}

export interface Plots {
  intervals(title: string, rows: readonly IntervalRow[]): Buffer;
  curves(title: string, dates: readonly string[], curves: readonly Curve[]): Buffer;
}

type Configuration = ChartConfiguration<'bar' | 'line'>;

const width = 1040;
const rowHeight = 36;
const frame = 118;
const curveHeight = 400;
const tickFont = { family: fontFamily, size: 15 };
const palette = [colours.up, colours.down, colours.superTrendUp, colours.quiet, colours.line] as const;
const dashes = [[], [], [8, 4], [2, 4], [10, 3, 2, 3]] as const;

const percent = (value: number): string => `${(value * 100).toFixed(0)} %`;

export function createPlots(): Plots {
  const canvasOf = (height: number): ChartJSNodeCanvas => {
    const canvas = new ChartJSNodeCanvas({ width, height, backgroundColour: colours.background });
    canvas.registerFont(chartFont(), { family: fontFamily });
    return canvas;
  };
  return {
    intervals: (title, rows) =>
      canvasOf(frame + rowHeight * rows.length).renderToBufferSync(intervalsOf(title, rows)),
    curves: (title, dates, curves) =>
      canvasOf(curveHeight).renderToBufferSync(curvesOf(title, dates, curves)),
  };
}

const titleOf = (text: string) => ({
  display: true,
  text,
  align: 'start' as const,
  color: colours.text,
  font: { family: fontFamily, size: 17, weight: 'normal' as const },
  padding: { bottom: 14 },
});

/** A bar from low to high for each row, a dot at the share, a short upright line where chance is. */
function intervalsOf(title: string, rows: readonly IntervalRow[]): Configuration {
  return {
    type: 'bar',
    data: {
      labels: rows.map(({ label }) => label),
      datasets: [
        {
          data: rows.map(({ low, high }): [number, number] => [low, high]),
          backgroundColor: colours.upSoft,
          barThickness: 12,
          borderSkipped: false,
        },
      ],
    },
    options: {
      indexAxis: 'y',
      animation: false,
      layout: { padding: { left: 8, right: 24, top: 8, bottom: 8 } },
      plugins: { legend: { display: false }, title: titleOf(title) },
      scales: {
        x: {
          min: 0,
          max: 1,
          grid: { color: colours.grid },
          ticks: {
            color: colours.text,
            font: tickFont,
            stepSize: 0.1,
            callback: (value) => percent(Number(value)),
          },
        },
        y: { grid: { display: false }, ticks: { color: colours.text, font: tickFont, autoSkip: false } },
      },
    },
    plugins: [marks(rows)],
  };
}

interface Scale {
  getPixelForValue(value: number): number;
}

const marks = (rows: readonly IntervalRow[]): Plugin<'bar' | 'line'> => ({
  id: 'marks',
  afterDatasetsDraw: (chart) => {
    const pen = chart.ctx as unknown as Pen;
    const { x, y } = chart.scales as unknown as Record<'x' | 'y', Scale>;
    pen.save();
    rows.forEach(({ share, chance }, at) => {
      const middle = y.getPixelForValue(at);
      if (chance !== null) {
        pen.fillStyle = colours.down;
        pen.fillRect(Math.round(x.getPixelForValue(chance)) - 1, middle - 13, 3, 26);
      }
      pen.fillStyle = colours.text;
      pen.fillRect(Math.round(x.getPixelForValue(share)) - 4, middle - 4, 8, 8);
    });
    pen.restore();
  },
});

function curvesOf(title: string, dates: readonly string[], curves: readonly Curve[]): Configuration {
  return {
    type: 'line',
    data: {
      labels: [...dates],
      datasets: curves.map(({ label, values }, at) => ({
        label,
        data: [...values],
        borderColor: palette[at % palette.length] ?? colours.text,
        borderDash: [...(dashes[at % dashes.length] ?? [])],
        borderWidth: 2,
        pointRadius: 0,
      })),
    },
    options: {
      animation: false,
      layout: { padding: { left: 8, right: 24, top: 8, bottom: 8 } },
      plugins: {
        title: titleOf(title),
        legend: {
          position: 'top',
          align: 'start',
          labels: { color: colours.text, font: tickFont, boxWidth: 34, boxHeight: 1 },
        },
      },
      scales: {
        x: {
          grid: { display: false },
          ticks: { color: colours.text, font: tickFont, maxTicksLimit: 9, maxRotation: 0 },
        },
        y: { grid: { color: colours.grid }, ticks: { color: colours.text, font: tickFont } },
      },
    },
  };
}
