// The rules buy on the gateway's bars, whatever day it is: what tests/paper.test.ts and others lean on.
import { expect, it } from 'vitest';
import { createRulesAnalyst } from '../adapters/rules/analyst.js';
import { defaultIndicators } from '../domain/indicators/defaults.js';
import type { Bar } from '../domain/market/bar.js';
import { dailyBars, weeklyBars, type WireBar } from './support/gatewayBars.js';

const hour = 60 * 60_000;
const firstDay = Date.parse('2026-01-01T00:00:00.000Z');
const rules = createRulesAnalyst();

const barOf = ({ o, h, l, c, v, t }: WireBar): Bar => ({
  ...{ time: new Date(t).toISOString(), open: o, high: h, low: l, close: c, volume: v * 100 },
});

async function actionAt(nowMs: number): Promise<string> {
  const analyses = [];
  for (const [timeframe, bars] of [
    ['daily', dailyBars(nowMs, 2)],
    // The week that is not over is none of the weekly bars.
    ['weekly', weeklyBars(nowMs, 5).slice(0, -1)],
  ] as const) {
    const read = await rules.analyze({ timeframe, bars: bars.map(barOf), indicators: defaultIndicators });
    if (read.kind === 'failed') throw new Error(read.message);
    analyses.push(read.value);
  }
  const decided = await rules.decide({ analyses, limits: { minimumRCoefficient: 1.5 } });
  return decided.kind === 'ok' ? `${decided.value.action}: ${decided.value.rationale}` : decided.message;
}

it('are bought by the rules on each day of two years, in the morning and after the close', async () => {
  for (let at = 0; at < 730 * 24; at += 60) {
    const now = firstDay + at * hour;
    expect(await actionAt(now), new Date(now).toISOString()).toMatch(/^buy/);
  }
});
