import { expect, it } from 'vitest';
import { heldUpBy } from './heldUp.js';

const trouble = {
  at: '2026-01-01T00:00:00.000Z',
  ...{ code: 'IBKR_AWAY', message: 'found nobody there (ECONNREFUSED).' },
};
const words = 'IBKR_AWAY: found nobody there (ECONNREFUSED).';

const held = (status: string, found: () => Promise<typeof trouble | null>, secondsLater = 30) =>
  heldUpBy(
    {
      brokerState: { trouble: found },
      clock: { now: () => Date.parse(trouble.at) + secondsLater * 1000 },
    },
    { status },
  );

it('tells a running run why the broker is not read', async () => {
  expect(await held('running', () => Promise.resolve(trouble))).toBe(words);
});

it.each([
  ['waits for the market', held('waiting', () => Promise.resolve(trouble))],
  ['has ended', held('ended', () => Promise.resolve(trouble))],
  ['has a broker that is read', held('running', () => Promise.resolve(null))],
  ['is told by nobody any more', held('running', () => Promise.resolve(trouble), 121)],
  ['cannot be told', held('running', () => Promise.reject(new Error('away')))],
])('tells nothing of a run that %s', async (_what, told) => {
  expect(await told).toBeUndefined();
});
