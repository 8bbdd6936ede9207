// What survives a killed process. Each case is one whole run on its own database and simulator, whose worker is killed
// with SIGKILL at a stated point and started again. The simulator's ledger is the judge: one entry order, no more.
import { describe, expect, it } from 'vitest';
import { orderWorkflowId } from '../contracts/wire/names.js';
import type { IntentRow } from '../ports/stores.js';
import { makeUser } from './support/access.js';
import { startApi } from './support/api.js';
import { sharedServers } from './support/servers.js';
import { onStack, type TestStack } from './support/stack.js';

/** The close of the demo's default session; the rules buy there. */
const close = '2014-07-07T20:00:00.000Z';

const temporal = sharedServers();

const withStack = (work: (stack: TestStack) => Promise<void>): Promise<void> => onStack(temporal(), work);

const entriesOf = (stack: TestStack, clientOrderId: string) =>
  stack.ledger().filter(({ type, cOID }) => type === 'order' && cOID === clientOrderId);

async function intentOf(stack: TestStack, runId: string): Promise<IntentRow> {
  const intent = await stack.market.stores.intents.byRun(runId);
  if (intent === null) throw new Error(`run ${runId} stored no intent`);
  return intent;
}

/** Everything that a run which bought in peace leaves behind. */
async function expectOneFilledOrder(stack: TestStack, runId: string): Promise<void> {
  const run = await stack.market.stores.runs.get(runId);
  expect(run).toMatchObject({ status: 'ended', outcome: 'FILLED' });
  const intent = await intentOf(stack, runId);
  expect(intent).toMatchObject({ state: 'FILLED', side: 'BUY', filledQuantity: intent.quantity });
  expect(intent.legs.map(({ role, status }) => [role, status])).toEqual([
    ['stop', 'WORKING'],
    ['target', 'WORKING'],
  ]);
  const entries = entriesOf(stack, intent.clientOrderId);
  expect(entries).toHaveLength(1);
  const orders = stack.ledger().filter(({ type }) => type === 'order');
  expect(orders).toHaveLength(3);
  const fills = stack.ledger().filter(({ type }) => type === 'execution');
  expect(fills.map(({ cOID, quantity }) => [cOID, quantity])).toEqual([
    [intent.clientOrderId, intent.quantity],
  ]);
  const { evidence } = stack.market.stores;
  expect(await evidence.bars(runId)).toHaveLength(2);
  expect(await evidence.charts(runId)).toHaveLength(2);
  expect(await evidence.analyses(runId)).toHaveLength(2);
  expect((await evidence.risk(runId)).map(({ stage }) => stage).sort()).toEqual(['admission', 'proposal']);
}

/** activity → the port call that is its effect */
const effects: readonly (readonly [string, string])[] = [
  ['openRun', 'open'],
  ['resolveContract', 'resolveContract'],
  ['fetchBars', 'putBars'],
  ['renderChart', 'putChart'],
  ['analyze', 'putAnalysis'],
  ['decide', 'putDecision'],
  ['evaluateRisk', 'putRisk'],
  ['checkMarket', 'setWaiting'],
  ['admitOrder', 'withAccountLock'],
  ['submitOrder', 'placeOrder'],
  ['recordSubmission', 'move'],
  ['confirmOrder', 'get'],
  ['closeRun', 'end'],
  ['watchBroker', 'applyState'],
];

const activities = [...new Set(effects.map(([activity]) => activity))];

/** Before the effect, after it, and before the report; and before a submit has touched anything. */
const points = [
  'start:submitOrder',
  ...effects.map(([activity, call]) => `before:${activity}:${call}`),
  ...effects.map(([activity, call]) => `after:${activity}:${call}`),
  // watchBroker reports only when it is relieved, minutes later.
  ...activities.filter((activity) => activity !== 'watchBroker').map((activity) => `report:${activity}`),
];

describe.concurrent('a worker that is killed', () => {
  it.each(points)('at %s: the run ends with exactly one order', async (point) => {
    await withStack(async (stack) => {
      const strategy = `kill-${point.replaceAll(':', '-').toLowerCase()}`;
      await stack.createStrategy(strategy);
      const doomed = await stack.startWorker(point);
      const handle = await stack.startRun(strategy, close);
      const driven = stack.drive(handle);
      await doomed.ended;
      await stack.startWorker();
      const result = await driven;
      expect(result?.outcome).toBe('FILLED');
      await expectOneFilledOrder(stack, `${strategy}-2014-07-07`);
    });
  });

  /** Each worker is killed at its point and replaced by the next; the last one is left in peace. */
  it.each([
    'after:submitOrder:move',
    'after:submitOrder:move, before:intentState:get, report:intentState',
    'after:submitOrder:move, before:expireOrder:move, after:expireOrder:move, report:expireOrder',
  ])(
    'between SENT and POST, at %s: nothing is resent, and the run ends as SENT_NOT_FOUND_EXPIRED',
    async (points) => {
      await withStack(async (stack) => {
        const faults = points.split(', ');
        const strategy = `lost-${faults.join('-').replaceAll(':', '-').toLowerCase().slice(-40)}`;
        await stack.createStrategy(strategy);
        const [first, ...others] = faults;
        let doomed = await stack.startWorker(first);
        const handle = await stack.startRun(strategy, close);
        const driven = stack.drive(handle);
        await doomed.ended;
        for (const fault of others) {
          doomed = await stack.startWorker(fault);
          await doomed.ended;
        }
        await stack.startWorker();
        const result = await driven;
        expect(result).toMatchObject({ outcome: 'SENT_NOT_FOUND_EXPIRED', code: 'SENT_NOT_FOUND_EXPIRED' });
        const intent = await intentOf(stack, `${strategy}-2014-07-07`);
        expect(intent.state).toBe('SENT_NOT_FOUND_EXPIRED');
        expect((await stack.market.now()).now >= intent.validUntil).toBe(true);
        expect(entriesOf(stack, intent.clientOrderId)).toHaveLength(0);
        const run = await stack.market.stores.runs.get(`${strategy}-2014-07-07`);
        expect(run?.message).toContain('was never found');
      });
    },
  );

  it('while a cancelled order is taken back: the run ends as cancelled and nothing was sent', async () => {
    await withStack(async (stack) => {
      await stack.createStrategy('taken-back');
      let doomed = await stack.startWorker('report:admitOrder');
      const handle = await stack.startRun('taken-back', close);
      const driven = stack.drive(handle);
      await doomed.ended;
      await handle.cancel();
      // The lifecycle itself too, so that it has heard of it before the next worker looks at the order.
      const { clientOrderId } = await intentOf(stack, 'taken-back-2014-07-07');
      await stack.client.workflow.getHandle(orderWorkflowId('simulated', clientOrderId)).cancel();
      for (const fault of ['before:abandonOrder:move', 'after:abandonOrder:move', 'report:abandonOrder']) {
        doomed = await stack.startWorker(fault);
        await doomed.ended;
      }
      await stack.startWorker();
      expect(await driven).toMatchObject({ status: 'cancelled', outcome: 'CANCELLED' });
      const intent = await intentOf(stack, 'taken-back-2014-07-07');
      expect(intent.state).toBe('ABANDONED');
      expect(entriesOf(stack, intent.clientOrderId)).toHaveLength(0);
    });
  });
});

describe('another process that is killed in mid-run', () => {
  /** Resolves once the run has come to a step. */
  async function reached(stack: TestStack, runId: string, status: string): Promise<void> {
    while ((await stack.market.stores.runs.get(runId))?.status !== status) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  it('the simulator: the run goes on with it and ends with exactly one order', async () => {
    await withStack(async (stack) => {
      await stack.createStrategy('sim-killed');
      await stack.startWorker();
      const handle = await stack.startRun('sim-killed', close);
      await reached(stack, 'sim-killed-2014-07-07', 'waiting');
      await stack.killSimulator();
      const driven = stack.drive(handle);
      await stack.startSimulator();
      expect((await driven)?.outcome).toBe('FILLED');
      await expectOneFilledOrder(stack, 'sim-killed-2014-07-07');
    });
  });

  it('the API: a run that it started goes on without it, and it answers with the same run when it is back', async () => {
    await withStack(async (stack) => {
      await stack.createStrategy('api-killed');
      await stack.startWorker();
      await stack.market.stepThrough([close]);
      const { key } = await makeUser(stack.market.stores, 'watcher', 'admin');
      const authorization = `Bearer ${key}`;
      const execute = async (url: string) => {
        const response = await fetch(`${url}/api/v1/strategies/api-killed/execute`, {
          method: 'POST',
          headers: { authorization, 'content-type': 'application/json' },
          body: '{}',
        });
        return (await response.json()) as { runId: string; workflowId: string; existing: boolean };
      };
      const first = await startApi(stack.settings);
      const started = await execute(first.url);
      expect(started.existing).toBe(false);
      await first.kill();
      expect((await stack.drive(stack.client.workflow.getHandle(started.workflowId)))?.outcome).toBe(
        'FILLED',
      );
      const second = await startApi(stack.settings);
      expect(await execute(second.url)).toEqual({ ...started, existing: true });
      const answer = await fetch(`${second.url}/api/v1/runs/${started.runId}`, {
        headers: { authorization },
      });
      const run = (await answer.json()) as object;
      expect(run).toMatchObject({ status: 'ended', outcome: 'FILLED' });
      await second.stop();
      await expectOneFilledOrder(stack, started.runId);
    });
  });

  it('Temporal: the run goes on when it is back and ends with exactly one order', async () => {
    await withStack(async (stack) => {
      await stack.createStrategy('temporal-killed');
      await stack.startWorker();
      const handle = await stack.startRun('temporal-killed', close);
      await reached(stack, 'temporal-killed-2014-07-07', 'waiting');
      await temporal().kill();
      await temporal().restart();
      expect((await stack.drive(handle))?.outcome).toBe('FILLED');
      await expectOneFilledOrder(stack, 'temporal-killed-2014-07-07');
    });
  });
});
