import { describe, expect, it } from 'vitest';
import type { Api, Progress } from './api.js';
import { ApiError } from './api.js';
import { followToEnd } from './follow.js';

const away = new ApiError('API_AWAY', 'the API does not answer');

const progress = (name: 'openRun' | 'decide'): Progress => ({
  ...{ runId: 'r', status: 'running', waitingFor: null, decision: null, order: null, outcome: null },
  ...{ code: null, message: null, strategyId: 's', symbol: 'AAPL', session: '2014-07-07', slot: 'x' },
  mode: 'simulated',
  steps: [{ name, startedAt: '2026-01-02T03:04:05.000Z', ms: 12 }],
});

/** What each call of the stream brings: progress and the end, or no answer. */
const apiOf = (...answers: (Progress | null)[]): Api => {
  const follow = async function* (): AsyncGenerator<Progress> {
    const next = answers.shift() ?? null;
    await Promise.resolve();
    if (next === null) throw away;
    yield next;
    if (answers.length > 0) throw away;
  };
  return { follow } as unknown as Api;
};

describe('followToEnd', () => {
  it('goes on when the API is back, and tells once that it was away', async () => {
    const lines: string[] = [];
    const { signal } = new AbortController();
    const api = apiOf(progress('openRun'), null, progress('decide'));
    await followToEnd(api, 'r', { signal, say: (line) => lines.push(line), patienceMs: null });
    expect(lines).toEqual([
      expect.stringContaining('openRun'),
      '  the API does not answer; it is asked again',
      expect.stringContaining('decide'),
    ]);
  });

  it('tells what a run waits for at the broker, once for as long as it is the same', async () => {
    const lines: string[] = [];
    const waits = (heldUpBy: string): Progress => ({ ...progress('openRun'), heldUpBy });
    const news = [waits('IBKR_AWAY: one'), waits('IBKR_AWAY: one'), waits('BROKER_SESSION: two')];
    const api = {
      follow: async function* () {
        await Promise.resolve();
        yield* news;
      },
    } as unknown as Api;
    const { signal } = new AbortController();
    await followToEnd(api, 'r', { signal, say: (line) => lines.push(line.trim()), patienceMs: null });
    expect(lines.slice(1)).toEqual([
      'waits for the broker: IBKR_AWAY: one',
      'waits for the broker: BROKER_SESSION: two',
    ]);
  });

  it('ends when the API stays away, and says what becomes of the run', async () => {
    const lines: string[] = [];
    const { signal } = new AbortController();
    const options = { signal, say: (line: string) => lines.push(line), patienceMs: null, awayMs: 100 };
    await expect(followToEnd(apiOf(), 'r', options)).rejects.toMatchObject({
      code: 'API_AWAY',
      message: expect.stringMatching(/run r is kept/) as unknown,
    });
    expect(lines).toEqual(['  the API does not answer; it is asked again']);
  });
});
