// A closing sell from end to end: the decision of one run buys, that of a later one sells what is held.
import { describe, expect, it } from 'vitest';
import { sharedServers } from './support/servers.js';
import { quickSettings, startStack } from './support/stack.js';

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
});
