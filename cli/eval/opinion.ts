// Asks an analyst what a run would ask it, on a view of the past. A failure is its code, never a hold.
// Called by evaluate.ts.
import { decidingScore, type Analysis } from '../../domain/decision/decision.js';
import type { Said } from '../../domain/evaluation/measure.js';
import { viewed, type View } from '../../domain/evaluation/view.js';
import { rounded } from '../../domain/evaluation/wilson.js';
import { defaultIndicators } from '../../domain/indicators/defaults.js';
import type { Bar, Timeframe } from '../../domain/market/bar.js';
import type { PictureRef } from '../../contracts/wire/object.js';
import type { AnalystCall, AnalystPort, TimeframeInput } from '../../ports/analyst.js';
import { KeelError } from '../../ports/errors.js';

export interface Drawn {
  readonly object: PictureRef;
  readonly png: Uint8Array;
}

export interface Question {
  readonly analyst: AnalystPort;
  readonly symbol: string;
  readonly view: View;
  readonly call: AnalystCall;
  /** What a proposal is held to, as shares. */
  readonly rules: {
    readonly minimumRCoefficient: number;
    readonly priceCollar: number;
    readonly costShare: number;
  };
  readonly draw: (timeframe: Timeframe, bars: readonly Bar[]) => Promise<Drawn>;
}

export async function opinionOf(question: Question): Promise<Said> {
  try {
    return await ask(question);
  } catch (error) {
    if (error instanceof KeelError) return { kind: 'failed', code: error.code };
    throw error;
  }
}

async function ask({ analyst, symbol, view, call, rules, draw }: Question): Promise<Said> {
  const inputs = await Promise.all(
    viewed.map(async (timeframe): Promise<TimeframeInput> => {
      const bars = view[timeframe];
      const { object, png } = await draw(timeframe, bars);
      const readPicture = (): Promise<Uint8Array> => Promise.resolve(png);
      return { timeframe, bars, indicators: defaultIndicators, chart: object, readPicture };
    }),
  );
  const readings = await Promise.all(inputs.map((input) => analyst.analyze({ symbol, call, ...input })));
  const analyses: Analysis[] = [];
  for (const reading of readings) {
    if (reading.kind === 'failed') return { kind: 'failed', code: reading.code };
    analyses.push(reading.value);
  }
  const proposal = await analyst.decide({
    symbol,
    name: symbol,
    analyses,
    timeframes: inputs,
    limits: {
      close: view.daily.at(-1)?.close ?? NaN,
      priceIncrements: [{ from: '0', increment: '0.01' }],
      ...rules,
    },
    call,
  });
  if (proposal.kind === 'failed') return { kind: 'failed', code: proposal.code };
  const { action, review } = proposal.value;
  const daily = analyses.find(({ timeframe, reading }) => timeframe === 'daily' && reading === undefined);
  const score = daily && decidingScore(daily);
  const strength =
    review !== undefined ? review.confidence / 100 : score !== undefined ? Math.abs(score) : null;
  return { kind: 'said', action, strength: strength === null ? null : rounded(strength) };
}
