import { describe, expect, it } from 'vitest';
import type { BudgetCaps, CallRow, ConversationStore, NewCall } from '../../ports/conversations.js';
import { createAfford } from './afford.js';
import { mostCost } from './planned.js';
import type { ModelProfile } from './profile.js';
import { contentKey, type ModelRequest } from './request.js';

const profile = (name: string, output: string): ModelProfile => ({
  ...{ name, baseUrl: 'http://127.0.0.1:1/v1', apiKey: '', model: `m-${name}`, api: 'chat', timeoutMs: 1 },
  ...{ maxOutputTokens: 1000, pictureMaxBytes: 1, pictureDetail: 'low', vision: true },
  price: { input: '0', output },
});
const request = (purpose: string): ModelRequest => ({
  ...{ purpose, prompts: [], text: '', inputSha256: '', pictures: [], schemaName: purpose, schema: {} },
  ...{ numbersOnly: false, repair: null },
});
const panel = ['bull', 'bear', 'risk', 'judge'].map(request);
const row = (purpose: string, change: Partial<CallRow> = {}): CallRow => ({
  ...{ id: purpose, runId: 'r', strategyId: 's', purpose, turn: 0, contentKey: 'k', profile: 'main' },
  ...{ api: 'chat', modelAsked: 'm', prompts: [], prompt: { key: '', sha256: '', bytes: 0 } },
  ...{ inputSha256: '', pictures: [], parameters: {}, numbersOnly: false, reservedUsd: '1', priceDate: '' },
  ...{ state: 'answered', outcome: 'ok', code: null, down: false, message: null, modelAnswered: null },
  ...{ fingerprint: null, responseId: null, requestId: null, finishReason: null, cachedTokens: null },
  ...{ inputTokens: 0, outputTokens: 100, costUsd: '0.1', answer: null, ms: 1, cachedFrom: null },
  ...{ startedAt: '', endedAt: null },
  ...change,
});

/** What was kept of panels that were not begun, with the caps that it was held to. */
const refused: [NewCall, BudgetCaps][] = [];

/** Of a model that takes 0.001 USD a token of output: 1 USD at the most, 0.1 what the decision cost. */
function room(
  caps: { readonly run: string; readonly day?: string; readonly month?: string },
  made: readonly CallRow[] = [row('decision')],
  profiles = [profile('main', '1000')],
  recorded: CallRow | null = null,
): Promise<string | null> {
  const spent = { calls: 0, inputTokens: 0, outputTokens: 0, usd: '3' };
  const conversations: Pick<ConversationStore, 'answered' | 'byRun' | 'spent' | 'reserve'> = {
    answered: (key) => Promise.resolve(recorded?.contentKey === key ? recorded : null),
    byRun: () => Promise.resolve(made),
    spent: () => Promise.resolve({ mode: 'simulated', day: spent, month: { ...spent, usd: '30' } }),
    reserve: (call, zero) => {
      refused.push([call, zero]);
      return Promise.resolve({ kind: 'refused', cap: 'run', limitUsd: '0', spentUsd: '0' });
    },
  };
  const objects = { put: () => Promise.resolve() };
  const all = { day: '100', month: '100', ...caps };
  return createAfford({ conversations, objects, caps: all, priceDate: '' }, profiles)(
    { runId: 'r', strategyId: 's' },
    panel,
  );
}

describe('the room for a panel', () => {
  it('is for three calls that cost what the decision did and a last one at its most', async () => {
    expect(mostCost(profile('main', '1000'), request('bull'))).toBe('1');
    // 0.1 is spent, and 3 × 0.1 + 1 may be.
    expect(await room({ run: '1.4' })).toBeNull();
    expect(await room({ run: '1.399999' })).toBe(
      "the budget of the run is 1.399999 USD, 0.1 are spent or reserved, and the panel's 4 calls may cost 1.3: none was made",
    );
  });

  it('that is missing is kept as a call that the budget has stopped, which does not count as begun', async () => {
    refused.length = 0;
    expect(await room({ run: '1.4' })).toBeNull();
    expect(refused).toEqual([]);
    const stopped = row('bull', { state: 'failed', outcome: 'budget', costUsd: '0' });
    expect(await room({ run: '1' }, [row('decision'), stopped])).toContain('none was made');
    expect(refused).toEqual([
      [
        expect.objectContaining({ purpose: 'bull', turn: 0, reservedUsd: '1' }),
        { run: '0', day: '0', month: '0' },
      ],
    ]);
  });

  it('is held to the caps of day and month as well', async () => {
    expect(await room({ run: '9', day: '4.3', month: '31.3' })).toBeNull();
    expect(await room({ run: '9', day: '4.29' })).toContain('the budget of the day is 4.29 USD, 3 are spent');
    expect(await room({ run: '9', month: '31.2' })).toContain('the budget of the month');
  });

  it('is for each at its most where nobody counted what the decision took, and never for more', async () => {
    const uncounted = [row('decision', { inputTokens: null, costUsd: '1' })];
    expect(await room({ run: '5' }, uncounted)).toBeNull();
    expect(await room({ run: '4.99' }, uncounted)).toContain('may cost 4');
    const long = [row('decision', { outputTokens: 5000, costUsd: '5' })];
    expect(await room({ run: '8.99' }, long)).toContain('may cost 4');
  });

  it('counts what a crash has left reserved, and the last decision of several', async () => {
    const crashed = row('decision', { state: 'abandoned', costUsd: '1', inputTokens: null });
    expect(await room({ run: '2.4' }, [crashed, row('decision')])).toBeNull();
    expect(await room({ run: '2.39' }, [crashed, row('decision')])).toContain('1.1 are spent');
  });

  it('is at the price of who will be asked, not of who is down', async () => {
    const down = row('bull', { state: 'failed', down: true, costUsd: '0', purpose: 'daily' });
    const made = [down, row('decision', { costUsd: '0' })];
    const chain = [profile('main', '1000'), profile('backup', '10')];
    expect(await room({ run: '0.013' }, made, chain)).toBeNull();
    expect(await room({ run: '0.012' }, made, chain)).toContain('may cost 0.013');
  });

  it('is not needed where another run was answered the same: that is free', async () => {
    const [bull = request('bull')] = panel;
    const recorded = row('bull', { runId: 'other', contentKey: contentKey(profile('main', '1000'), bull) });
    const chain = [profile('main', '1000')];
    expect(await room({ run: '0.2' }, undefined, chain, recorded)).toBeNull();
    expect(await room({ run: '0.2' }, undefined, chain, row('bull'))).toContain('none was made');
  });

  it('is not asked for again once the panel has begun', async () => {
    expect(await room({ run: '0.2' }, [row('decision'), row('bull', { state: 'abandoned' })])).toBeNull();
  });
});
