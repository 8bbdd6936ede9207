import { describe, expect, it } from 'vitest';
import type { Analysis, Decision } from '../../domain/decision/decision.js';
import type { DecisionReview, Reading } from '../../domain/decision/reading.js';
import { decisionDetails, endDetails, plain, readingDetails } from './details.js';

const run = { symbol: 'AAPL', session: '2014-07-07', runId: 'r1' };
const analysis: Analysis = {
  ...{ timeframe: 'daily', analyst: 'rules', score: 0.654, close: 96, atr: 1, support: null },
  ...{ resistance: null, lastBar: '', barCount: 300, reasons: [] },
  parts: { trend: 1, momentum: 0.5, volatility: -1, levels: 1 },
};
const reading: Reading = {
  ...{ trend: 'up', momentum: 'rising', volatility: 'normal', support: [], resistance: [], signals: [] },
  ...{ confidence: 61, invalidation: '', summary: '', numbersOnly: true, flags: [] },
};
const review: DecisionReview = {
  ...{ numbersOnly: true, confidence: 58, horizonSessions: 20, agreements: [], conflicts: [], risks: [] },
  checks: [],
};
const buy: Decision = {
  ...{
    action: 'buy',
    entry: '95.97',
    stop: '93.3',
    target: '101.3',
    rCoefficient: '2',
    profitMargin: '0.05',
  },
  ...{ rationale: '', analyst: 'openai' },
  sources: { action: 'analyst', entry: 'analyst', stop: 'analyst', target: 'analyst' },
};
const numbersOnly = 'The model takes no pictures: it was given numbers only.';

describe('the details of a run', () => {
  it('tell what was read while it is decided, and that a model saw numbers only', () => {
    expect(readingDetails(run, [analysis])).toBe(
      '**AAPL 2014-07-07: read, not decided yet**\n\n- daily, by rules: score 0.65',
    );
    const blind = readingDetails(run, [{ ...analysis, analyst: 'openai', reading }]);
    expect(blind).toContain('- daily, by openai: up, confidence 61');
    expect(blind).toContain(numbersOnly);
    expect(blind).toContain('`keel explain r1`');
  });

  it('tell the decision with its prices, and say nothing of a model where rules decided', () => {
    expect(decisionDetails(run, { ...buy, analyst: 'rules' })).toBe(
      '**AAPL 2014-07-07: buy**\n\nbuy by rules, entry 95.97, stop 93.3, target 101.3, R 2',
    );
    expect(decisionDetails(run, { ...buy, review })).toContain(numbersOnly);
    expect(decisionDetails(run, { ...buy, review: { ...review, numbersOnly: false } })).not.toContain(
      numbersOnly,
    );
  });

  it('tell the end, with and without a decision', () => {
    const ending = { status: 'failed', outcome: 'FAILED', code: 'MODEL_EMPTY', message: 'no text' } as const;
    expect(endDetails(run, null, ending)).toBe(
      '**AAPL 2014-07-07: no decision, FAILED**\n\n(MODEL_EMPTY) no text',
    );
    const held = { ...ending, status: 'ended', outcome: 'HOLD', code: 'HOLD' } as const;
    expect(endDetails(run, { ...buy, action: 'hold', review }, held)).toContain(numbersOnly);
  });

  it('tell at the end what the models have cost, with the caps', () => {
    const ending = { status: 'failed', outcome: 'FAILED', code: 'MODEL_EMPTY', message: 'no text' } as const;
    const spending = {
      calls: 3,
      run: { usd: '0.0147', capUsd: '0.25' },
      day: { usd: '1.2', capUsd: '5' },
      month: { usd: '10', capUsd: '50' },
    };
    expect(endDetails(run, null, ending, spending)).toBe(
      '**AAPL 2014-07-07: no decision, FAILED**\n\n(MODEL_EMPTY) no text\n\n' +
        'Models, in USD (cap): 0.0147 of 0.25 by 3 calls of this run; when it ended 1.2 of 5 that day and 10 of 50 that month, UTC',
    );
  });

  it('show what a model wrote as text, and nothing of it as Markdown', () => {
    expect(plain('see ![chart](https://evil.example/x)\n# now <b>www.evil.example</b>')).toBe(
      'see \\!\\[chart\\](https\\://evil.example/x) \\# now \\<b\\>www\\.evil.example\\</b\\>',
    );
    expect(plain('R is 2.5 (of 1.5)')).toBe('R is 2.5 (of 1.5)');
  });
});
