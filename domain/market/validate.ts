// What is wrong with bars: the check between every source of bars and everything that computes with them.
import type { Bar } from './bar.js';
import { isInstant } from './dates.js';

export interface BarProblem {
  /** Position of the bar, from 0. */
  readonly index: number;
  /** One sentence that names the bar's time and what is wrong. */
  readonly message: string;
}

const prices = ['open', 'high', 'low', 'close'] as const;

/**
 * Every problem of every bar, in the order of the bars; empty when the bars can be computed with.
 * Times must be instants (2014-07-07T13:30:00.000Z) that rise from bar to bar, prices finite and above 0, volume
 * finite and not negative, the high not below open, low and close, the low not above open and close.
 */
export function validateBars(bars: readonly Bar[]): readonly BarProblem[] {
  const problems: BarProblem[] = [];
  const seen = new Set<string>();
  let latest = '';
  bars.forEach((bar, index) => {
    const found = [...timeProblems(bar.time, seen, latest), ...valueProblems(bar)];
    problems.push(...found.map((text) => ({ index, message: `the bar of ${bar.time} ${text}` })));
    seen.add(bar.time);
    if (bar.time > latest && isInstant(bar.time)) latest = bar.time;
  });
  return problems;
}

function timeProblems(time: string, seen: ReadonlySet<string>, latest: string): string[] {
  if (!isInstant(time)) return ['has no time of the form 2014-07-07T13:30:00.000Z'];
  if (seen.has(time)) return ['is there more than once'];
  if (time < latest) return [`is out of order: it comes after ${latest}`];
  return [];
}

function valueProblems(bar: Bar): string[] {
  const problems: string[] = [];
  const { high, low, volume } = bar;
  for (const name of prices) {
    if (!Number.isFinite(bar[name])) problems.push(`has no finite ${name}: ${bar[name]}`);
    else if (bar[name] <= 0) problems.push(`has a price that is not above 0: ${name} ${bar[name]}`);
  }
  if (!Number.isFinite(volume)) problems.push(`has no finite volume: ${volume}`);
  else if (volume < 0) problems.push(`has a negative volume: ${volume}`);
  for (const name of ['open', 'low', 'close'] as const)
    if (high < bar[name]) problems.push(`has its high ${high} below its ${name} ${bar[name]}`);
  for (const name of ['open', 'close'] as const)
    if (low > bar[name]) problems.push(`has its low ${low} above its ${name} ${bar[name]}`);
  return problems;
}
