// Colours, sizes and the font of a chart, in one place, so that picture, legend and tests can not disagree.

/** Pixels of a chart; the analyst's prompt and the tests rely on exactly this size. */
export const size = { width: 1200, height: 900 } as const;

/** Pixels: the plot is what is left of the picture after header, price axis and date axis. */
export const layout = { header: 112, left: 16, priceAxis: 84, dateAxis: 34, panelTitle: 22 } as const;

/** Shares of the plot's height, from top to bottom. */
export const panelWeights = { price: 432, volume: 84, rsi: 116, macd: 124 } as const;

export type PanelName = keyof typeof panelWeights;

/** Under its own name, so that a font of the machine never takes its place. */
export const fontFamily = 'Keel Roboto';

/** Okabe and Ito's blue and orange-red for candles: told apart by every common kind of colour blindness. */
export const colours = {
  background: '#ffffff',
  text: '#1f2933',
  quiet: '#52606d',
  grid: '#e4e7eb',
  frame: '#9aa5b1',
  up: '#0072b2',
  down: '#d55e00',
  upSoft: '#8cc0de',
  downSoft: '#edb48a',
  bollinger: '#7b8794',
  bollingerFill: '#f1f4f7',
  superTrendUp: '#00875a',
  superTrendDown: '#c2185b',
  line: '#6a1b9a',
  signal: '#e08e00',
  level: '#7b8794',
  tagText: '#ffffff',
} as const;

/** By position in the strategy's list of averages: short, middle, long, and any further. */
export const averageColours = ['#8e24aa', '#8d6e00', '#111111', '#0b7285', '#a61e4d'] as const;
