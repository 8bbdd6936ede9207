// An entry that rests at the broker: a limit order whose price the market has left. It fills later in its session, ends with
// it, or is cancelled by a person, also while workers are killed on the way.
import { describe, expect, it } from 'vitest';
import type { WorkflowHandle } from '@temporalio/client';
import { signalNames } from '../contracts/wire/names.js';
import type { RunResult } from '../contracts/wire/run.js';
import type { IntentRow } from '../ports/stores.js';
import { sharedServers } from './support/servers.js';
import { demoSettings, onStack, type TestStack } from './support/stack.js';
import { until } from './support/until.js';

const temporal = sharedServers();
const limitEntry = { risk: { ...demoSettings.risk, entryType: 'LMT' as const } };

/** The rules buy AAPL at both closes, and the next session opens above them. Only the first one's trades come back down. */
const filling = { close: '2014-07-07T20:00:00.000Z', limit: '95.97', end: '2014-07-08T20:00:00.000Z' };
const leaving = { close: '2014-07-11T20:00:00.000Z', limit: '95.22', end: '2014-07-14T20:00:00.000Z' };
const admitAt = '2014-07-14T13:35:00.000Z';

const withStack = (work: (stack: TestStack) => Promise<void>): Promise<void> => onStack(temporal(), work);

const intentOf = (stack: TestStack, runId: string): Promise<IntentRow> =>
  until(() => stack.market.stores.intents.byRun(runId));

const waitsUntil = (stack: TestStack, runId: string, instant: string) =>
  until(async () => {
    const run = await stack.market.stores.runs.get(runId);
    return run?.status === 'waiting' && run.waitingFor === instant ? run : null;
  });

const lines = (stack: TestStack, type: string) => stack.ledger().filter((line) => line.type === type);

/** One entry and its two legs in the ledger, all cancelled, nothing filled, no cash held back any more. */
async function expectNothingLeft(stack: TestStack, intent: IntentRow): Promise<void> {
  const orders = lines(stack, 'order');
  expect(orders.map(({ cOID, price }) => [cOID ?? null, price])).toEqual([
    [intent.clientOrderId, leaving.limit],
    [null, intent.stop],
    [null, intent.target],
  ]);
  expect(lines(stack, 'execution')).toEqual([]);
  const { intents, brokerState } = stack.market.stores;
  await until(async () =>
    (await intents.listOpen('simulated', intent.accountId)).length === 0 ? true : null,
  );
  const stored = await intents.get(intent.clientOrderId);
  expect(stored).toMatchObject({ state: 'CANCELLED', filledQuantity: '0' });
  expect(stored?.legs.map(({ status }) => status)).toEqual(['CANCELLED', 'CANCELLED']);
  const snapshot = await brokerState.latest('simulated', intent.accountId);
  expect(snapshot?.positions).toEqual([]);
}

describe.concurrent('a limit entry', () => {
  it('rests above the market until its price trades, and fills there in the same session', async () => {
    await withStack(async (stack) => {
      await stack.createStrategy('rest-fills', limitEntry);
      await stack.startWorker();
      const result = await stack.drive(await stack.startRun('rest-fills', filling.close));
      expect(result).toMatchObject({ outcome: 'FILLED', order: { averagePrice: filling.limit } });
      const intent = await intentOf(stack, 'rest-fills-2014-07-07');
      expect(intent).toMatchObject({
        state: 'FILLED',
        limit: filling.limit,
        filledQuantity: intent.quantity,
      });
      expect(intent.legs.map(({ status }) => status)).toEqual(['WORKING', 'WORKING']);
      // The market opened above the limit: the fill came on the way to the close.
      expect((await stack.market.now()).now).toBe(filling.end);
    });
  });

  it('ends with its session as NOT_FILLED when its price never trades, and leaves nothing at the broker', async () => {
    await withStack(async (stack) => {
      await stack.createStrategy('rest-ends', limitEntry);
      await stack.startWorker();
      const result = await stack.drive(await stack.startRun('rest-ends', leaving.close));
      expect(result).toMatchObject({ status: 'ended', outcome: 'NOT_FILLED' });
      expect(result?.order?.message).toContain('expired at the close of 2014-07-14');
      await expectNothingLeft(stack, await intentOf(stack, 'rest-ends-2014-07-11'));
    });
  });

  /** The driver's part by hand, so that the market stops while the entry rests. */
  async function restingRun(stack: TestStack, strategy: string): Promise<WorkflowHandle> {
    const runId = `${strategy}-2014-07-11`;
    const handle = await stack.startRun(strategy, leaving.close);
    await waitsUntil(stack, runId, admitAt);
    await stack.market.stepThrough([admitAt]);
    await handle.signal(signalNames.marketReached, { now: admitAt });
    await waitsUntil(stack, runId, leaving.end);
    await until(async () => ((await intentOf(stack, runId)).state === 'ACKNOWLEDGED' ? true : null));
    return handle;
  }

  it.each([
    null,
    'before:cancelEntry:cancelOrder',
    'after:cancelEntry:cancelOrder',
    'report:cancelEntry',
    'before:stopWaiting:setWaiting',
    'after:stopWaiting:setWaiting',
    'report:stopWaiting',
  ])(
    'is cancelled at the broker when its run is cancelled, and the run tells what really happened (worker killed: %s)',
    async (fault) => {
      await withStack(async (stack) => {
        const strategy = `rest-${(fault ?? 'cancel').replaceAll(':', '-').toLowerCase()}`;
        await stack.createStrategy(strategy, limitEntry);
        const doomed = await stack.startWorker(fault ?? undefined);
        const handle = await restingRun(stack, strategy);
        const intent = await intentOf(stack, `${strategy}-2014-07-11`);
        await handle.cancel();
        if (fault !== null) {
          await doomed.ended;
          await stack.startWorker();
        }
        const result = (await handle.result()) as RunResult;
        expect(result).toMatchObject({
          outcome: 'NOT_FILLED',
          order: { brokerOrderId: intent.brokerOrderId },
        });
        expect((await stack.market.now()).now).toBe(admitAt);
        const cancels = lines(stack, 'cancel').filter(
          ({ orderId }) => String(orderId) === intent.brokerOrderId,
        );
        expect(cancels).toHaveLength(1);
        await expectNothingLeft(stack, intent);
      });
    },
  );
});
