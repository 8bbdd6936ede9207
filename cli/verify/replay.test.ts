// A decision of the rules, made again from stored bars by `keel verify` and `keel replay`: the same by the same version, and
// of another version named as such, neither equal nor broken.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { DecisionInput } from '../../activities/decision.js';
import { putJson } from '../../activities/objects.js';
import { createRulesAnalyst } from '../../adapters/rules/analyst.js';
import { defaultIndicators } from '../../domain/indicators/defaults.js';
import { parseCsv } from '../../domain/market/csv.js';
import { decideAgain } from './replay.js';

const bars = parseCsv(readFileSync('node_modules/@observablehq/sample-datasets/aapl.csv', 'utf8')).bars.slice(
  0,
  290,
);
const inMemory = () => {
  const stored = new Map<string, Uint8Array>();
  return {
    put: (key: string, bytes: Uint8Array) => Promise.resolve(void stored.set(key, bytes)),
    get: (key: string) => Promise.resolve(stored.get(key) ?? new Uint8Array()),
  };
};
const nobody = { conversations: { byRun: () => Promise.reject(new Error('no model was asked')) } };

async function stored(version: string) {
  const objects = inMemory();
  const rows = bars.map(({ time, open, high, low, close, volume }) => [time, open, high, low, close, volume]);
  const object = await putJson(objects, 'bars', { rows });
  const rules = createRulesAnalyst();
  const seen = { timeframe: 'daily', bars, indicators: defaultIndicators } as const;
  const read = await rules.analyze(seen);
  if (read.kind === 'failed') throw new Error(read.message);
  const set = { runId: 'run1', timeframe: 'daily', object, count: bars.length, source: 'ibkr' } as const;
  const input: DecisionInput = {
    ...{ format: 1, strategyId: 'demo', strategyVersion: 1, symbol: 'AAPL', session: '2014-07-07' },
    contract: {
      ...{ conid: '265598', symbol: 'AAPL', name: 'Apple', exchange: 'NASDAQ', currency: 'USD' },
      ...{ priceIncrements: [{ from: '0', increment: '0.01' }], quantityIncrement: '1' },
    },
    ...{ analyst: { name: 'rules', version }, indicators: defaultIndicators, minimumRCoefficient: '1.5' },
    bars: [{ ...set, first: bars[0]?.time ?? '', last: bars.at(-1)?.time ?? '' }],
    ...{ charts: [], analyses: [read.value] },
  };
  return { objects, input };
}

describe('a decision of the rules', () => {
  it('is made again from the stored bars alone', async () => {
    const { objects, input } = await stored(createRulesAnalyst().version);
    const again = await decideAgain(nobody, objects, 'run1', { ...input, analyses: [] });
    expect(again).toMatchObject({ action: 'buy', analyst: 'rules' });
    expect(again.rationale).toMatch(/^Buy: trending market: ADX 33\.5 /);
  });

  it('of version 1 is said to be of another version', async () => {
    const { objects, input } = await stored('1');
    await expect(decideAgain(nobody, objects, 'run1', input)).rejects.toMatchObject({
      code: 'ANALYST_CHANGED',
      message: 'decided by rules 1, here is rules 2',
    });
  });
});
