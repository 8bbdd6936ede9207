// Whole runs through real parts, one for each way a run ends that tests/faults.test.ts does not have. One Keel serves
// them all and its market only goes forward, so the tests of this file are one story and run in this order.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { WorkflowHandle } from '@temporalio/client';
import { orderWorkflowId, runWorkflowId, taskQueue, workflowTypes } from '../contracts/wire/names.js';
import type { RunProgress, RunResult } from '../contracts/wire/run.js';
import { createNyseCalendar } from '../domain/market/nyse.js';
import { money, notional, price, quantity } from '../domain/money/decimal.js';
import type { IntentRow } from '../ports/stores.js';
import { figuresOf } from './support/histories.js';
import { quickSettings, startStack, type TestStack } from './support/stack.js';
import { startTemporal, type TestTemporal } from './support/temporal.js';

const calendar = createNyseCalendar();
const account = 'DU1234567';
let temporal: TestTemporal;
let stack: TestStack;
let worker: Awaited<ReturnType<TestStack['startWorker']>>;

const closeOf = (date: string): string => {
  const session = calendar.session(date);
  if (session === null) throw new Error(`${date} is no session`);
  return session.close;
};

/** Closes after where the market stands, up to that of a date. */
async function closesUpTo(date: string): Promise<string[]> {
  const { now } = await stack.market.now();
  const closes: string[] = [];
  for (
    let session = calendar.nextOpen(now);
    session.date <= date;
    session = calendar.nextOpen(session.close)
  ) {
    closes.push(session.close);
  }
  return closes;
}

/** Every session between is stepped through, as `npm start` does. */
async function start(strategyId: string, date: string, symbol?: string): Promise<WorkflowHandle> {
  await stack.market.stepThrough(await closesUpTo(date));
  return stack.startRun(strategyId, closeOf(date), symbol);
}

async function run(strategyId: string, date: string, symbol?: string): Promise<RunResult | null> {
  return stack.drive(await start(strategyId, date, symbol));
}

const progressOf = (handle: WorkflowHandle): Promise<RunProgress> => handle.query<RunProgress>('progress');

async function intentOf(runId: string): Promise<IntentRow> {
  const intent = await stack.market.stores.intents.byRun(runId);
  if (intent === null) throw new Error(`run ${runId} stored no intent`);
  return intent;
}

const lifecycleOf = (intent: IntentRow): WorkflowHandle =>
  stack.client.workflow.getHandle(orderWorkflowId('simulated', intent.clientOrderId));

const until = async (reached: () => Promise<boolean>): Promise<void> => {
  while (!(await reached())) await new Promise((resolve) => setTimeout(resolve, 20));
};

const waits = (runId: string): Promise<void> =>
  until(async () => (await stack.market.stores.runs.get(runId))?.status === 'waiting');

const ordersOf = (intent: Pick<IntentRow, 'clientOrderId'>) =>
  stack.ledger().filter(({ type, cOID }) => type === 'order' && cOID === intent.clientOrderId);

/** Cash by the simulator's ledger: what it opened with, and every execution and its commission since. */
const ledgerCash = (): string =>
  stack
    .ledger()
    .reduce((cash, line) => {
      if (line.type === 'account') return money(cash.plus(line.cash ?? '0'));
      if (line.type !== 'execution') return cash;
      const value = notional(price(line.price ?? '0'), quantity(line.quantity ?? '0'));
      const moved = line.side === 'BUY' ? cash.minus(value) : cash.plus(value);
      return money(moved.minus(line.commission ?? '0'));
    }, money('0'))
    .toFixed(2);

/** The account as the poller sees it after the last step of the market: no position, no living order, the ledger's cash. */
async function expectFlat(): Promise<void> {
  const { step } = await stack.market.now();
  const { brokerState, intents } = stack.market.stores;
  const latest = () => brokerState.latest('simulated', account);
  await until(async () => ((await latest())?.marketStep ?? -1) >= step);
  const snapshot = await latest();
  expect(snapshot?.positions).toEqual([]);
  const living = snapshot?.orders.filter(({ status }) =>
    ['PENDING', 'WORKING', 'PENDING_CANCEL'].includes(status),
  );
  expect(living).toEqual([]);
  expect(money(snapshot?.account.settledCash ?? '0').toFixed(2)).toBe(ledgerCash());
  await until(async () => (await intents.listOpen('simulated', account)).length === 0);
}

/** Steps session by session, as `npm start` does, until a protective leg fills by the simulator's ledger. */
async function stepUntilLegFills(intent: IntentRow, last: string): Promise<void> {
  const ids = intent.legs.map(({ brokerOrderId }) => Number(brokerOrderId));
  const filled = () =>
    stack.ledger().some(({ type, orderId }) => type === 'execution' && ids.includes(orderId ?? 0));
  for (const close of await closesUpTo(last)) {
    if (filled()) return;
    await stack.market.stepThrough([close]);
  }
}

beforeAll(async () => {
  temporal = await startTemporal();
  stack = await startStack(temporal);
  worker = await stack.startWorker();
});

afterAll(async () => {
  await stack.stop();
  await temporal.stop();
});

describe('a run that places no order', () => {
  it('fails as TOO_FEW_BARS while the symbol warms up, with the counts, and says so in its row', async () => {
    await stack.createStrategy('too-few');
    expect(await run('too-few', '2014-06-02')).toBeNull();
    const row = await stack.market.stores.runs.get('too-few-2014-06-02');
    expect(row).toMatchObject({
      status: 'failed',
      outcome: 'FAILED',
      code: 'TOO_FEW_BARS',
      waitingFor: null,
    });
    expect(row?.message).toMatch(/^AAPL has \d+ complete weekly bars and 60 are needed/);
  });

  it('fails as UNKNOWN_SYMBOL for a symbol that the broker does not know', async () => {
    await stack.createStrategy('unknown', { symbols: ['NOPE'] });
    expect(await run('unknown', '2014-06-02', 'NOPE')).toBeNull();
    const row = await stack.market.stores.runs.get('unknown-2014-06-02');
    expect(row).toMatchObject({ status: 'failed', outcome: 'FAILED', code: 'UNKNOWN_SYMBOL' });
    expect(row?.message).toContain('NOPE');
  });

  it('fails with the reason when it could not be opened, though it has no row', async () => {
    const handle = await start('nobody', '2014-06-02');
    await expect(handle.result()).rejects.toMatchObject({ cause: { type: 'STRATEGY_MISSING' } });
    expect(await stack.market.stores.runs.get('nobody-2014-06-02')).toBeNull();
  });

  it('ends as NOTHING_TO_SELL when it decides to sell and holds nothing', async () => {
    await stack.createStrategy('quick', quickSettings);
    const result = await run('quick', '2014-06-25');
    expect(result).toMatchObject({ status: 'ended', outcome: 'NOTHING_TO_SELL', order: null });
    expect((await stack.market.stores.evidence.decision('quick-2014-06-25'))?.decision.action).toBe('sell');
  });

  it('ends as CANCELLED when it is cancelled while it waits for the open, with no order anywhere', async () => {
    const handle = await start('quick', '2014-06-27');
    await waits('quick-2014-06-27');
    expect(await progressOf(handle)).toMatchObject({ status: 'waiting', decision: { action: 'buy' } });
    await handle.cancel();
    await expect(handle.result()).rejects.toThrow();
    const row = await stack.market.stores.runs.get('quick-2014-06-27');
    expect(row).toMatchObject({ status: 'cancelled', outcome: 'CANCELLED', waitingFor: null });
    expect(await stack.market.stores.intents.byRun('quick-2014-06-27')).toBeNull();
    expect((await handle.describe()).status.name).toBe('CANCELLED');
  });

  it('ends as CANCELLED when it is cancelled while its order is admitted: the intent is abandoned, nothing is sent', async () => {
    await worker.stop();
    const doomed = await stack.startWorker('report:admitOrder');
    const handle = await start('quick', '2014-06-30');
    const driven = stack.drive(handle);
    await doomed.ended;
    expect(await intentOf('quick-2014-06-30')).toMatchObject({ state: 'INTENT' });
    // As the API asks. Which workflow hears of it first is anyone's race; the order must not go out in either.
    await stack.market.stores.intents.askCancel('quick-2014-06-30', 'a test');
    await handle.cancel();
    worker = await stack.startWorker();
    expect(await driven).toMatchObject({ status: 'cancelled', outcome: 'CANCELLED' });
    const intent = await intentOf('quick-2014-06-30');
    expect(intent.state).toBe('ABANDONED');
    expect(ordersOf(intent)).toEqual([]);
  });

  it('fails as LIFECYCLE_LOST when a person terminates the lifecycle of its order', async () => {
    await worker.stop();
    const doomed = await stack.startWorker('start:admitOrder');
    const handle = await start('quick', '2014-07-01');
    const driven = stack.drive(handle);
    await doomed.ended;
    const history = await handle.fetchHistory();
    const child = history.events?.find((event) => event.childWorkflowExecutionStartedEventAttributes);
    const id = child?.childWorkflowExecutionStartedEventAttributes?.workflowExecution?.workflowId ?? '';
    await stack.client.workflow.getHandle(id).terminate('tried by a test');
    worker = await stack.startWorker();
    expect(await driven).toBeNull();
    const row = await stack.market.stores.runs.get('quick-2014-07-01');
    expect(row).toMatchObject({ status: 'failed', outcome: 'FAILED', code: 'LIFECYCLE_LOST' });
  });

  it('ends as HOLD, and shows it to its query and to the search', async () => {
    await stack.createStrategy('demo');
    const handle = await start('demo', '2014-07-03');
    expect(await stack.drive(handle)).toMatchObject({ status: 'ended', outcome: 'HOLD', code: 'HOLD' });
    const progress = await progressOf(handle);
    expect(progress).toMatchObject({ status: 'ended', outcome: 'HOLD', waitingFor: null, order: null });
    expect(progress.steps.map(({ name }) => name)).toContain('decide');
    expect(progress.steps.every(({ ms }) => ms !== null)).toBe(true);
    expect(stack.ledger().filter(({ type }) => type === 'order')).toEqual([]);
    const query = "KeelDecision = 'hold' and KeelStatus = 'HOLD'";
    await until(async () => (await stack.client.workflow.count(query)).count > 0);
  });
});

describe('a run that buys', () => {
  it('fills, and of two that want the same position the second is refused when it is admitted', async () => {
    await stack.createStrategy('rival');
    const first = await start('demo', '2014-07-07');
    const second = await stack.startRun('rival', closeOf('2014-07-07'));
    await Promise.all([waits('demo-2014-07-07'), waits('rival-2014-07-07')]);
    const results = await Promise.all([stack.drive(first), stack.drive(second)]);
    expect(results.map((result) => result?.outcome).sort()).toEqual(['FILLED', 'REFUSED']);
    const refused = results.find((result) => result?.outcome === 'REFUSED');
    expect(refused?.code).toBe('PYRAMIDING');
    const orders = stack.ledger().filter(({ type }) => type === 'order');
    expect(orders.map(({ parentId }) => parentId === null)).toEqual([true, false, false]);
    const described = await (results[0]?.outcome === 'FILLED' ? first : second).describe();
    const shown = described.typedSearchAttributes.getAll().map(({ key, value }) => [key.name, value]);
    expect(shown).toEqual(
      expect.arrayContaining([
        ['KeelDecision', 'buy'],
        ['KeelStatus', 'FILLED'],
      ]),
    );
  });

  it('is refused as PYRAMIDING while the position is held', async () => {
    const before = stack.ledger().filter(({ type }) => type === 'order').length;
    expect(await run('demo', '2014-07-08')).toMatchObject({ outcome: 'REFUSED', code: 'PYRAMIDING' });
    expect(stack.ledger().filter(({ type }) => type === 'order')).toHaveLength(before);
  });

  it('is followed beyond its run until the stop fills: position closed, lifecycle complete, cash to the cent', async () => {
    const [entry] = stack.ledger().filter(({ type, parentId }) => type === 'order' && parentId === null);
    const intent = await stack.market.stores.intents.get(entry?.cOID ?? '');
    if (intent === null) throw new Error('the bought order has no intent');
    expect(intent).toMatchObject({ state: 'FILLED', filledQuantity: intent.quantity });
    // A worker that goes politely hands the poller over; the next one goes on where it was.
    await worker.stop();
    worker = await stack.startWorker();
    await stepUntilLegFills(intent, '2014-07-18');
    expect(await lifecycleOf(intent).result()).toMatchObject({ status: 'FILLED', position: '0' });
    await expectFlat();
    const legs = (await stack.market.stores.intents.get(intent.clientOrderId))?.legs ?? [];
    expect(legs.map(({ role, status }) => [role, status])).toEqual([
      ['stop', 'FILLED'],
      ['target', 'CANCELLED'],
    ]);
    expect((await stack.market.now()).now.slice(0, 10)).toBe('2014-07-17');
  });
});

describe('a run that sells', () => {
  it('closes the position: the protective legs are cancelled first, and no order works at the end', async () => {
    expect(await run('demo', '2014-07-23')).toMatchObject({ outcome: 'FILLED' });
    const bought = await intentOf('demo-2014-07-23');
    const lifecycle = lifecycleOf(bought);
    expect(await run('quick', '2014-07-31')).toMatchObject({ outcome: 'FILLED', code: 'FILLED' });
    const sold = await intentOf('quick-2014-07-31');
    expect(sold).toMatchObject({ side: 'SELL', state: 'FILLED', quantity: bought.quantity, legs: [] });
    const lines = stack.ledger();
    const sell = lines.findIndex(({ type, cOID }) => type === 'order' && cOID === sold.clientOrderId);
    const legIds = bought.legs.map(({ brokerOrderId }) => Number(brokerOrderId));
    expect(legIds).toHaveLength(2);
    for (const id of legIds) {
      const gone = lines.findIndex(({ type, orderId }) => type === 'cancel' && orderId === id);
      expect(gone).toBeGreaterThan(-1);
      expect(gone).toBeLessThan(sell);
    }
    expect(await lifecycle.result()).toMatchObject({ status: 'FILLED' });
    expect(await lifecycleOf(sold).result()).toMatchObject({ status: 'FILLED', legs: [] });
    await expectFlat();
  });
});

describe('a slot that has had its run', () => {
  const identity = {
    mode: 'simulated',
    strategyId: 'demo',
    symbol: 'AAPL',
    session: '2014-07-23',
    slot: 'after-close',
  } as const;
  const input = { ...identity, runId: 'demo-2014-07-23' };
  const options = {
    taskQueue: taskQueue('simulated'),
    args: [input],
    workflowIdReusePolicy: 'REJECT_DUPLICATE',
  } as const;

  it('is refused by Temporal under its own workflow id', async () => {
    await expect(
      stack.client.workflow.start(workflowTypes.strategyRun, {
        ...options,
        workflowId: runWorkflowId(identity),
      }),
    ).rejects.toMatchObject({ name: 'WorkflowExecutionAlreadyStartedError' });
  });

  it.each([input.runId, 'another'])(
    'is refused by the database under another one, as run %s',
    async (runId) => {
      const before = await stack.market.stores.runs.get(input.runId);
      const handle = await stack.client.workflow.start(workflowTypes.strategyRun, {
        ...options,
        args: [{ ...input, runId }],
        workflowId: `${runWorkflowId(identity)}/again-${runId}`,
      });
      await expect(handle.result()).rejects.toMatchObject({ cause: { type: 'RUN_EXISTS' } });
      expect(await stack.market.stores.runs.get(input.runId)).toEqual(before);
      expect(await stack.market.stores.runs.get('another')).toBeNull();
    },
  );
});

describe('the histories of these runs', () => {
  it('have under 100 events and 128 KB each, and no payload over 64 KB', async () => {
    const rows: string[] = [];
    for await (const { workflowId, runId } of stack.client.workflow.list()) {
      const handle = stack.client.workflow.getHandle(workflowId, runId);
      const { type, historySize } = await handle.describe();
      const { events, largestPayloadBytes } = figuresOf(await handle.fetchHistory());
      rows.push(
        `${workflowId}: ${events} events, ${historySize ?? 0} bytes, payloads up to ${largestPayloadBytes}`,
      );
      expect(largestPayloadBytes).toBeLessThanOrEqual(64 * 1024);
      expect(historySize).toBeLessThan(128 * 1024);
      if (type !== workflowTypes.brokerState) expect(events).toBeLessThan(100);
    }
    expect(rows.length).toBeGreaterThan(15);
    process.stdout.write(`${rows.sort().join('\n')}\n`);
  });
});
