// Where an evaluation decides, and what may be seen there: walks forward over the bars without a look ahead.
// Called by evaluate.ts.
import type { Window } from '../../domain/evaluation/equity.js';
import { viewAt, type View } from '../../domain/evaluation/view.js';
import { rounded } from '../../domain/evaluation/wilson.js';
import { timeframeRules, type Bar } from '../../domain/market/bar.js';
import { regimeOf, type Regime } from '../../domain/market/regime.js';

export type WeeksOf = (daily: readonly Bar[]) => readonly Bar[];

export interface WalkOptions {
  /** Sessions from a decision to the close that judges it. */
  readonly horizon: number;
  /** Sessions between two decisions; less than the horizon makes outcomes overlap. */
  readonly step: number;
  /** At most so many, evenly over the whole; null for all. */
  readonly decisions: number | null;
}

/** The outcome is without costs. */
export interface Point extends Window {
  /** Session of the decision: its bar is the last one that is seen. */
  readonly date: string;
  readonly view: View;
  readonly regime: Regime;
}

export function pointsOf(bars: readonly Bar[], options: WalkOptions, weeksOf: WeeksOf): readonly Point[] {
  const { horizon, step, decisions } = options;
  const points: Point[] = [];
  for (let index = timeframeRules.daily.warmUp - 1; index + horizon < bars.length;) {
    const point = pointAt(bars, index, horizon, weeksOf);
    // Before the first decision every session is tried, so that warm-up costs no more than it has to.
    index += point === null ? 1 : step;
    if (point !== null) points.push(point);
  }
  return spread(points, decisions);
}

/** @returns null while a timeframe or the regime warms up */
export function pointAt(
  bars: readonly Bar[],
  index: number,
  horizon: number,
  weeksOf: WeeksOf,
): Point | null {
  const view = viewAt(bars, index, weeksOf);
  const warm =
    view.daily.length >= timeframeRules.daily.warmUp && view.weekly.length >= timeframeRules.weekly.warmUp;
  const regime = warm ? regimeOf(view.daily) : null;
  const [bar, next, end] = [bars[index], bars[index + 1], bars[index + horizon]];
  if (regime === null || bar === undefined || next === undefined || end === undefined) return null;
  const [{ open }, { close }] = [next, end];
  return { date: bar.time.slice(0, 10), view, regime, open, close, outcome: rounded(close / open - 1) };
}

function spread(points: readonly Point[], most: number | null): readonly Point[] {
  if (most === null || points.length <= most) return points;
  return Array.from({ length: most }, (_, at) => points[Math.floor((at * points.length) / most)]).filter(
    (point) => point !== undefined,
  );
}
