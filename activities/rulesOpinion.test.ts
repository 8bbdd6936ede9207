import { describe, expect, it } from 'vitest';
import { defaultIndicators } from '../domain/indicators/defaults.js';
import type { AnalystOutcome, RulesAnalyst } from '../ports/analyst.js';
import type { Analysis, Proposal } from '../domain/decision/decision.js';
import { KeelError } from '../ports/errors.js';
import type { RulesOpinion } from '../ports/rulesOpinions.js';
import { noteRulesDecision, noteRulesReading } from './rulesOpinion.js';

const analysis: Analysis = {
  ...{
    timeframe: 'daily',
    analyst: 'rules',
    score: 0.4,
    close: 100,
    atr: 2,
    support: null,
    resistance: null,
  },
  parts: { trend: 1, momentum: 0, volatility: 0, levels: 0 },
  ...{ lastBar: '2014-07-07T04:00:00.000Z', barCount: 1, reasons: ['above its averages'] },
};

const buy: Proposal = { action: 'buy', entry: 100, stop: 96, target: 110, rationale: 'it rises' };

function noting(reads: boolean, proposal: AnalystOutcome<Proposal>) {
  const kept: RulesOpinion[] = [];
  const rules: RulesAnalyst = {
    ...{ name: 'rules', version: '3' },
    analyze: () =>
      Promise.resolve(
        reads
          ? { kind: 'ok', value: analysis }
          : { kind: 'failed', code: 'TOO_FEW_BARS', message: 'only one bar' },
      ),
    decide: () => Promise.resolve(proposal),
  };
  const put = (opinion: RulesOpinion): Promise<void> => {
    kept.push(opinion);
    return Promise.resolve();
  };
  return { kept, deps: { rules, rulesOpinions: { put } } };
}

const seen = { timeframe: 'daily', bars: [], indicators: defaultIndicators } as const;
const limits = {
  close: 100,
  priceIncrements: [{ from: '0', increment: '0.01' }],
  ...{ minimumRCoefficient: 1.5, priceCollar: 0.05, costShare: 0.01 },
};

describe("the rules' opinion beside a model", () => {
  it('is their score and reasons of a timeframe, and the decision that code would make of their proposal', async () => {
    const { kept, deps } = noting(true, { kind: 'ok', value: buy });
    await noteRulesReading(deps, 'run-1', seen);
    await noteRulesDecision(deps, 'run-1', [seen], limits);
    expect(kept).toMatchObject([
      {
        runId: 'run-1',
        part: 'daily',
        version: '3',
        score: 0.4,
        action: null,
        reasons: ['above its averages'],
      },
      { part: 'decision', score: null, action: 'buy', entry: '100', stop: '96', target: '110' },
    ]);
  });

  it('says why where they could not read or decide, and throws nothing at the run', async () => {
    const blind = noting(false, { kind: 'ok', value: buy });
    await noteRulesReading(blind.deps, 'run-1', seen);
    await noteRulesDecision(blind.deps, 'run-1', [seen], limits);
    const undecided = noting(true, { kind: 'failed', code: 'SCORES_EQUAL', message: 'neither up nor down' });
    await noteRulesDecision(undecided.deps, 'run-1', [seen], limits);
    expect(
      [...blind.kept, ...undecided.kept].map(({ action, score, reasons }) => [action, score, reasons]),
    ).toEqual([
      [null, null, ['TOO_FEW_BARS: only one bar']],
      [null, null, ['TOO_FEW_BARS: only one bar']],
      [null, null, ['SCORES_EQUAL: neither up nor down']],
    ]);
  });

  it('is the reason where they break, of whatever kind, and ends no run', async () => {
    const { kept, deps } = noting(true, { kind: 'ok', value: { ...buy, stop: NaN } });
    const broken = { ...deps.rules, analyze: () => Promise.reject(new RangeError('no such period')) };
    await noteRulesReading({ ...deps, rules: broken }, 'run-1', seen);
    await noteRulesDecision(deps, 'run-1', [seen], { ...limits, priceIncrements: [] });
    expect(kept.map(({ part, action, score }) => [part, action, score])).toEqual([
      ['daily', null, null],
      ['decision', null, null],
    ]);
    expect(kept[0]?.reasons).toEqual(['RULES_BROKEN: no such period']);
  });

  const failing = (...errors: readonly Error[]) => {
    const { deps } = noting(true, { kind: 'ok', value: buy });
    const kept: RulesOpinion[] = [];
    const left = [...errors];
    const put = (opinion: RulesOpinion): Promise<void> => {
      const error = left.shift();
      if (error === undefined) kept.push(opinion);
      return error === undefined ? Promise.resolve() : Promise.reject(error);
    };
    return { kept, deps: { ...deps, rulesOpinions: { put } } };
  };
  const refused = new KeelError('DATABASE_ERROR', 'the check rules_opinion_score_check refuses it');

  it('is the code of what the table refuses, or nothing where it refuses that too', async () => {
    const once = failing(refused);
    await noteRulesReading(once.deps, 'run-1', seen);
    expect(once.kept).toMatchObject([
      { part: 'daily', score: null, reasons: [expect.stringContaining('DATABASE_ERROR')] },
    ]);
    const always = failing(refused, refused);
    await noteRulesDecision(always.deps, 'run-1', [seen], limits);
    expect(always.kept).toEqual([]);
  });

  it('is asked for again where the database is away', async () => {
    const away = new KeelError('DATABASE_AWAY', 'gone', { errorClass: 'retryable' });
    await expect(noteRulesReading(failing(away).deps, 'run-1', seen)).rejects.toBe(away);
    await expect(noteRulesReading(failing(refused, away).deps, 'run-1', seen)).rejects.toBe(away);
  });
});
