// The rules' reading of one timeframe: the regime of daily bars, and four scores from -1 to 1, each with its reasons in
// words and numbers. Documented in docs/rules.md; the weights are stated here and nowhere tuned on the demo's data.
import type { Analysis } from '../../domain/decision/decision.js';
import type { IndicatorSet } from '../../domain/indicators/types.js';
import type { Bar, Timeframe } from '../../domain/market/bar.js';
import { regimeOf } from '../../domain/market/regime.js';
import { regimeText } from './regimeText.js';
import { lastOf, readReversal } from './reversal.js';

/** Sum 1. Trend leads, momentum confirms, levels and volatility temper. */
export const weights = { trend: 0.4, momentum: 0.3, levels: 0.2, volatility: 0.1 } as const;

/** Bars that support and resistance are taken from: about a month of days, half a year of weeks, a year of months. */
const levelBars: Record<Timeframe, number> = { daily: 20, weekly: 26, monthly: 12 };

interface Part {
  readonly score: number;
  readonly reasons: readonly string[];
}

const clamp = (value: number): number => Math.max(-1, Math.min(1, value));
const sign = (value: number): number => (value > 0 ? 1 : value < 0 ? -1 : 0);
const two = (value: number): string => value.toFixed(2);

/**
 * @param bars complete bars, oldest first, at least one
 * @param indicators of exactly these bars
 */
export function scoreTimeframe(
  timeframe: Timeframe,
  bars: readonly Bar[],
  indicators: IndicatorSet,
  analyst: string,
): Analysis {
  const last = bars.at(-1);
  if (last === undefined) throw new RangeError(`no ${timeframe} bars to read`);
  const levels = levelsOf(bars.slice(-levelBars[timeframe] - 1, -1));
  const parts = {
    trend: trendOf(last.close, indicators),
    momentum: momentumOf(indicators),
    volatility: volatilityOf(last.close, indicators),
    levels: levelScore(last, levels, indicators),
  };
  const direction =
    weights.trend * parts.trend.score +
    weights.momentum * parts.momentum.score +
    weights.levels * parts.levels.score +
    weights.volatility * parts.volatility.score;
  // The market is what the days say; weeks have a score only.
  const regime = timeframe === 'daily' ? regimeOf(bars) : null;
  const range = regime?.kind === 'ranging' ? readReversal(last.close, indicators) : null;
  const reversal = range?.reversal ?? null;
  return {
    timeframe,
    analyst,
    score: direction,
    parts: {
      trend: parts.trend.score,
      momentum: parts.momentum.score,
      volatility: parts.volatility.score,
      levels: parts.levels.score,
    },
    close: last.close,
    atr: lastOf(indicators.atr),
    support: levels?.support ?? null,
    resistance: levels?.resistance ?? null,
    lastBar: last.time,
    barCount: bars.length,
    reasons: [
      ...(timeframe === 'daily' ? [regimeText(regime)] : []),
      ...(range?.reasons ?? []),
      ...Object.values(parts).flatMap((part) => part.reasons),
    ],
    ...(regime !== null && { regime }),
    ...(reversal !== null && { reversal }),
  };
}

/** The mean of up to four votes: close against SMA 50 and SMA 200, SMA 50 against SMA 200, SuperTrend's side. */
function trendOf(close: number, indicators: IndicatorSet): Part {
  const middle = lastOf(indicators.sma[50]);
  const long = lastOf(indicators.sma[200]);
  const side = lastOf(indicators.superTrend?.direction);
  const votes: { vote: number; reason: string }[] = [];
  if (middle !== null) votes.push(against('close', close, 'SMA 50', middle));
  if (long !== null) votes.push(against('close', close, 'SMA 200', long));
  if (middle !== null && long !== null) votes.push(against('SMA 50', middle, 'SMA 200', long));
  if (side !== null) {
    votes.push({
      vote: side,
      reason: `SuperTrend is ${side > 0 ? 'below the price (up)' : 'above the price (down)'}`,
    });
  }
  return mean('trend', votes);
}

const against = (name: string, value: number, otherName: string, other: number) => ({
  vote: sign(value - other),
  reason: `${name} ${two(value)} is ${value > other ? 'above' : value < other ? 'below' : 'at'} ${otherName} ${two(other)}`,
});

/** The mean of two votes: RSI around 50 (25 points give the full vote; above 75 it counts as overbought) and the MACD histogram. */
function momentumOf(indicators: IndicatorSet): Part {
  const rsi = lastOf(indicators.rsi);
  const histogram = lastOf(indicators.macd?.histogram);
  const votes: { vote: number; reason: string }[] = [];
  if (rsi !== null) {
    const overdone = rsi > 75 || rsi < 25;
    votes.push({
      vote: overdone ? 0 : clamp((rsi - 50) / 25),
      reason: `RSI ${rsi.toFixed(1)}${overdone ? (rsi > 75 ? ' is overbought and counts nothing' : ' is oversold and counts nothing') : ''}`,
    });
  }
  if (histogram !== null) {
    votes.push({ vote: sign(histogram), reason: `MACD histogram is ${histogram.toFixed(3)}` });
  }
  return mean('momentum', votes);
}

/** Near the upper Bollinger Band a buy comes late, near the lower one a sell does: −1 at the upper, 1 at the lower. */
function volatilityOf(close: number, indicators: IndicatorSet): Part {
  const upper = lastOf(indicators.bollinger?.upper);
  const lower = lastOf(indicators.bollinger?.lower);
  if (upper === null || lower === null || upper === lower) {
    return { score: 0, reasons: ['volatility: no Bollinger Bands to read'] };
  }
  const share = (close - lower) / (upper - lower);
  return {
    score: clamp(1 - 2 * share),
    reasons: [
      `close is at ${(share * 100).toFixed(0)} % of the Bollinger range ${two(lower)} to ${two(upper)}`,
    ],
  };
}

interface Levels {
  readonly support: number;
  readonly resistance: number;
}

function levelsOf(bars: readonly Bar[]): Levels | null {
  if (bars.length === 0) return null;
  return {
    support: Math.min(...bars.map((bar) => bar.low)),
    resistance: Math.max(...bars.map((bar) => bar.high)),
  };
}

/** A close beyond the range of earlier bars is a break-out (±1, halved on volume below its average); inside, 0. */
function levelScore(last: Bar, levels: Levels | null, indicators: IndicatorSet): Part {
  if (levels === null) return { score: 0, reasons: ['levels: too few bars'] };
  const range = `support ${two(levels.support)}, resistance ${two(levels.resistance)}`;
  const side = last.close > levels.resistance ? 1 : last.close < levels.support ? -1 : 0;
  if (side === 0) return { score: 0, reasons: [`close is between ${range}`] };
  const average = lastOf(indicators.volumeAverage);
  const confirmed = average !== null && last.volume > average;
  return {
    score: side * (confirmed ? 1 : 0.5),
    reasons: [
      `close broke ${side > 0 ? 'above' : 'below'} ${range}${confirmed ? ' on high volume' : ' on low volume'}`,
    ],
  };
}

function mean(name: string, votes: readonly { vote: number; reason: string }[]): Part {
  if (votes.length === 0) return { score: 0, reasons: [`${name}: its indicators still warm up`] };
  return {
    score: votes.reduce((sum, { vote }) => sum + vote, 0) / votes.length,
    reasons: votes.map(({ reason }) => reason),
  };
}
