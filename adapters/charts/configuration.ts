// The Chart.js configuration of one chart: scales stacked in one column over a shared category axis. Called by render.ts.
import type { ChartConfiguration, Plugin, ScaleOptionsByType } from 'chart.js';
import { dateTicks } from './dateTicks.js';
import { datasetsOf } from './datasets.js';
import { decorations } from './decorations.js';
import { barPitch, panelsOf, type Panel } from './panels.js';
import { colours, fontFamily, layout, panelWeights, type PanelName } from './theme.js';
import type { Picture } from './types.js';

type LinearScale = ScaleOptionsByType<'linear'>;
type Configuration = ChartConfiguration<'bar' | 'line'>;

const tickFont = { family: fontFamily, size: 14 };

/** One panel's axis, at the right, where the last price is. */
function valueAxis(panel: Panel, position: number): object {
  return {
    type: 'linear',
    position: 'right',
    stack: 'panels',
    stackWeight: panelWeights[panel.name],
    weight: position,
    min: panel.range.low,
    max: panel.range.high,
    border: { display: false },
    grid: { color: colours.grid, drawTicks: false },
    ticks: {
      color: colours.text,
      font: tickFont,
      padding: 8,
      autoSkip: false,
      callback: (value: number | string) => panel.tickText(Number(value)),
    },
    afterBuildTicks: (scale: { ticks: { value: number }[] }) => {
      scale.ticks = panel.ticks.values.map((value) => ({ value }));
    },
    afterFit: (scale: { width: number }) => {
      scale.width = layout.priceAxis;
    },
  } satisfies Partial<Record<keyof LinearScale | 'type', unknown>>;
}

function dateAxis(picture: Picture): object {
  const times = picture.bars.map((bar) => bar.time);
  const ticks = dateTicks(times, barPitch(times.length));
  const labels = new Map(ticks.map(({ index, label }) => [index, label]));
  return {
    type: 'category',
    offset: true,
    border: { color: colours.frame },
    grid: { color: colours.grid, drawTicks: false, offset: false },
    ticks: {
      color: colours.text,
      font: tickFont,
      padding: 8,
      autoSkip: false,
      maxRotation: 0,
      callback: (value: number | string) => labels.get(Number(value)) ?? '',
    },
    afterBuildTicks: (scale: { ticks: { value: number }[] }) => {
      scale.ticks = ticks.map(({ index }) => ({ value: index }));
    },
    afterFit: (scale: { height: number }) => {
      scale.height = layout.dateAxis;
    },
  };
}

/** Only here a bar without height has something to say: an open that equals the close. */
const pricePanel: PanelName = 'price';

interface BarShape {
  x: number;
  y: number;
  base: number;
  width: number;
}

/** Moves bars onto whole pixels: sharp edges to read, and runs of equal pixels that compress well. */
const snapBars: Plugin<'bar' | 'line'> = {
  id: 'snapBars',
  beforeDatasetsDraw: (chart) => {
    for (const meta of chart.getSortedVisibleDatasetMetas()) {
      if (meta.type !== 'bar') continue;
      for (const bar of meta.data as unknown as BarShape[]) {
        bar.x = Math.floor(bar.x) + 0.5;
        bar.base = Math.round(bar.base);
        bar.y = Math.round(bar.y);
        if (bar.y === bar.base && meta.yAxisID === pricePanel) bar.y -= 1;
      }
    }
  },
};

export function configurationOf(picture: Picture): Configuration {
  const panels = panelsOf(picture);
  const scales = Object.fromEntries(panels.map((panel, at) => [panel.name, valueAxis(panel, at)]));
  return {
    type: 'bar',
    data: { labels: picture.bars.map((bar) => bar.time), datasets: datasetsOf(picture) },
    options: {
      animation: false,
      responsive: false,
      devicePixelRatio: 1,
      events: [],
      layout: { padding: { left: layout.left, top: layout.header, right: 0, bottom: 0 }, autoPadding: false },
      elements: { line: { tension: 0 }, point: { borderWidth: 0, hitRadius: 0 } },
      plugins: { legend: { display: false }, title: { display: false }, tooltip: { enabled: false } },
      scales: { x: dateAxis(picture), ...scales },
    },
    plugins: [snapBars, decorations(picture, panels)],
  };
}
