import { expect, it } from 'vitest';
import type { StepName } from '../../contracts/wire/run.js';
import { heldUpBy } from './heldUp.js';

const trouble = {
  at: '2026-01-01T00:00:00.000Z',
  ...{ code: 'IBKR_AWAY', message: 'found nobody there (ECONNREFUSED).' },
};
const words = 'IBKR_AWAY: found nobody there (ECONNREFUSED).';

const held = (
  status: string,
  found: () => Promise<typeof trouble | null>,
  secondsLater = 30,
  step: { readonly name?: StepName; readonly ms?: number; readonly readSecondsLater?: number | null } = {},
) =>
  heldUpBy(
    {
      brokerState: {
        trouble: found,
        lastReadAt: () => {
          const { readSecondsLater = secondsLater } = step;
          return Promise.resolve(readSecondsLater === null ? null : later(readSecondsLater));
        },
      },
      clock: { now: () => Date.parse(later(secondsLater)) },
    },
    { status, steps: [{ name: step.name ?? 'evaluateRisk', startedAt: trouble.at, ms: step.ms ?? null }] },
  );
const later = (seconds: number): string => new Date(Date.parse(trouble.at) + seconds * 1000).toISOString();
const none = () => Promise.resolve(null);

it('tells a running run why the broker is not read', async () => {
  expect(await held('running', () => Promise.resolve(trouble))).toBe(words);
});

it.each(['evaluateRisk', 'orderLifecycle'] as const)(
  'tells one that stands at %s that the account is not read any more, in words that stay the same',
  async (name) => {
    const stale =
      'BROKER_STATE_STALE: the account was last read at 2026-01-01T00:00:10.000Z: see that a worker runs, and what keel doctor says of the account';
    for (const seconds of [131, 500])
      expect(await held('running', none, seconds, { name, readSecondsLater: 10 })).toBe(stale);
  },
);

it('tells that the account was never read', async () => {
  expect(await held('running', none, 31, { readSecondsLater: null })).toMatch(/the account was never read/);
});

it.each([
  ['waits for the market', held('waiting', () => Promise.resolve(trouble))],
  ['has ended', held('ended', () => Promise.resolve(trouble))],
  ['has a broker that is read', held('running', none, 500)],
  ['has one that was read two minutes ago', held('running', none, 500, { readSecondsLater: 380 })],
  ['has just come to a step that needs the account', held('running', none, 30, { readSecondsLater: -9999 })],
  ['is done with that step', held('running', none, 500, { ms: 5, readSecondsLater: 10 })],
  ['is at a step without it', held('running', none, 500, { name: 'decide', readSecondsLater: 10 })],
  ['is told by nobody any more', held('running', () => Promise.resolve(trouble), 121)],
  ['cannot be told', held('running', () => Promise.reject(new Error('away')))],
])('tells nothing of a run that %s', async (_what, told) => {
  expect(await told).toBeUndefined();
});
