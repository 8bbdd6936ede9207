import { describe, expect, it } from 'vitest';
import { readingFinding, type Reading } from './account.js';

const now = Date.parse('2026-01-01T00:10:00.000Z');
const at = (secondsAgo: number): string => new Date(now - secondsAgo * 1000).toISOString();
const trouble = (secondsAgo: number) => ({
  ...{ at: at(secondsAgo), code: 'IBKR_AWAY', message: 'found nobody there (ECONNREFUSED).' },
});

const findingOf = (reading: Omit<Reading, 'accountId'>, isUp = true) =>
  readingFinding({ accountId: 'DU1234567', ...reading }, { now, isUp });

describe('the reading of the account', () => {
  it('is well up to two minutes', () => {
    expect(findingOf({ readAt: at(120), trouble: null })).toEqual({
      check: 'account',
      status: 'ok',
      found: 'DU1234567 was last read 120 s ago, at 2026-01-01T00:08:00.000Z',
    });
  });

  it('that has stopped is a fault with its age, the last error and what to do', () => {
    expect(findingOf({ readAt: at(412), trouble: trouble(12) })).toMatchObject({
      status: 'fault',
      found: 'DU1234567 was last read 412 s ago, at 2026-01-01T00:03:08.000Z; a try failed 12 s ago',
      cause: 'IBKR_AWAY: found nobody there (ECONNREFUSED).',
      fix: expect.stringMatching(
        /^do what the cause says: until the account is read, no order goes out/,
      ) as string,
    });
  });

  it('that has stopped without a word while a worker is up is a fault too', () => {
    expect(findingOf({ readAt: at(121), trouble: null })).toMatchObject({
      status: 'fault',
      cause: expect.stringMatching(/its poller hangs/) as string,
      fix: expect.stringMatching(/^start the worker again/) as string,
    });
  });

  it('of a Keel that was stopped is nothing to look at, however its last try went', () => {
    for (const last of [null, trouble(300)])
      expect(findingOf({ readAt: at(5000), trouble: last }, false)).toMatchObject({
        status: 'skipped',
        found: expect.stringMatching(/^DU1234567 was last read 5000 s ago.*no worker is up/) as string,
      });
  });

  it('that failed for long, and then stopped, names the last error, and the worker', () => {
    expect(findingOf({ readAt: at(500), trouble: trouble(300) })).toMatchObject({
      status: 'fault',
      cause: expect.stringMatching(/^IBKR_AWAY: .* Since then nobody tries any more/) as string,
      fix: expect.stringMatching(/^start the worker/) as string,
    });
  });

  it('that failed once a moment ago is a warning', () => {
    expect(findingOf({ readAt: at(20), trouble: trouble(5) })).toMatchObject({ status: 'warning' });
  });

  it.each([
    ['a fault where each try failed', trouble(5), true, 'fault'],
    ['a warning where a Keel runs', null, true, 'warning'],
    ['nothing to look at where none does', null, false, 'skipped'],
  ] as const)('that never was is %s', (_what, failed, isUp, status) => {
    const finding = findingOf({ readAt: null, trouble: failed }, isUp);
    expect(finding).toMatchObject({ status, found: expect.stringMatching(/was never read/) as string });
  });
});
