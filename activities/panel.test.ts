import { describe, expect, it } from 'vitest';
import type { StrategySettings } from '../contracts/wire/strategy.js';
import type { Analysis, Decision } from '../domain/decision/decision.js';
import { defaultIndicators } from '../domain/indicators/defaults.js';
import type { AnalystPort, RulesAnalyst } from '../ports/analyst.js';
import type { PanelPort } from '../ports/panel.js';
import type { DecideInput, DecisionInput } from './decision.js';
import { createPanelActivities, reviewAgain } from './panel.js';

const objects = {
  stored: new Map<string, Uint8Array>(),
  put: (key: string, bytes: Uint8Array) => Promise.resolve(void objects.stored.set(key, bytes)),
  get: (key: string) => Promise.resolve(objects.stored.get(key) ?? new Uint8Array()),
  ensureBucket: () => Promise.resolve(),
  delete: () => Promise.resolve(),
  has: (key: string) => Promise.resolve(objects.stored.has(key)),
  stat: () => Promise.resolve(null),
  list: () => {
    throw new Error('nobody lists');
  },
  presignedUrl: () => Promise.resolve(''),
};
const buy = { action: 'buy', entry: 100, stop: 96, target: 108, rationale: 'up' } as const;
const review = {
  ...{ numbersOnly: false, confidence: 50, horizonSessions: null },
  ...{ agreements: [], conflicts: [], risks: [], checks: [] },
};
const said = (value: object) => Promise.resolve({ kind: 'ok', value } as never);
const rules: RulesAnalyst = { name: 'rules', version: '1', analyze: () => said({}), decide: () => said(buy) };
const model: AnalystPort = { ...rules, name: 'openai', decide: () => said({ ...buy, review }) };
const panel = (version: string): PanelPort => ({
  version,
  afford: () => said(null as never),
  review: ({ role }) => said({ role, argument: '', points: [], soundness: 60, flags: [] }),
  judge: () => said({ verdict: 'stands', soundness: 60, reasons: [], strongestObjection: '', flags: [] }),
});
const settings: StrategySettings = {
  ...{ symbols: ['AAPL'], timeframes: ['daily'], indicators: defaultIndicators, analyst: 'auto' },
  ...{ panel: true, slot: 'after-close', workflowId: 'standard', workflowVersion: 1 },
  risk: {
    ...{ riskPerTrade: '0.01', maximumPositionShare: '0.10', minimumRCoefficient: '1.5' },
    ...{ priceCollar: '0.05', cashReserve: '0.01', shortsAllowed: false, pyramiding: false },
  },
};
const analysis = (analyst: string): Analysis => ({
  ...{ timeframe: 'daily', analyst, score: 1, close: 100, atr: 2, support: null, resistance: null },
  parts: { trend: 1, momentum: 1, volatility: 0, levels: 0 },
  ...{ lastBar: '2014-07-07T13:30:00.000Z', barCount: 300, reasons: [] },
});
const input = (analyst: string): DecideInput => ({
  ...{ runId: 'run1', strategyId: 'demo', strategyVersion: 1, symbol: 'AAPL', session: '2014-07-07' },
  contract: {
    ...{ conid: '265598', symbol: 'AAPL', name: 'Apple', exchange: 'NASDAQ', currency: 'USD' },
    ...{ priceIncrements: [{ from: '0', increment: '0.01' }], quantityIncrement: '1' },
  },
  ...{ bars: [], charts: [], analyses: [analysis(analyst)] },
});

function activities(over: { readonly model?: AnalystPort | null; readonly panel?: PanelPort | null } = {}) {
  const put: { readonly decision: Decision; readonly key: string }[] = [];
  const named: string[] = [];
  const made = createPanelActivities({
    ...{ rules, model, panel: panel('1-a'), objects, ...over },
    rulesOpinions: { put: () => Promise.resolve() },
    strategies: { version: () => Promise.resolve(settings) },
    evidence: {
      putDecision: (_run, decision, { key }) => Promise.resolve(void put.push({ decision, key })),
      putProposed: (_run, { proposal, input: from }) =>
        Promise.resolve(void named.push(proposal.key, from.key)),
    },
  });
  return { ...made, put, named };
}
const inputAt = (key: string): DecisionInput =>
  JSON.parse(new TextDecoder().decode(objects.stored.get(key))) as DecisionInput;

describe('the activities of a panel', () => {
  it('store no buy before the judge has spoken, and then the one of the run', async () => {
    const panelled = activities();
    const { put } = panelled;
    const proposed = await panelled.proposeDecision(input('openai'));
    expect(proposed.decision.action).toBe('buy');
    expect(put).toEqual([]);
    const reviews = [];
    for (const role of ['bull', 'bear', 'risk'] as const)
      reviews.push(await panelled.reviewProposal({ proposed, role }));
    expect(put).toEqual([]);
    const decision = await panelled.judgeProposal({ proposed, reviews });
    expect(put).toEqual([{ decision, key: proposed.input.key }]);
    expect(decision.review?.panel?.stands).toBe(true);
    expect(inputAt(proposed.input.key).panel).toEqual({ version: '1-a' });
  });

  it('give the panel the buy by reference, and read a buy that is given itself, as runs of before have it', async () => {
    const panelled = activities();
    const { runId, input: ref, decision, proposal } = await panelled.proposeDecision(input('openai'));
    if (proposal === undefined) throw new Error('the buy is not stored');
    expect(panelled.named).toEqual([proposal.key, ref.key]);
    const [small, large] = [
      { runId, input: ref, proposal },
      { runId, input: ref, decision },
    ];
    for (const proposed of [small, large]) {
      const bull = await panelled.reviewProposal({ proposed, role: 'bull' });
      const reviews = [bull, { ...bull, role: 'bear' as const }, { ...bull, role: 'risk' as const }];
      expect(await panelled.judgeProposal({ proposed, reviews })).toMatchObject({
        action: 'buy',
        entry: '100',
      });
    }
    const damaged = { ...small, proposal: { ...proposal, sha256: ref.sha256 } };
    await expect(panelled.reviewProposal({ proposed: damaged, role: 'bull' })).rejects.toMatchObject({
      code: 'OBJECT_DAMAGED',
    });
  });

  it('ask whether there is room for all of the panel before its first call, and then no more', async () => {
    let asked = 0;
    const poor: PanelPort = {
      ...panel('1-a'),
      afford: () => Promise.resolve({ kind: 'failed', code: 'MODEL_BUDGET', message: String((asked += 1)) }),
    };
    const panelled = activities({ panel: poor });
    const proposed = await panelled.proposeDecision(input('openai'));
    const refused = { code: 'MODEL_BUDGET', errorClass: 'final' };
    await expect(panelled.reviewProposal({ proposed, role: 'bull' })).rejects.toMatchObject(refused);
    await panelled.reviewProposal({ proposed, role: 'bear' });
    expect(asked).toBe(1);
  });

  it('count a reviewer who was not heard as one against the buy', async () => {
    const panelled = activities();
    const proposed = await panelled.proposeDecision(input('openai'));
    const bull = await panelled.reviewProposal({ proposed, role: 'bull' });
    expect(await panelled.judgeProposal({ proposed, reviews: [bull] })).toMatchObject({ action: 'hold' });
  });

  it('need a model, and review nothing that rules propose', async () => {
    const without = activities({ model: null, panel: null });
    const missing = { code: 'MODEL_NOT_CONFIGURED', errorClass: 'final' };
    await expect(without.proposeDecision(input('openai'))).rejects.toMatchObject(missing);
    const readByRules = activities().proposeDecision(input('rules'));
    await expect(readByRules).rejects.toMatchObject({ code: 'PANEL_NEEDS_MODEL', errorClass: 'final' });
  });

  it('name both versions where the panel was replaced in between, so that a replay finds another version', async () => {
    const proposed = await activities().proposeDecision(input('openai'));
    const replaced = activities({ panel: panel('2-b') });
    await replaced.judgeProposal({ proposed, reviews: [] });
    expect(inputAt(replaced.put[0]?.key ?? '').panel).toEqual({ version: '1-a, then 2-b' });
  });
});

describe('reviewAgain', () => {
  it('gives back what no panel reviewed, and refuses a panel of another version', async () => {
    const proposed = await activities().proposeDecision(input('openai'));
    const stored = inputAt(proposed.input.key);
    const { panel: reviewed, ...unreviewed } = stored;
    expect(reviewed).toBeDefined();
    expect(await reviewAgain(panel('1-a'), objects, unreviewed, proposed.decision)).toBe(proposed.decision);
    const again = await reviewAgain(panel('1-a'), objects, stored, proposed.decision);
    expect(again.review?.panel?.stands).toBe(true);
    const other = reviewAgain(panel('2-b'), objects, stored, proposed.decision);
    await expect(other).rejects.toMatchObject({ code: 'ANALYST_CHANGED' });
  });
});
