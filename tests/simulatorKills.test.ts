// The simulator's process killed at seeded moments of mixed trading, also in the middle of a write: each start stands where the
// whole writes of the ledger end, by an arithmetic of its own, and every order that was answered for is there whole.
import { appendFileSync, readFileSync } from 'node:fs';
import { afterAll, expect, test } from 'vitest';
import { z } from 'zod';
import { summed } from '../simulator/ledgerSum.js';
import {
  AAPL,
  ACCOUNT,
  OPEN_PLUS_5,
  admin,
  get,
  order,
  ordersOf,
  place,
  prime,
  request,
  step,
} from './support/simulator.js';
import { launchReady } from './support/simulatorProcess.js';
import type { ReadyFacts } from './support/simulatorProcess.js';
import { tempFolder } from './support/temp.js';

const ROUNDS = 8;
const SEED = 20261127;
const KEY = 'test-api-key-123';
const folder = tempFolder('simulator-kills');
afterAll(folder.remove);

/** Numbers in [0, 1) by a seed: a linear congruential generator. */
function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 4_294_967_296;
  };
}

const lineSchema = z.looseObject({
  ...{ seq: z.number(), type: z.string(), left: z.number(), sum: z.string() },
  ...{ account: z.string().optional(), cash: z.string().optional(), orderId: z.number().optional() },
  ...{ side: z.string().optional(), quantity: z.string().optional(), price: z.string().nullish() },
  ...{ commission: z.string().optional(), cOID: z.string().nullish(), parentId: z.number().nullish() },
});
type Line = z.infer<typeof lineSchema>;

/** Lines of whole writes. */
function wholeLines(file: string): Line[] {
  const texts = readFileSync(file, 'utf8').split('\n').slice(0, -1);
  const lines = texts.map((text) => lineSchema.parse(JSON.parse(text)));
  return lines.slice(0, lines.findLastIndex(({ left }) => left === 0) + 1);
}

/** Ten-thousandths, exact. */
function exact(text: string | null | undefined): bigint {
  const [whole = '0', part = ''] = (text ?? '0').split('.');
  return BigInt(whole) * 10_000n + BigInt(part.padEnd(4, '0').slice(0, 4));
}

/** Cash in cents and shares in ten-thousandths of each account, from the executions alone. */
function fold(lines: readonly Line[]): Map<string, { cents: bigint; shares: bigint }> {
  const accounts = new Map<string, { cents: bigint; shares: bigint }>();
  for (const line of lines) {
    const { account = '', type, side } = line;
    if (type === 'account') accounts.set(account, { cents: exact(line.cash) / 100n, shares: 0n });
    const own = accounts.get(account);
    if (type !== 'execution' || own === undefined) continue;
    const units = exact(line.quantity);
    // A buyer's fraction of a cent rounds up, a seller's down.
    const value = exact(line.price) * units;
    const cents = side === 'BUY' ? (value + 999_999n) / 1_000_000n : value / 1_000_000n;
    own.cents += (side === 'BUY' ? -cents : cents) - exact(line.commission) / 100n;
    own.shares += side === 'BUY' ? units : -units;
    expect(own.cents >= 0n && own.shares >= 0n).toBe(true);
  }
  return accounts;
}

const api = async (facts: ReadyFacts, where: string, body?: object): Promise<unknown> => {
  const response = await fetch(`${facts.apiUrl}/api/v1${where}`, {
    method: body === undefined ? 'GET' : 'POST',
    headers: { authorization: `Bearer ${KEY}` },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return response.json();
};

/** Trades in every way until the process is gone; tells which orders were answered for, a bracket as three. */
async function trade(
  facts: ReadyFacts,
  round: number,
  answered: Map<string, number>,
  onAnswer: () => void,
): Promise<void> {
  const random = seeded(SEED + round);
  const customer = async (name: string) => {
    for (let number = 0; ; number += 1) {
      const cOID = `${name}-${round}-${number}`;
      const kind = random();
      const child = { parentId: cOID, side: 'SELL', tif: 'GTC', quantity: 2 };
      const rows =
        kind < 0.4
          ? [
              order({ cOID, quantity: 2 }),
              order({ ...child, orderType: 'STP', price: 1 }),
              order({ ...child, orderType: 'LMT', price: 200 }),
            ]
          : kind < 0.7
            ? [order({ cOID, quantity: 1, orderType: 'LMT', price: 2, tif: 'GTC' })]
            : [order({ cOID, quantity: 1, tif: 'IOC' })];
      const { body } = await place(facts, { orders: rows });
      if (Array.isArray(body)) {
        answered.set(cOID, rows.length);
        onAnswer();
      }
      const [first] = Array.isArray(body) ? (body as { order_id: string }[]) : [];
      if (kind < 0.7 && random() < 0.3 && first !== undefined)
        await request(facts, 'DELETE', `/iserver/account/${ACCOUNT}/order/${first.order_id}`);
    }
  };
  const trader = async () => {
    for (;;) {
      await api(facts, '/trade', { ticker: 'AAPL', action: 'buy', quantity: '0.3333', price: 200 });
      await api(facts, '/trade', { ticker: 'AAPL', action: 'sell', quantity: '0.1111', price: 1 });
    }
  };
  await Promise.allSettled([customer('one'), customer('two'), trader()]);
}

/** What the process shows of both accounts, in the fold's words. */
async function shown(facts: ReadyFacts): Promise<unknown> {
  await get(facts, `/portfolio/${ACCOUNT}/positions/0`);
  const ledger = z
    .object({ USD: z.object({ cashbalance: z.number() }) })
    .parse(await get(facts, `/portfolio/${ACCOUNT}/ledger`));
  const held = z
    .array(z.object({ conid: z.literal(AAPL), position: z.number() }))
    .parse(await get(facts, `/portfolio/${ACCOUNT}/positions/0`));
  const own = z
    .object({ cash: z.number(), holdings: z.array(z.object({ quantity: z.number() })) })
    .parse(await api(facts, '/portfolio'));
  return [
    [Math.round(ledger.USD.cashbalance * 100), held[0]?.position ?? 0],
    [Math.round(own.cash * 100), own.holdings[0]?.quantity ?? 0],
  ];
}

/** Leaves the beginning of one more write behind the whole ones, cut anywhere. @returns how many bytes */
function tear({ ledgerFile }: ReadyFacts, { seq, sum: before }: Line, share: number): number {
  let sum = before;
  const lines = [1, 0].map((left, index) => {
    const line = { seq: seq + 1 + index, type: 'tick', at: OPEN_PLUS_5, wall: OPEN_PLUS_5, left };
    const written = summed(JSON.stringify(line), sum);
    ({ sum } = written);
    return `${written.line}\n`;
  });
  const torn = lines.join('').slice(0, -1);
  const bytes = 1 + Math.floor(share * (torn.length - 1));
  appendFileSync(ledgerFile, torn.slice(0, bytes));
  return bytes;
}

test('each start after a kill stands where the whole writes of the ledger end', async () => {
  const random = seeded(SEED);
  const answered = new Map<string, number>();
  let running = await launchReady(folder.path);
  await step(running.facts, OPEN_PLUS_5);
  for (let round = 0; round < ROUNDS; round += 1) {
    await prime(running.facts);
    // Its user begins with the first use.
    await api(running.facts, '/balance');
    // Three of them trade at once: when one is answered for the last time, the others are anywhere.
    const { child } = running;
    const most = answered.size + 2 + Math.floor(random() * 30);
    const extraMs = random() * 10;
    const trading = trade(running.facts, round, answered, () => {
      if (answered.size === most) setTimeout(() => child.kill('SIGKILL'), extraMs);
    });
    await Promise.all([running.exit, trading]);

    const { ledgerFile } = running.facts;
    const before = readFileSync(ledgerFile);
    const lines = wholeLines(ledgerFile);
    const accounts = fold(lines);
    // A kill tears a write in two too seldom to be waited for.
    const last = lines.at(-1);
    const isTorn = before.at(-1) !== 10 || last?.left !== 0;
    const cutBytes = isTorn ? null : tear(running.facts, last, random());

    running = await launchReady(folder.path);
    const { facts } = running;
    if (cutBytes !== null) {
      expect(facts.ledgerCutBytes).toBe(cutBytes);
      expect(readFileSync(ledgerFile)).toEqual(before);
    }
    await prime(facts);
    expect(await shown(facts)).toEqual(
      [...accounts.values()].map(({ cents, shares }) => [Number(cents), Number(shares) / 10_000]),
    );
    // Whole brackets, each order once, none lost that was answered for.
    const orders = lines.filter(({ type }) => type === 'order');
    const executions = lines.filter(({ type }) => type === 'execution');
    expect((await admin(facts, '/health')).body).toMatchObject({
      orders: orders.length,
      executions: executions.length,
    });
    for (const [cOID, legs] of answered) {
      const parents = orders.filter((line) => line.cOID === cOID);
      const children = orders.filter(({ parentId }) => parentId != null && parentId === parents[0]?.orderId);
      expect([cOID, parents.length, children.length]).toEqual([cOID, 1, legs - 1]);
    }
    const listed = (await ordersOf(facts)).map((row) => row['order_ref']);
    expect([...answered.keys()].filter((cOID) => !listed.includes(cOID))).toEqual([]);
  }
  running.child.kill('SIGTERM');
  expect((await running.exit).code).toBe(0);
  expect(answered.size).toBeGreaterThan(ROUNDS);
});
