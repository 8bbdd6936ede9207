// Answers within the schema, for the stub: a reading, a buy that code accepts on the demo's default session, and a panel that
// lets it stand.
import type { Reply, Script, StubCall } from './stub.js';

export const readingText = (change: object = {}): string =>
  JSON.stringify({
    trend: 'up',
    momentum: 'rising',
    volatility: 'normal',
    support: [],
    resistance: [],
    signals: [{ name: 'averages', direction: 'bullish', evidence: 'the close is above its averages' }],
    confidence: 61,
    invalidation: 'a close below the averages',
    summary: 'The trend is up.',
    ...change,
  });

/** The close that the prompt names among the limits. */
export const closeIn = ({ text }: Pick<StubCall, 'text'>): number =>
  Number(/"limits":\{"close":([\d.]+)/.exec(text)?.[1] ?? NaN);

const cents = (value: number): number => Math.round(value * 100) / 100;

/** A buy at the close with a stop 4 % below and a target 8 % above. */
export const buyText = (call: StubCall, change: object = {}): string => {
  const close = closeIn(call);
  return JSON.stringify({
    consolidation: { agreements: ['both timeframes rise'], conflicts: [] },
    decision: {
      action: 'buy',
      entry: cents(close),
      stop: cents(close * 0.96),
      target: cents(close * 1.08),
      horizonSessions: 20,
      confidence: 58,
      rationale: 'Both timeframes rise and the close is above its averages.',
      risks: ['a gap below the stop'],
      ...change,
    },
  });
};

export const reviewText = (soundness: unknown, change: object = {}): string =>
  JSON.stringify({
    argument: 'The close is above its averages and the stop is two average ranges away.',
    points: [{ claim: 'it rises', evidence: 'the close is above its averages' }],
    soundness,
    ...change,
  });

export const verdictText = (change: object = {}): string =>
  JSON.stringify({
    strongestObjection: 'A gap could pass the stop.',
    reasons: ['The bull has the numbers on its side.'],
    verdict: 'stands',
    soundness: 62,
    ...change,
  });

/** What each reviewer of a panel thinks of every buy. */
const soundness: Readonly<Record<string, number>> = { bull: 71, bear: 34, risk: 58 };

const goodText = (call: StubCall): string => {
  if (call.purpose === 'decision') return buyText(call);
  if (call.purpose === 'judge') return verdictText();
  const figure = soundness[call.purpose];
  return figure === undefined ? readingText() : reviewText(figure);
};

export const good = (call: StubCall): Reply => ({ kind: 'text', text: goodText(call) });

/** Good answers but for one purpose. */
export const goodBut =
  (purpose: string, reply: Script): Script =>
  (call, count) =>
    call.purpose === purpose ? reply(call, count) : good(call);
