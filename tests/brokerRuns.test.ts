// Whole runs through a broker that fails: each completes where it can, and ends in a clear terminal state where it cannot. The
// simulator's ledger judges: one entry order where one was sent, and none where none could be. docs/failures.md names these tests.
import type { WorkflowHandle } from '@temporalio/client';
import { describe, expect, it } from 'vitest';
import { signalNames } from '../contracts/wire/names.js';
import type { RunResult } from '../contracts/wire/run.js';
import { sharedServers } from './support/servers.js';
import { request } from './support/simulator.js';
import { onStack, type TestStack } from './support/stack.js';
import { until } from './support/until.js';

const temporal = sharedServers();
const session = '2014-07-07';
const decided = `${session}T20:00:00.000Z`;
const admitAt = '2014-07-08T13:35:00.000Z';

interface Fault {
  readonly kind: string;
  readonly [field: string]: unknown;
}

/** One run under faults, by the driver or by hand. Every fault must have acted, else the case has tested nothing. */
async function runUnder(
  stack: TestStack,
  name: string,
  faults: readonly Fault[],
  drive: (handle: WorkflowHandle, runId: string) => Promise<RunResult | null> = (handle) =>
    stack.drive(handle),
) {
  for (const fault of faults) await stack.admin('/faults', fault);
  await stack.createStrategy(name);
  await stack.startWorker();
  const runId = `${name}-${session}`;
  const result = await drive(await stack.startRun(name, decided), runId);
  const { faults: seen } = (await stack.admin('/faults')) as { faults: { kind: string; acted: number }[] };
  expect(seen.map(({ kind, acted }) => [kind, acted > 0])).toEqual(faults.map(({ kind }) => [kind, true]));
  const { runs, intents } = stack.market.stores;
  return { result, run: await runs.get(runId), intent: await intents.byRun(runId) };
}

/** The market goes to the instant of admission and stands there: seconds of the broker are no hours of the market. */
const standing =
  ({ market }: TestStack) =>
  async (handle: WorkflowHandle, runId: string): Promise<RunResult> => {
    const { runs } = market.stores;
    await until(async () => ((await runs.get(runId))?.waitingFor === admitAt ? true : null));
    await market.stepThrough([admitAt]);
    await handle.signal(signalNames.marketReached, { now: admitAt });
    return (await handle.result()) as RunResult;
  };

const entries = (stack: TestStack) =>
  stack.ledger().filter(({ type, parentId }) => type === 'order' && parentId === null);

function expectFilled(stack: TestStack, { result, intent }: Awaited<ReturnType<typeof runUnder>>): void {
  expect(result).toMatchObject({ status: 'ended', outcome: 'FILLED' });
  expect(intent).toMatchObject({ state: 'FILLED' });
  expect(entries(stack)).toMatchObject([{ cOID: intent?.clientOrderId, quantity: intent?.quantity }]);
  expect(intent?.legs.map(({ status }) => status)).toEqual(['WORKING', 'WORKING']);
}

describe.concurrent('a run completes, with one order, when', () => {
  it.each<[string, ...Fault[]]>([
    ['the session expires while bars are read', { kind: 'session-loss', on: 'history' }],
    ['there is no bridge once', { kind: 'no-bridge', on: 'snapshot' }, { kind: 'no-bridge', on: 'orders' }],
    ['a page with 404 comes once in place of a quote', { kind: 'html', on: 'snapshot' }],
    ['it is told once that it asks too much', { kind: 'pacing-429', on: 'history', ms: 500 }],
    ['history is slow', { kind: 'slow', on: 'history', ms: 3000, times: 2 }],
    ['its order is in no list for a while', { kind: 'invisible-order', on: 'place', ms: 20_000 }],
    ['the socket breaks at each frame', { kind: 'socket-drop', times: null }],
    ['each frame of the socket lies', { kind: 'socket-lie', times: null }],
    ['orders that have ended are listed no more', { kind: 'ended-unlisted', times: null }],
    [
      'the answer is dropped, and executions alone tell of it',
      { kind: 'ended-unlisted', times: null },
      { kind: 'accept-then-drop', on: 'place' },
    ],
    ['the answer to its order is dropped', { kind: 'accept-then-drop', on: 'place' }],
    [
      'each execution is listed twice, and corrected',
      { kind: 'duplicate-executions', times: null },
      { kind: 'correct-executions', times: null },
    ],
  ])('%s', async (...[title, ...faults]) => {
    await onStack(temporal(), async (stack) => {
      expectFilled(stack, await runUnder(stack, title.replaceAll(/[^a-z]+/g, '-'), faults));
    });
  });

  it('the answer is dropped, and its order is in no list for a while', async () => {
    await onStack(temporal(), async (stack) => {
      const faults = [
        { kind: 'invisible-order', on: 'place', ms: 5000 },
        { kind: 'accept-then-drop', on: 'place' },
      ];
      expectFilled(stack, await runUnder(stack, 'hidden', faults, standing(stack)));
    });
  });
});

it.each([
  ['and says that this is all', ['empty-orders'], 2],
  // Such a list is read twice.
  ['and does not say whether this is all', ['empty-orders', 'snapshot-false'], 4],
])('the legs of a run are followed on where the broker lists nothing, %s', async (_case, kinds, times) => {
  await onStack(temporal(), async (stack) => {
    const ended = await runUnder(stack, 'emptied', []);
    expectFilled(stack, ended);
    for (const kind of kinds) await stack.admin('/faults', { kind, times });
    const { brokerState, intents } = stack.market.stores;
    // Each step of the market is a poll.
    for (const instant of [
      '2014-07-08T13:40:00.000Z',
      '2014-07-08T13:45:00.000Z',
      '2014-07-08T13:50:00.000Z',
    ]) {
      await stack.market.stepThrough([instant]);
      await until(async () => {
        const read = await brokerState.latest('simulated', 'DU1234567');
        return read?.marketTime === instant ? true : null;
      });
    }
    const { faults } = (await stack.admin('/faults')) as { faults: { acted: number }[] };
    expect(faults.map(({ acted }) => acted)).toEqual(kinds.map(() => times));
    const intent = await intents.byRun(`emptied-${session}`);
    expect(intent?.legs.map(({ status }) => status)).toEqual(['WORKING', 'WORKING']);
    expect(await intents.listOpen('simulated', 'DU1234567')).toHaveLength(1);
  });
});

describe.concurrent('a run over OAuth alone', () => {
  it('completes, with one order, also where its token ends while bars are read', async () => {
    const work = async (stack: TestStack): Promise<void> => {
      const { IBKR_CONNECTION, IBKR_BASE_URL: baseUrl = '', IBKR_CA_FILE: caFile = '' } = stack.settings;
      expect(IBKR_CONNECTION).toBe('oauth');
      expectFilled(stack, await runUnder(stack, 'oauth', [{ kind: 'login-loss', on: 'history' }]));
      // Nobody else than the consumer is heard where the worker's calls went.
      const unsigned = await request({ baseUrl, caFile, adminUrl: '' }, 'GET', '/iserver/auth/status');
      expect(unsigned).toMatchObject({
        status: 401,
        text: expect.stringContaining('missing authorization') as string,
      });
    };
    await onStack(temporal(), work, { KEEL_SIMULATOR_OAUTH: 'on' });
  });

  it('completes, with one order, where the simulator was killed and started again under a worker that knows it', async () => {
    const work = async (stack: TestStack): Promise<void> => {
      const ended = await runUnder(stack, 'oauth-again', [], async (handle) => {
        await stack.killSimulator();
        await stack.startSimulator();
        return stack.drive(handle);
      });
      expectFilled(stack, ended);
    };
    await onStack(temporal(), work, { KEEL_SIMULATOR_OAUTH: 'on' });
  });
});

describe.concurrent('a run ends in a clear terminal state when', () => {
  it('the broker asks what nobody has allowed: refused with its words, and no order', async () => {
    await onStack(temporal(), async (stack) => {
      const { result, intent } = await runUnder(stack, 'asked', [{ kind: 'unknown-question' }]);
      expect(result).toMatchObject({ status: 'ended', outcome: 'REJECTED' });
      expect(result?.order?.message).toContain('told to ask this');
      expect(intent).toMatchObject({ state: 'REJECTED' });
      expect(entries(stack)).toEqual([]);
    });
  });

  it.each<[string, string, Fault, string]>([
    ['the session is gone', 'no bridge', { kind: 'session-loss', on: 'place' }, 'GATEWAY_NO_SESSION'],
    ['there is no bridge', 'no bridge', { kind: 'no-bridge', on: 'place' }, 'GATEWAY_NO_SESSION'],
    [
      'requests are limited',
      'Too Many Requests',
      { kind: 'pacing-429', on: 'place', ms: 500 },
      'GATEWAY_LIMITED',
    ],
  ])(
    '%s as the order arrives: not sent, with those words, and not sent anew',
    async (what, words, fault, code) => {
      await onStack(temporal(), async (stack) => {
        const { result, intent } = await runUnder(stack, what.replaceAll(' ', '-'), [fault]);
        expect(result).toMatchObject({ status: 'ended', outcome: 'NOT_SENT', code });
        expect(result?.order?.message).toContain(words);
        expect(intent).toMatchObject({ state: 'NOT_SENT', reason: code });
        expect(entries(stack)).toEqual([]);
      });
    },
  );

  it('its order is never found again: said so, and the order is not sent anew', async () => {
    await onStack(temporal(), async (stack) => {
      const { result, intent } = await runUnder(stack, 'never-found', [
        { kind: 'invisible-order', on: 'place', ms: 43_200_000 },
        { kind: 'accept-then-drop', on: 'place' },
      ]);
      expect(result).toMatchObject({ status: 'ended', outcome: 'SENT_NOT_FOUND_EXPIRED' });
      expect(intent).toMatchObject({ state: 'SENT_NOT_FOUND_EXPIRED' });
      expect(entries(stack)).toMatchObject([{ cOID: intent?.clientOrderId }]);
    });
  });

  it('nobody logs in again: failed with the reason, and no order', async () => {
    await onStack(
      temporal(),
      async (stack) => {
        const { result, run } = await runUnder(stack, 'no-login', [{ kind: 'login-loss', on: 'history' }]);
        expect(result).toBeNull();
        expect(run).toMatchObject({ status: 'failed', code: 'BROKER_SESSION' });
        expect(run?.message).toContain('a person must log in');
        expect(entries(stack)).toEqual([]);
      },
      { KEEL_STEP_DEADLINE_MS: '20000' },
    );
  });
});
