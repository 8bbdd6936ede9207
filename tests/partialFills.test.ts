// An entry of which the market takes a part only: what has filled is protected, and the run tells how much that is, whether the
// session or a person ends the rest.
import { describe, expect, it } from 'vitest';
import { signalNames } from '../contracts/wire/names.js';
import type { RunResult } from '../contracts/wire/run.js';
import { sharedServers } from './support/servers.js';
import { onStack, type TestStack } from './support/stack.js';
import { until } from './support/until.js';

const temporal = sharedServers();
const decided = '2014-07-07T20:00:00.000Z';
const admitAt = '2014-07-08T13:35:00.000Z';
const close = '2014-07-08T20:00:00.000Z';
/** Of AAPL's volume of 2014-07-08, 65 million shares: less than the rules want, more than one. */
const settings = { KEEL_SIMULATOR_VOLUME_SHARE: '0.0000005' };

/** What the ledger has of the entry and its legs, against what the run and the database say. */
async function expectPart(stack: TestStack, runId: string, result: RunResult | null): Promise<void> {
  const intent = await stack.market.stores.intents.byRun(runId);
  const [entry, ...legs] = stack.ledger().filter(({ type }) => type === 'order');
  const executions = stack.ledger().filter(({ type }) => type === 'execution');
  expect(executions).toHaveLength(1);
  const [{ quantity: filled = '', price: paid = '' } = {}] = executions;
  expect(Number(filled)).toBeGreaterThan(0);
  expect(Number(filled)).toBeLessThan(Number(entry?.quantity));
  expect(result).toMatchObject({
    status: 'ended',
    outcome: 'FILLED',
    order: { filledQuantity: filled, averagePrice: paid },
  });
  // The legs were sent for the whole order, and work for what has filled.
  expect(legs.map(({ quantity }) => quantity)).toEqual([entry?.quantity, entry?.quantity]);
  const sizes = stack.ledger().filter(({ type }) => type === 'modify');
  expect(sizes.map(({ orderId, quantity }) => [orderId, quantity])).toEqual(
    legs.map(({ orderId }) => [orderId, filled]),
  );
  expect(intent).toMatchObject({ state: 'CANCELLED', filledQuantity: filled });
  expect(intent?.legs.map(({ status, quantity }) => [status, quantity])).toEqual([
    ['WORKING', filled],
    ['WORKING', filled],
  ]);
  const snapshot = await stack.market.stores.brokerState.latest('simulated', intent?.accountId ?? '');
  expect(snapshot?.positions.map(({ quantity }) => quantity)).toEqual([filled]);
}

describe.concurrent('an entry that fills in part', () => {
  it('ends with its session for the rest, and holds what has filled, protected', async () => {
    await onStack(
      temporal(),
      async (stack) => {
        await stack.createStrategy('part-ends');
        await stack.startWorker();
        const result = await stack.drive(await stack.startRun('part-ends', decided));
        expect((await stack.market.now()).now).toBe(close);
        await expectPart(stack, 'part-ends-2014-07-07', result);
      },
      settings,
    );
  });

  it('is cancelled for the rest when its run is cancelled', async () => {
    await onStack(
      temporal(),
      async (stack) => {
        await stack.createStrategy('part-cancels');
        await stack.startWorker();
        const runId = 'part-cancels-2014-07-07';
        const handle = await stack.startRun('part-cancels', decided);
        const { runs, intents } = stack.market.stores;
        const waits = (instant: string) =>
          until(async () => ((await runs.get(runId))?.waitingFor === instant ? true : null));
        await waits(admitAt);
        await stack.market.stepThrough([admitAt]);
        await handle.signal(signalNames.marketReached, { now: admitAt });
        await until(async () =>
          ((await intents.byRun(runId))?.filledQuantity ?? '0') === '0' ? null : true,
        );
        await handle.cancel();
        const result = (await handle.result()) as RunResult;
        expect((await stack.market.now()).now).toBe(admitAt);
        await expectPart(stack, runId, result);
      },
      settings,
    );
  });
});
