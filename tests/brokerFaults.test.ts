// 300 seeded submissions through the IBKR adapter for each fault of the simulator, judged by a program that knows nothing of
// Keel: no order twice, none lost, and each execution counted once, as it was corrected last. Clocks and limits run 1000 times as fast as the broker's.
import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createIbkrGateway } from '../adapters/ibkr/gateway.js';
import type { IbkrGateway } from '../adapters/ibkr/gateway.js';
import { processLocks } from '../adapters/ibkr/testing/connect.js';
import { createBrokerStateStore } from '../db/brokerState.js';
import { connect as connectDatabase } from '../db/connect.js';
import type { Database } from '../db/connect.js';
import type { BrokerStateStore } from '../ports/stores.js';
import { startSimulator } from '../simulator/server.js';
import type { Simulator } from '../simulator/server.js';
import { seeded } from '../simulator/faults.js';
import { startTestPostgres } from './support/postgres.js';
import type { TestPostgres } from './support/postgres.js';
import { ACCOUNT, AAPL, OPEN_PLUS_5, admin, optionsFor, step } from './support/simulator.js';
import { tempFolder } from './support/temp.js';

const SUBMISSIONS = 300;
const FACTOR = 1000;
const judgeFile = path.join(import.meta.dirname, '..', 'scripts', 'judge.mjs');
const run = promisify(execFile);
const clock = { now: () => Date.now() };

let postgres: TestPostgres;
let db: Database;
let brokerState: BrokerStateStore;
beforeAll(async () => {
  postgres = await startTestPostgres();
  const limits = { connectTimeoutMs: 5000, statementTimeoutMs: 20_000, lockTimeoutMs: 20_000 };
  db = connectDatabase({ url: postgres.url, poolSize: 2, ...limits });
  brokerState = createBrokerStateStore(db, 'simulated');
});
afterAll(async () => {
  await db.close();
  await postgres.stop();
});

async function query(sql: string, values: readonly unknown[] = []): Promise<void> {
  const client = new Client({ connectionString: postgres.url });
  await client.connect();
  try {
    // The rows of runs and strategies that intents hang on are not what is judged here.
    await client.query('set session_replication_role = replica');
    await client.query(sql, [...values]);
  } finally {
    await client.end();
  }
}

/** Stores intents in the states that the submissions came to. */
const store = (states: ReadonlyMap<string, string>): Promise<void> =>
  query(
    `insert into order_intent (client_order_id, mode, account_id, run_id, symbol, conid, side, quantity, reserved_cash,
       valid_until, state)
     select id, 'simulated', $3, 'run', 'AAPL', $4, 'BUY', 1, 0, now(), state from unnest($1::text[], $2::text[]) as t(id, state)`,
    [[...states.keys()], [...states.values()], ACCOUNT, String(AAPL)],
  );

/** Keeps what the broker lists as Keel does. */
async function mirror({ broker }: IbkrGateway): Promise<void> {
  const readStartedAt = new Date().toISOString();
  const [account, { executions }] = [
    await broker.account(ACCOUNT),
    await broker.executions(ACCOUNT),
  ] as const;
  const read = {
    mode: 'simulated',
    accountId: ACCOUNT,
    readStartedAt,
    marketTime: OPEN_PLUS_5,
    marketStep: 1,
  } as const;
  await brokerState.save({ ...read, account, positions: [], orders: [], executions });
}

async function judge(ledgerFile: string): Promise<{ code: number; verdict: Record<string, unknown> }> {
  const args = [judgeFile, '--ledger', ledgerFile, '--database', postgres.url];
  const { code, stdout } = await run(process.execPath, args).then(
    ({ stdout: text }) => ({ code: 0, stdout: text }),
    (error: unknown) => error as { code: number; stdout: string },
  );
  return { code, verdict: JSON.parse(stdout) as Record<string, unknown> };
}

const connect = ({ baseUrl, caFile, certSha256 }: Simulator): IbkrGateway =>
  createIbkrGateway({
    baseUrl,
    ca: readFileSync(caFile, 'utf8'),
    certSha256: [certSha256],
    timeoutMs: 20_000,
    accountId: ACCOUNT,
    login: ACCOUNT,
    locks: processLocks,
    mode: 'simulated',
    clock,
    pacingFactor: FACTOR,
    source: 'simulator',
    // The session is taken back from whoever has taken it, and the question of the simulator's own is allowed.
    compete: true,
    confirmMessageIds: ['o354'],
  });

/** What one submission comes to: sent once, and looked up by its id, never sent again. */
async function submit(ibkr: IbkrGateway, clientOrderId: string, isLimit: boolean): Promise<string> {
  const { broker } = ibkr;
  const contract = await broker.resolveContract('AAPL');
  await broker.waitForOrderSlot(clock.now() + 10_000);
  let sent = false;
  const request = { accountId: ACCOUNT, clientOrderId, contract, side: 'BUY', quantity: '1' } as const;
  const outcome = await broker
    .placeOrder(
      { ...request, limit: isLimit ? '90.00' : null, stop: null, target: null },
      () => (sent = true),
    )
    .catch((error: unknown) => {
      if (sent && !(error instanceof Error && 'code' in error && error.code === 'NOT_SENT_AWAY')) throw error;
      return null;
    });
  if (outcome === null) return 'NOT_SENT';
  if (outcome.kind === 'accepted') return 'ACKNOWLEDGED';
  if (outcome.kind === 'rejected') return 'REJECTED';
  if (outcome.kind === 'turned_away') return 'NOT_SENT';
  for (let look = 0; look < 20; look += 1) {
    const { orders } = await broker.orders(ACCOUNT).catch(() => ({ orders: [] }));
    if (orders.some((order) => order.clientOrderId === clientOrderId)) return 'ACKNOWLEDGED';
  }
  // After its validity: the broker never had it.
  return 'NOT_SENT';
}

describe('300 submissions under a fault end with no order twice and none lost', () => {
  test.each([
    ['accept-then-drop', {}],
    ['accept-then-500', {}],
    ['truncated-json', { on: 'place' }],
    ['html', { on: 'place' }],
    ['aborted-503', { on: 'place', ms: 1 }],
    ['no-bridge', { on: 'place' }],
    ['session-loss', { on: 'place' }],
    ['unknown-question', {}],
    ['invisible-order', { ms: 20 }],
    ['delay', { on: 'place', ms: 3 }],
    ['slow', { on: 'place', ms: 20 }],
    ['no-session', { on: 'place' }],
    ['prompt', {}],
    ['competing', { on: 'place' }],
    // Each is followed by the broker's own penalty, scaled.
    ['pacing-429', { on: 'place', share: 0.1 }],
    ['reply-503', {}],
    ['reply-503', { accepted: true }],
    ['duplicate-executions', {}],
    ['shuffled-executions', {}],
    ['correct-executions', {}],
  ] as const)('%s %j', async (kind, options) => {
    const folder = tempFolder('broker-faults');
    const cash = '1000000.00';
    const simulator = await startSimulator({ ...optionsFor(folder.path), cash, limitsFactor: FACTOR });
    const ibkr = connect(simulator);
    const seed = 1000 + kind.length;
    const random = seeded(seed);
    try {
      await query('truncate order_intent, execution, broker_snapshot');
      await step(simulator, OPEN_PLUS_5);
      await ibkr.broker.ensureSession();
      await admin(simulator, '/faults', { kind, times: null, share: 0.15, seed, ...options });
      if (kind === 'reply-503') await admin(simulator, '/faults', { kind: 'question', times: null });
      const states = new Map<string, string>();
      for (let n = 0; n < SUBMISSIONS; n += 1) {
        await ibkr.broker.ensureSession();
        states.set(`${kind}-${String(n)}`, await submit(ibkr, `${kind}-${String(n)}`, random() < 0.5));
        if (kind.endsWith('-executions')) await mirror(ibkr);
      }
      const { faults } = (await admin(simulator, '/faults')).body as { faults: { acted: number }[] };
      expect(faults[0]?.acted).toBeGreaterThan(20);
      await ibkr.broker.ensureSession();
      await mirror(ibkr);
      await store(states);
      const { code, verdict } = await judge(simulator.ledgerFile);
      const none = {
        duplicates: [],
        lost: [],
        unexpected: [],
        foreign: [],
        unsettled: [],
        miscounted: [],
        wrong: [],
      };
      expect(verdict).toMatchObject({ submitted: SUBMISSIONS, ...none });
      expect(code).toBe(0);
    } finally {
      ibkr.close();
      await simulator.close();
      folder.remove();
    }
  });
});

describe('the judge', () => {
  test('sees an order that is lost, unexpected, foreign, there twice, unsettled, booked or counted wrongly', async () => {
    const folder = tempFolder('judge');
    const at = OPEN_PLUS_5;
    const order = { type: 'order', at, account: 'A', conid: 1, symbol: 'X', side: 'BUY', quantity: '1' };
    const filled = { ...order, type: 'execution', cOID: null };
    const lines = [
      { type: 'account', at, account: 'A', cash: '100.00' },
      { ...order, orderId: 1, cOID: 'twice' },
      { ...order, orderId: 2, cOID: 'twice' },
      { ...order, orderId: 3, cOID: 'nobody' },
      { ...order, orderId: 4, cOID: 'refused' },
      { ...filled, orderId: 1, cOID: 'twice', executionId: 'missed', price: '0.10', commission: '0' },
      { ...filled, orderId: 4, executionId: 'e1', price: '99.50', commission: '1.00' },
      {
        ...filled,
        type: 'correction',
        executionId: 'e2',
        corrects: 'e1',
        price: '99.49',
        commission: '1.00',
      },
    ];
    const text = lines
      .map((line, index) => `${JSON.stringify({ seq: index + 1, left: 0, ...line })}\n`)
      .join('');
    const file = path.join(folder.path, 'ledger.jsonl');
    writeFileSync(file, `${text}{"seq":9,"le`);
    await query('truncate order_intent, execution');
    await query(
      `insert into execution (mode, account_id, execution_id, conid, symbol, side, quantity, price, commission, executed_at)
       select 'simulated', 'A', id, '1', 'X', 'BUY', quantity, price, 0, now()
       from (values ('e1', 1, 99.50), ('made-up', 1, 1.00)) as t (id, quantity, price)`,
    );
    await store(
      new Map([
        ['twice', 'FILLED'],
        ['gone', 'ACKNOWLEDGED'],
        ['refused', 'REJECTED'],
        ['open', 'UNKNOWN'],
      ]),
    );
    expect(await judge(file)).toEqual({
      code: 1,
      verdict: {
        submitted: 4,
        orders: 3,
        duplicates: ['twice'],
        lost: ['gone'],
        unexpected: ['refused'],
        foreign: ['nobody'],
        unsettled: ['open'],
        miscounted: ['missed', 'e1', 'made-up'],
        wrong: ['A has no cash left after e1'],
      },
    });
    folder.remove();
  });
});
