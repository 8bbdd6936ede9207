// One step of the tables: in one transaction all that the ledger has told since the last one, and how far that is. A kill at
// any moment leaves both or neither. Called by tables.ts.
import { statSync } from 'node:fs';
import type { PoolClient } from 'pg';
import { KeelError } from '../../ports/errors.js';
import { linesOf, marksOf } from './ledgerFile.js';
import { correctionRow, toldBy, tradeRow, userRow } from './rows.js';
import type { Standing } from './rows.js';

/** What the tables hold: lines and bytes of the ledger. */
interface Place {
  readonly lines: number;
  readonly bytes: number;
}

const insertUsers = `
  insert into ibkr_users (id, email, account, api_key_sha256, key_expires_at, created_at)
  select * from jsonb_to_recordset($1) as told (id bigint, email text, account text, api_key_sha256 text,
    key_expires_at timestamptz, created_at timestamptz)`;
/** Every user of an account has all of its trades. */
const insertTrades = `
  insert into ibkr_trades
    (user_id, trade_id, order_id, ticker, action, quantity, price, amount, commission, traded_at, recorded_at)
  select u.id, trade_id, order_id, ticker, action, quantity, price, amount, commission, traded_at, recorded_at
  from rows from (jsonb_to_recordset($1) as (account text, trade_id text, order_id bigint, ticker text, action text,
    quantity numeric, price numeric, amount numeric, commission numeric, traded_at timestamptz,
    recorded_at timestamptz)) with ordinality as told
    join ibkr_users u on u.account = told.account
  order by told.ordinality, u.id
  on conflict (user_id, trade_id) do nothing`;
const correctTrades = `
  update ibkr_trades trade set price = told.price, amount = told.amount
  from jsonb_to_recordset($1) as told (account text, trade_id text, price numeric, amount numeric)
    join ibkr_users u on u.account = told.account
  where trade.user_id = u.id and trade.trade_id = told.trade_id`;
const setBalances = `
  insert into ibkr_balances (user_id, cash, as_of)
  select u.id, told.cash, told.as_of
  from jsonb_to_recordset($1) as told (account text, cash numeric, as_of timestamptz)
    join ibkr_users u on u.account = told.account
  on conflict (user_id) do update set cash = excluded.cash, as_of = excluded.as_of`;
const dropSold = `
  delete from ibkr_stock_balances held using ibkr_users u
  where u.id = held.user_id and u.account = any ($2) and not exists (
    select from jsonb_to_recordset($1) as told (account text, ticker text)
    where told.account = u.account and told.ticker = held.ticker)`;
const setStocks = `
  insert into ibkr_stock_balances (user_id, ticker, quantity, total_cost, as_of)
  select u.id, told.ticker, told.quantity, told.total_cost, told.as_of
  from jsonb_to_recordset($1)
    as told (account text, ticker text, quantity numeric, total_cost numeric, as_of timestamptz)
    join ibkr_users u on u.account = told.account
  on conflict (user_id, ticker) do update
    set quantity = excluded.quantity, total_cost = excluded.total_cost, as_of = excluded.as_of`;
const setPlace = `
  insert into ibkr_ledger (first_sha256, last_sha256, lines, bytes) values ($1, $2, $3, $4)
  on conflict (only_row) do update
    set last_sha256 = excluded.last_sha256, lines = excluded.lines, bytes = excluded.bytes, written_at = now()`;

/**
 * Brings the tables to the end of the ledger.
 * @param standing the accounts that are out of date, as they stand at the ledger's end; asked at that one moment
 * @throws KeelError TABLES_OTHER_LEDGER (final) when the tables hold another ledger; else what PostgreSQL throws
 */
export async function writeOnce(client: PoolClient, file: string, standing: () => Standing): Promise<void> {
  await client.query('begin');
  try {
    const place = await placeOf(client, file);
    // No command of the exchange can come between these two: they are of the same moment.
    const end = statSync(file).size;
    const { accounts, balances, stocks } = standing();
    const lines = place.lines + (await writeLines(client, file, place.bytes, end));
    await client.query(setBalances, [JSON.stringify(balances)]);
    await client.query(dropSold, [JSON.stringify(stocks), accounts]);
    await client.query(setStocks, [JSON.stringify(stocks)]);
    const { first, last } = await marksOf(file, end);
    await client.query(setPlace, [first, last, lines, end]);
    await client.query('commit');
  } catch (error) {
    await client.query('rollback').catch(() => undefined);
    throw error;
  }
}

/** Where the tables stand, locked until the end of the transaction. */
async function placeOf(client: PoolClient, file: string): Promise<Place> {
  const { rows } = await client.query<{
    first_sha256: string;
    last_sha256: string;
    lines: string;
    bytes: string;
  }>('select first_sha256, last_sha256, lines, bytes from ibkr_ledger for update');
  const [row] = rows;
  if (row === undefined) return { lines: 0, bytes: 0 };
  const [lines, bytes] = [Number(row.lines), Number(row.bytes)];
  const marks = bytes > statSync(file).size ? null : await marksOf(file, bytes);
  if (marks?.first === row.first_sha256 && marks.last === row.last_sha256) return { lines, bytes };
  const message = `The simulator's tables hold another ledger than ${file}, or a longer one. Put the ledger back that they are of, set KEEL_SIMULATOR_DATABASE_URL to another database, or drop these tables with keel simulator migrate down: they are made anew from this one.`;
  throw new KeelError('TABLES_OTHER_LEDGER', message, { facts: { file } });
}

/** Users and trades of a part of the ledger. @returns how many lines it has */
async function writeLines(client: PoolClient, file: string, from: number, to: number): Promise<number> {
  let count = 0;
  const joined = new Set<string>();
  for await (const lines of linesOf(file, from, to)) {
    count += lines.length;
    const told = toldBy(lines);
    for (const { account, seq } of told.users)
      if (!told.accounts.some((opened) => opened.account === account && opened.seq === seq - 1))
        joined.add(account);
    if (told.users.length > 0) await client.query(insertUsers, [JSON.stringify(told.users.map(userRow))]);
    await writeTrades(client, told);
  }
  // A user of an account that was there before has its earlier trades too.
  if (joined.size > 0)
    for await (const lines of linesOf(file, 0, to)) {
      const { executions, corrections } = toldBy(lines);
      const isEarlier = ({ account }: { readonly account: string }): boolean => joined.has(account);
      await writeTrades(client, {
        executions: executions.filter(isEarlier),
        corrections: corrections.filter(isEarlier),
      });
    }
  return count;
}

async function writeTrades(
  client: PoolClient,
  { executions, corrections }: Pick<ReturnType<typeof toldBy>, 'executions' | 'corrections'>,
): Promise<void> {
  if (executions.length > 0) await client.query(insertTrades, [JSON.stringify(executions.map(tradeRow))]);
  if (corrections.length > 0)
    await client.query(correctTrades, [JSON.stringify(corrections.map(correctionRow))]);
}
