// The tables of the simulator's own API in a real PostgreSQL: what they are, that they say what both fronts say, and that
// neither a kill nor a database that comes and goes loses or doubles a row.
import { copyFileSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { Client } from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { simulatorCommand } from '../cli/commands/simulator.js';
import { KeelError } from '../ports/errors.js';
import { markOf } from '../simulator/ledgerMark.js';
import { startSimulator } from '../simulator/server.js';
import type { Simulator } from '../simulator/server.js';
import { startTestPostgres } from './support/postgres.js';
import type { TestPostgres } from './support/postgres.js';
import {
  ACCOUNT,
  OPEN_PLUS_5,
  admin,
  get,
  optionsFor,
  order,
  place,
  prime,
  step,
} from './support/simulator.js';
import { launchReady } from './support/simulatorProcess.js';
import { startTcpProxy } from './support/tcpProxy.js';
import { tempFolder } from './support/temp.js';
import { until } from './support/until.js';

let server: TestPostgres;
let db: Client;
let directory = '';
const folders: { remove: () => void }[] = [];

beforeAll(async () => {
  server = await startTestPostgres();
  db = new Client({ connectionString: server.url });
  await db.connect();
});
afterAll(async () => {
  await db.end();
  await server.stop();
  for (const folder of folders) folder.remove();
});
beforeEach(async () => {
  await db.query('drop schema if exists ibkr_simulator cascade');
  const folder = tempFolder('simulator-tables');
  folders.push(folder);
  directory = folder.path;
});

const rows = async (sql: string): Promise<Record<string, unknown>[]> =>
  (await db.query<Record<string, unknown>>(sql)).rows;

const told: string[] = [];
const start = (change: Partial<Parameters<typeof startSimulator>[0]> = {}): Promise<Simulator> =>
  startSimulator({
    ...optionsFor(directory),
    databaseUrl: server.url,
    onError: (error) => {
      told.push(`${error instanceof KeelError ? error.code : ''} ${String(error)}`);
    },
    ...change,
  });

interface Facts {
  readonly adminUrl: string;
  readonly apiUrl: string;
  readonly baseUrl: string;
  readonly caFile: string;
}
const health = async (simulator: Facts) =>
  ((await admin(simulator, '/health')).body as { tables: { state: string; reason: string | null } }).tables;
const current = (simulator: Facts): Promise<true> =>
  until(async () => ((await health(simulator)).state === 'current' ? true : null));

async function own(simulator: Facts, key: string, where: string, body?: object): Promise<unknown> {
  const response = await fetch(`${simulator.apiUrl}/api/v1${where}`, {
    method: body === undefined ? 'GET' : 'POST',
    headers: { authorization: `Bearer ${key}` },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return response.json();
}
const user = async (simulator: Facts, wish: object): Promise<string> =>
  ((await admin(simulator, '/users', wish)).body as { apiKey: string }).apiKey;

const SAMPLE = 'test-api-key-123';

/** What a user sees through the API, in the words of the tables. */
async function seen(simulator: Facts, key: string) {
  const { email, cash, holdings } = (await own(simulator, key, '/portfolio')) as {
    email: string;
    cash: number;
    holdings: { ticker: string; quantity: number }[];
  };
  const stocks = holdings.map(({ ticker, quantity }) => `${ticker} ${quantity.toFixed(4)}`).sort();
  return { email, cash: cash.toFixed(2), stocks };
}
async function stored(email: string) {
  const [row] = await rows(`
    select cash, coalesce(array_agg(ticker || ' ' || quantity order by ticker) filter (where ticker is not null), '{}') stocks
    from ibkr_simulator.ibkr_users u join ibkr_simulator.ibkr_balances b on b.user_id = u.id
      left join ibkr_simulator.ibkr_stock_balances s on s.user_id = u.id
    where email = '${email}' group by cash`);
  return { email, cash: row?.['cash'], stocks: row?.['stocks'] };
}

/** The ledger alone, read anew: which trades each user has to have, as they were corrected last. */
function tradesOfLedger(file: string): string[] {
  const lines = readFileSync(file, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, string>);
  const users = lines.filter(({ type }) => type === 'user');
  const corrected = new Map(lines.map((line) => [line['corrects'], line['price']]));
  return lines
    .filter(({ type }) => type === 'execution')
    .flatMap(({ account, executionId, symbol, side, quantity, price }) =>
      users
        .filter((one) => one['account'] === account)
        .map(
          ({ email }) =>
            `${email ?? ''} ${executionId ?? ''} ${symbol ?? ''} ${(side ?? '').toLowerCase()} ${Number(quantity).toFixed(4)} ${Number(corrected.get(executionId) ?? price).toFixed(2)}`,
        ),
    )
    .sort();
}
const tradesStored = async (): Promise<unknown[]> =>
  (
    await rows(`
      select email || ' ' || trade_id || ' ' || ticker || ' ' || action || ' ' || quantity || ' ' || price as trade
      from ibkr_simulator.ibkr_trades t join ibkr_simulator.ibkr_users u on u.id = t.user_id`)
  )
    .map(({ trade }) => String(trade))
    .sort();

/** Cash of a user from his trades alone: every cent has a trade. */
const cashOfTrades = async (email: string, opening: string): Promise<unknown> =>
  (
    await rows(`
      select (${opening} + coalesce(sum(case action when 'buy' then -amount else amount end - commission), 0))::numeric(15,2) as cash
      from ibkr_simulator.ibkr_trades t join ibkr_simulator.ibkr_users u on u.id = t.user_id where email = '${email}'`)
  )[0]?.['cash'];

describe('what they are', () => {
  test('money has cents, quantities ten-thousandths, a user one row a ticker, and no key is in them', async () => {
    const simulator = await start();
    try {
      await current(simulator);
      const columns = await rows(`
        select c.relname || '.' || a.attname as name, format_type(a.atttypid, a.atttypmod) as type
        from pg_attribute a join pg_class c on c.oid = a.attrelid
        where c.relnamespace = 'ibkr_simulator'::regnamespace and c.relkind = 'r' and a.attnum > 0
          and format_type(a.atttypid, a.atttypmod) like 'numeric%' order by 1`);
      expect(columns).toEqual(
        [
          ['ibkr_balances.cash', 'numeric(15,2)'],
          ['ibkr_stock_balances.average_price', 'numeric(15,2)'],
          ['ibkr_stock_balances.quantity', 'numeric(15,4)'],
          ['ibkr_stock_balances.total_cost', 'numeric(15,2)'],
          ['ibkr_trades.amount', 'numeric(15,2)'],
          ['ibkr_trades.commission', 'numeric(15,2)'],
          ['ibkr_trades.price', 'numeric(15,2)'],
          ['ibkr_trades.quantity', 'numeric(15,4)'],
        ].map(([name, type]) => ({ name, type })),
      );
      expect(
        await rows(
          `select count(*)::int as count from pg_stat_activity where application_name = 'keel-simulator' and datname = current_database()`,
        ),
      ).toEqual([{ count: 2 }]);
      const unique = await rows(
        `select pg_get_constraintdef(oid) as text from pg_constraint where conrelid = 'ibkr_simulator.ibkr_stock_balances'::regclass and contype = 'u'`,
      );
      expect(unique).toEqual([{ text: 'UNIQUE (user_id, ticker)' }]);
      const users = await rows('select * from ibkr_simulator.ibkr_users');
      expect(users).toMatchObject([{ email: 'test@example.com' }]);
      expect(JSON.stringify(users)).not.toContain(SAMPLE);
      expect(await stored('test@example.com')).toEqual({
        email: 'test@example.com',
        cash: '10000.00',
        stocks: [],
      });
    } finally {
      await simulator.close();
    }
  });

  test('keel simulator migrate takes them up and down in their own schema, and tells of it', async () => {
    const keel = async (...args: string[]) => {
      const [out, err]: [string[], string[]] = [[], []];
      const env = { KEEL_ENV: 'testing', KEEL_SIMULATOR_DATABASE_URL: server.url };
      const say = (line: string): number => err.push(line);
      const code = await simulatorCommand(['migrate', ...args], (line) => out.push(line), env, say);
      return { code, out, err };
    };
    expect((await keel('status')).out.at(-1)).toBe('pending  0001_accounts');
    expect(await keel('up')).toMatchObject({ code: 0, out: ['applied     0001_accounts'] });
    expect((await keel('down')).out).toEqual(['taken back  0001_accounts']);
    expect((await keel('history', '--json')).out.join('')).toContain('"direction": "down"');
    const left = await rows(
      `select relname from pg_class where relnamespace = 'ibkr_simulator'::regnamespace and relkind = 'r'`,
    );
    expect(left).toEqual([{ relname: 'keel_migration' }]);
    expect(
      await rows(`select count(*)::int as count from public.keel_migration where name like '%accounts'`),
    ).toEqual([{ count: 0 }]);
    const env = {
      KEEL_ENV: 'testing',
      KEEL_SIMULATOR_DATABASE_URL: 'postgres://keel:very-secret@127.0.0.1:1/keel',
    };
    const err: string[] = [];
    expect(
      await simulatorCommand(
        ['migrate', 'status'],
        () => undefined,
        env,
        (line) => err.push(line),
      ),
    ).toBe(1);
    expect(err.join('')).toMatch(/^DATABASE_AWAY: .*KEEL_SIMULATOR_DATABASE_URL/);
    expect(err.join('')).not.toContain('secret');
    await expect(
      simulatorCommand(['migrate', 'status'], () => undefined, { KEEL_ENV: 'testing' }),
    ).rejects.toThrow('set KEEL_SIMULATOR_DATABASE_URL');
  });
});

describe('one account through both fronts and the tables', () => {
  test('has the same cash, holdings and trades to the cent; a user who joins has the trades of before', async () => {
    const simulator = await start();
    try {
      await step(simulator, OPEN_PLUS_5);
      await prime(simulator);
      expect((await place(simulator, { orders: [order({ cOID: 'before', quantity: 7 })] })).status).toBe(200);
      const ann = await user(simulator, { email: 'ann@example.com', account: ACCOUNT });
      // What is corrected before a user joins, and after.
      await admin(simulator, '/faults', { kind: 'correct-executions', times: null });
      for (let read = 0; read < 2; read += 1) await get(simulator, '/iserver/account/trades?days=7');
      const bob = await user(simulator, { email: 'bob@example.com', account: ACCOUNT });
      await own(simulator, ann, '/trade', { ticker: 'AAPL', action: 'buy', quantity: '0.3333', price: 95 });
      await own(simulator, bob, '/trade', { ticker: 'SPX', action: 'buy', quantity: 2, price: 9999 });
      await own(simulator, bob, '/trade', { ticker: 'SPX', action: 'sell', quantity: 2, price: 1 });
      await get(simulator, '/iserver/account/trades?days=7');
      expect(readFileSync(simulator.ledgerFile, 'utf8').match(/"type":"correction"/g)).toHaveLength(4);
      await current(simulator);
      const ledger = (await get(simulator, `/portfolio/${ACCOUNT}/ledger`)) as {
        USD: { cashbalance: number };
      };
      for (const [email, key] of [
        ['ann@example.com', ann],
        ['bob@example.com', bob],
      ] as const) {
        expect(await stored(email)).toEqual(await seen(simulator, key));
        expect((await stored(email)).stocks).toEqual(['AAPL 7.3333']);
        expect((await stored(email)).cash).toBe(ledger.USD.cashbalance.toFixed(2));
        expect(await cashOfTrades(email, '100000')).toBe((await stored(email)).cash);
      }
      expect(await tradesStored()).toEqual(tradesOfLedger(simulator.ledgerFile));
      expect(await tradesStored()).toHaveLength(8);
    } finally {
      await simulator.close();
    }
  });

  test('through random trades, splits, restarts and lost connections', async () => {
    const trade = fc.record({
      kind: fc.constant('trade' as const),
      who: fc.nat(2),
      ticker: fc.constantFrom('AAPL', 'SYNSPLIT', 'SYNCOIN'),
      action: fc.constantFrom('buy', 'sell'),
      units: fc.integer({ min: 1, max: 99_999 }),
    });
    const others = fc.record({ kind: fc.constantFrom('step', 'restart', 'cut', 'order') });
    const plan = fc.array(fc.oneof({ weight: 5, arbitrary: trade }, { weight: 2, arbitrary: others }), {
      minLength: 30,
      maxLength: 60,
    });
    await fc.assert(
      fc.asyncProperty(plan, async (acts) => {
        await db.query('drop schema if exists ibkr_simulator cascade');
        const folder = tempFolder('simulator-tables');
        directory = folder.path;
        let simulator = await start();
        try {
          // Days around the split of SYNSPLIT.
          let day = Date.parse('2014-06-02T14:00:00.000Z');
          await step(simulator, new Date(day).toISOString());
          const keys = [
            SAMPLE,
            await user(simulator, { email: 'ann@example.com' }),
            await user(simulator, { email: 'bob@example.com', account: ACCOUNT }),
          ];
          for (const [index, act] of acts.entries()) {
            if (act.kind === 'trade') {
              const { ticker, action, units } = act;
              const price = action === 'buy' ? 99_999 : 0.01;
              const quantity = (units / 10_000).toFixed(4);
              await own(simulator, keys[act.who] ?? '', '/trade', { ticker, action, quantity, price });
            } else if (act.kind === 'step') {
              day += 86_400_000;
              await step(simulator, new Date(day).toISOString());
            } else if (act.kind === 'order') {
              await prime(simulator);
              await place(simulator, { orders: [order({ cOID: `o${index}`, quantity: 1 })] });
            } else if (act.kind === 'cut') {
              await db.query(
                `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'keel-simulator' and datname = current_database()`,
              );
            } else {
              await simulator.close();
              simulator = await start();
            }
          }
          await current(simulator);
          expect(await tradesStored()).toEqual(tradesOfLedger(simulator.ledgerFile));
          for (const key of keys) {
            const now = await seen(simulator, key);
            expect(await stored(now.email)).toEqual(now);
          }
        } finally {
          await simulator.close();
          folder.remove();
        }
      }),
      { numRuns: 4, seed: 20_140_609 },
    );
  });
});

describe('a kill at any moment', () => {
  test('loses and doubles nothing: the tables catch up with the ledger', async () => {
    const launch = () =>
      launchReady(path.join(directory, 'state'), {
        KEEL_ENV: 'testing',
        KEEL_SIMULATOR_DATABASE_URL: server.url,
      });
    for (const afterTrades of [1, 7, 40, 111]) {
      const { facts, end } = await launch();
      if (afterTrades === 1) await step(facts, OPEN_PLUS_5);
      let done = 0;
      const trader = async (): Promise<void> => {
        for (;;) {
          const action = done % 2 === 0 ? 'buy' : 'sell';
          const wish = { ticker: 'AAPL', action, quantity: '0.0101', price: action === 'buy' ? 95 : 94 };
          await own(facts, SAMPLE, '/trade', wish);
          done += 1;
        }
      };
      const traders = [trader(), trader(), trader()].map((one) => one.catch(() => undefined));
      await until(() => Promise.resolve(done >= afterTrades ? true : null));
      await end('SIGKILL');
      await Promise.all(traders);
    }
    const { facts, end } = await launch();
    try {
      await current(facts);
      expect((await tradesStored()).length).toBeGreaterThan(100);
      expect(await tradesStored()).toEqual(tradesOfLedger(facts.ledgerFile));
      expect(await stored('test@example.com')).toEqual(await seen(facts, SAMPLE));
      expect(await cashOfTrades('test@example.com', '10000')).toBe((await stored('test@example.com')).cash);
    } finally {
      await end('SIGTERM');
    }
  });
});

describe('a database that is away', () => {
  test('at the start and in between holds up no trade, is said once without the password, and is caught up with', async () => {
    const { hostname, port } = new URL(server.url);
    const door = await startTcpProxy({ host: hostname, port: Number(port) });
    const url = new URL(server.url);
    url.port = String(door.port);
    await door.shut();
    told.length = 0;
    const simulator = await start({ databaseUrl: url.href });
    try {
      const buy = { ticker: 'AAPL', action: 'buy', quantity: 1, price: 95 };
      await step(simulator, OPEN_PLUS_5);
      expect(await own(simulator, SAMPLE, '/trade', buy)).toMatchObject({ cash: 9905.86 });
      expect(await health(simulator)).toMatchObject({
        state: 'behind',
        reason: expect.stringContaining('Trading goes on') as string,
      });
      expect(told).toHaveLength(1);
      expect(told[0]).toContain('TABLES_BEHIND');
      expect(told.join('')).not.toContain(url.password);
      await door.open();
      await current(simulator);
      expect(await health(simulator)).toEqual({ state: 'current', reason: null });
      expect(await stored('test@example.com')).toMatchObject({ cash: '9905.86', stocks: ['AAPL 1.0000'] });
      await door.shut();
      expect(await own(simulator, SAMPLE, '/trade', buy)).toMatchObject({ cash: 9811.72 });
      await until(async () => (await health(simulator)).reason);
      expect(await own(simulator, SAMPLE, '/trade', buy)).toMatchObject({ cash: 9717.58 });
      await door.open();
      await current(simulator);
      expect(await stored('test@example.com')).toMatchObject({ cash: '9717.58', stocks: ['AAPL 3.0000'] });
      expect(await tradesStored()).toEqual(tradesOfLedger(simulator.ledgerFile));
      expect(told).toHaveLength(2);
    } finally {
      await simulator.close();
      await door.shut();
    }
  });
});

describe('a database that refuses', () => {
  test('stops the start, and the words name the setting of the simulator', async () => {
    const url = new URL(server.url);
    url.pathname = '/there_is_none';
    await expect(start({ databaseUrl: url.href })).rejects.toMatchObject({
      code: 'DATABASE_REFUSED',
      message: expect.stringMatching(/KEEL_SIMULATOR_DATABASE_URL/) as string,
    });
  });
});

describe('tables of another ledger', () => {
  test('are refused at the start, as are those of a later state of this one; taken back, they are made anew', async () => {
    const first = await start();
    await step(first, OPEN_PLUS_5);
    await first.close();
    const copy = path.join(directory, '..', `${path.basename(directory)}-copy.jsonl`);
    copyFileSync(first.ledgerFile, copy);
    const again = await start();
    await own(again, SAMPLE, '/trade', { ticker: 'AAPL', action: 'buy', quantity: 1, price: 95 });
    await again.close();
    const mine = directory;
    directory = path.join(mine, 'other');
    const before = told.length;
    await expect(start()).rejects.toMatchObject({ code: 'TABLES_OTHER_LEDGER' });
    directory = mine;
    copyFileSync(copy, first.ledgerFile);
    // The mark beside the ledger knows it first; the tables do without it.
    await expect(start()).rejects.toMatchObject({ code: 'LEDGER_CUT' });
    rmSync(markOf(first.ledgerFile));
    await expect(start()).rejects.toMatchObject({ code: 'TABLES_OTHER_LEDGER' });
    // Nobody is told that trading goes on.
    expect(told.slice(before)).toEqual([]);
    const env = { KEEL_ENV: 'testing', KEEL_SIMULATOR_DATABASE_URL: server.url };
    expect(await simulatorCommand(['migrate', 'down'], () => undefined, env)).toBe(0);
    const anew = await start();
    try {
      await current(anew);
      expect(await stored('test@example.com')).toMatchObject({ cash: '10000.00', stocks: [] });
      expect(await tradesStored()).toEqual([]);
    } finally {
      await anew.close();
    }
  });
});
