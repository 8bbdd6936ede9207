import { describe, expect, it } from 'vitest';
import { isFresh, whenFresh } from './snapshot.js';

const rule = { snapshotMaxAgeMs: 15_000, waitMs: 30_000, lookMs: 100 };
const read = Date.parse('2026-01-02T15:00:00.000Z');
const fresh = (ageMs: number, steps: { snapshot: number; market: number } = { snapshot: 3, market: 3 }) =>
  isFresh(
    { readStartedAt: new Date(read).toISOString(), marketStep: steps.snapshot },
    { now: '2014-07-08T13:35:00.000Z', step: steps.market },
    rule,
    read + ageMs,
  );

describe('a snapshot', () => {
  it('is fresh up to its age limit', () => {
    expect([fresh(0), fresh(15_000), fresh(15_001)]).toEqual([true, true, false]);
  });
  it('is not fresh because the clock was set back behind it', () => {
    expect([fresh(-2000), fresh(-2001), fresh(-3_600_000)]).toEqual([true, false, false]);
  });
  it('is not fresh once the market was stepped after it', () => {
    expect(fresh(0, { snapshot: 3, market: 4 })).toBe(false);
  });
});

describe('waiting for one', () => {
  it('says when it asks for the last time, and ends', async () => {
    let now = 0;
    const asked: boolean[] = [];
    const pause = (ms: number) => Promise.resolve(void (now += ms));
    const never = (last: boolean) => {
      asked.push(last);
      return Promise.resolve('stale' as const);
    };
    const wait = whenFresh({ ...rule, waitMs: 250 }, { now: () => now }, pause, never);
    await expect(wait).rejects.toMatchObject({ code: 'BROKER_STATE_STALE', errorClass: 'final' });
    expect(asked).toEqual([false, false, false, true]);
  });
});
