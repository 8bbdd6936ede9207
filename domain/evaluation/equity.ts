// What became of money: of an account that follows each opinion, and of one that buys once and holds. Called by cli/eval.
// Pure. Values are shares of what was there at the beginning; costs are a share of the value that is bought or sold.
import { sideOf, type Said } from './measure.js';
import { rounded } from './wilson.js';

/** Values at the dates of a walk, each as if everything were in cash there. */
export interface Equity {
  readonly withoutCosts: readonly number[];
  readonly afterCosts: readonly number[];
  /** Purchases and sales. */
  readonly trades: number;
  /** Deepest fall from an earlier value, after costs, as a share; of these dates alone, so that it may have been deeper between. */
  readonly deepestFall: number;
}

/** One window of a walk. */
export interface Window {
  /** Open of the session after the decision: the price that is bought at. */
  readonly open: number;
  /** Close of the last session that the decision is judged by. */
  readonly close: number;
  /** close / open − 1 */
  readonly outcome: number;
}

/** @param cost of a purchase or a sale, as a share of its value */
export function followed(windows: readonly Window[], said: readonly Said[], cost: number): Equity {
  let [plain, net, trades] = [1, 1, 0];
  const withoutCosts: number[] = [];
  const afterCosts: number[] = [];
  windows.forEach(({ outcome }, at) => {
    const opinion = said[at];
    const side = opinion === undefined ? 0 : sideOf(opinion);
    plain *= Math.max(0, 1 + side * outcome);
    if (side !== 0) {
      // In and out at each window; of a sell short first, whose purchase costs a share of what it has become.
      const paid = cost + cost * (1 + outcome);
      net *= Math.max(0, 1 + side * outcome - paid);
      trades += 2;
    }
    withoutCosts.push(rounded(plain));
    afterCosts.push(rounded(net));
  });
  return { withoutCosts, afterCosts, trades, deepestFall: deepestFall(afterCosts) };
}

/** Bought at the open of the first window, sold at the close of the last; the values between are as if it were sold there. */
export function held(windows: readonly Window[], cost: number): Equity {
  const bought = windows[0]?.open ?? NaN;
  const withoutCosts = windows.map(({ close }) => rounded(close / bought));
  const afterCosts = windows.map(({ close }) => rounded(Math.max(0, (close / bought) * (1 - cost) - cost)));
  return {
    withoutCosts,
    afterCosts,
    trades: windows.length === 0 ? 0 : 2,
    deepestFall: deepestFall(afterCosts),
  };
}

/** 0 of values that never fall; counted from 1, where every account begins. */
export function deepestFall(values: readonly number[]): number {
  let [peak, deepest] = [1, 0];
  for (const value of values) {
    peak = Math.max(peak, value);
    deepest = Math.max(deepest, 1 - value / peak);
  }
  return rounded(deepest);
}
