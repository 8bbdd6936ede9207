// A closing sell from end to end: the decision of one run buys, that of a later one sells what is held.
import { describe, expect, it } from 'vitest';
import { sharedServers } from './support/servers.js';
import { onStack, quickSettings, startStack } from './support/stack.js';

/** The rules buy AAPL at the first close and sell it at the second; neither stop nor target trades in between. */
const [buyAt, sellAt] = ['2014-07-23T20:00:00.000Z', '2014-07-31T20:00:00.000Z'] as const;

const temporal = sharedServers();

describe.concurrent('a sell of what an earlier run bought', () => {
  it.each([
    null,
    'report:rehearseSell',
    'before:releaseProtection:cancelOrder',
    'after:releaseProtection:cancelOrder',
    'report:releaseProtection',
    'after:submitOrder:placeOrder',
  ])('cancels the protective legs and sells once (worker killed: %s)', async (fault) => {
    const stack = await startStack(temporal());
    try {
      const strategy = `sell-${(fault ?? 'in-peace').replaceAll(':', '-').toLowerCase()}`;
      await stack.createStrategy(strategy, quickSettings);
      const first = await stack.startWorker();
      const bought = await stack.drive(await stack.startRun(strategy, buyAt));
      expect(bought).toMatchObject({ outcome: 'FILLED' });

      let doomed = first;
      if (fault !== null) {
        await first.stop();
        doomed = await stack.startWorker(fault);
      }
      const driven = stack.drive(await stack.startRun(strategy, sellAt));
      if (fault !== null) {
        await doomed.ended;
        await stack.startWorker();
      }
      const sold = await driven;
      expect(sold).toMatchObject({ outcome: 'FILLED' });
      expect(sold?.order?.filledQuantity).toBe(bought?.order?.filledQuantity);

      const orders = stack.ledger().filter(({ type }) => type === 'order');
      expect(orders.map(({ side, price }) => [side, price !== null])).toEqual([
        ['BUY', false],
        ['SELL', true],
        ['SELL', true],
        ['SELL', false],
      ]);
      const { intents, brokerState } = stack.market.stores;
      const entry = await intents.byRun(`${strategy}-2014-07-23`);
      expect(entry?.legs.map(({ status }) => status)).toEqual(['CANCELLED', 'CANCELLED']);
      expect(await intents.byRun(`${strategy}-2014-07-31`)).toMatchObject({
        state: 'FILLED',
        side: 'SELL',
      });
      const snapshot = await brokerState.latest('simulated', entry?.accountId ?? '');
      expect(snapshot?.positions).toEqual([]);
    } finally {
      await stack.stop();
    }
  });

  it('ends as UNPROTECTED with what the market did not take, and sells no share twice', async () => {
    await onStack(temporal(), async (stack) => {
      await stack.createStrategy('sell-in-part', quickSettings);
      await stack.startWorker();
      const bought = await stack.drive(await stack.startRun('sell-in-part', buyAt));
      const held = Number(bought?.order?.filledQuantity);
      await stack.killSimulator();
      // Of the 48.5 million shares of 2014-08-01.
      await stack.startSimulator({ KEEL_SIMULATOR_VOLUME_SHARE: '0.0000005' });
      const sold = await stack.drive(await stack.startRun('sell-in-part', sellAt));
      expect(held).toBeGreaterThan(24);
      expect(sold).toMatchObject({
        outcome: 'UNPROTECTED',
        order: { filledQuantity: '24', message: expect.stringContaining('place a stop by hand') as string },
      });
      const { intents, brokerState } = stack.market.stores;
      const entry = await intents.byRun('sell-in-part-2014-07-23');
      const accountId = entry?.accountId ?? '';
      expect(entry?.legs.map(({ status }) => status)).toEqual(['CANCELLED', 'CANCELLED']);
      expect(await intents.byRun('sell-in-part-2014-07-31')).toMatchObject({
        ...{ state: 'CANCELLED', quantity: String(held), filledQuantity: '24' },
      });
      const snapshot = await brokerState.latest('simulated', accountId);
      expect(snapshot?.positions.map(({ quantity }) => Number(quantity))).toEqual([held - 24]);
      const executions = stack.ledger().filter(({ type }) => type === 'execution');
      expect(executions.map(({ side }) => side)).toEqual(['BUY', 'SELL']);
      // The monitor of orders finds what is left.
      const listUnstopped = await intents.listUnstopped('simulated', accountId, [entry?.conid ?? '']);
      expect(listUnstopped.map(({ clientOrderId }) => clientOrderId)).toEqual([entry?.clientOrderId]);
    });
  });
});
