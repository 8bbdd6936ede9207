import { describe, expect, it } from 'vitest';
import type { Api, Progress } from './api.js';
import { ApiError } from './api.js';
import { createStepPrinter, followToEnd } from './follow.js';

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

  it('tells a penalty once, though it comes and goes, and a second more or less to its end', () => {
    const lines: string[] = [];
    const waits = (heldUpBy?: string, name: 'openRun' | 'decide' = 'openRun'): Progress => ({
      ...progress(name),
      ...(heldUpBy !== undefined && { heldUpBy }),
    });
    const limited = (end: string): string =>
      `IBKR_PACING_DEADLINE: limited (429): until 2026-01-02T03:${end}Z`;
    const print = createStepPrinter((line) => lines.push(line.trim()));
    for (const held of [limited('15:59'), undefined, limited('16:00'), limited('15:59'), limited('31:00')])
      print(waits(held));
    const told = (end: string): string => `waits for the broker: ${limited(end)}`;
    expect(lines.slice(1)).toEqual([told('15:59'), told('31:00')]);
    // What holds it up again after a step is news.
    print(waits(limited('31:00'), 'decide'));
    expect(lines.at(-1)).toBe(told('31:00'));
    expect(lines).toHaveLength(5);
  });

  it('says that a run waits for the market where that is to come, and not in an open one', () => {
    const lines: string[] = [];
    const print = createStepPrinter((line) => lines.push(line.trim()));
    const waits = (waitingFor: string, mode: Progress['mode'] = 'paper'): Progress => ({
      ...progress('openRun'),
      ...{ mode, waitingFor, status: 'waiting', steps: [] },
    });
    print(waits(new Date(Date.now() - 1).toISOString()));
    expect(lines).toEqual([]);
    print(waits(new Date(Date.now() + 3_600_000).toISOString()));
    print(waits('2014-07-08T13:35:00.000Z', 'simulated'));
    expect(lines).toEqual([
      expect.stringContaining('waits for the market'),
      expect.stringContaining('waits for the market'),
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
