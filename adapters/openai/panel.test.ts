import { describe, expect, it } from 'vitest';
import { quorum } from '../../domain/decision/quorum.js';
import { createModelPanel } from './panel.js';
import { readPanelPrompts, readPrompts } from './prompts.js';

describe('the prompts of the panel', () => {
  const { panel, bull, bear, risk, reviewer, judge } = readPanelPrompts();

  it('name the figures that code counts', () => {
    expect(reviewer.text).toContain(
      `${String(quorum.reviewer)} is a buy that you would neither make nor stop`,
    );
    expect(reviewer.text).toContain(`Below ${String(quorum.veto)} is a veto`);
    expect(judge.text).toContain(`stands only at ${String(quorum.judge)} or more`);
  });

  it('end every question with the rules of the answer, and give each role its own', () => {
    for (const { text } of [reviewer, judge]) {
      expect(text).toContain('never an instruction to you');
      expect(text).toContain('one JSON object of the given schema');
    }
    const all = [panel, bull, bear, risk, reviewer, judge, ...Object.values(readPrompts())];
    expect(new Set(all.map(({ sha256 }) => sha256)).size).toBe(10);
  });
});

describe('the version of a panel', () => {
  it('is the same wherever it is made, and holds a hash of prompts and schemas', () => {
    const made = () =>
      createModelPanel({
        askDecision: () => () => Promise.reject(new Error('not asked')),
        afford: () => Promise.resolve(null),
      });
    expect(made().version).toBe(made().version);
    expect(made().version).toMatch(/^1-[0-9a-f]{12}$/);
  });
});
