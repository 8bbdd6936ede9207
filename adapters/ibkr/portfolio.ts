// The account's value, cash and positions. Called by broker.ts.
import type { AccountState, BrokerPosition } from '../../ports/broker.js';
import { KeelError } from '../../ports/errors.js';
import type { IbkrClient } from './client.js';
import { labelOf, parseShape } from './client.js';
import {
  anyObjectSchema,
  ledgerSchema,
  plainDecimal,
  positionGlanceSchema,
  positionSchema,
  summarySchema,
} from './schemas.js';
import type { SessionMemory } from './session.js';
import { z } from 'zod';

const accountsEndpoint = { method: 'GET', path: '/portfolio/accounts', gate: 'portfolioAccounts' } as const;
const summaryEndpoint = { method: 'GET', path: '/portfolio/{accountId}/summary' } as const;
const ledgerEndpoint = { method: 'GET', path: '/portfolio/{accountId}/ledger' } as const;
const positionsEndpoint = { method: 'GET', path: '/portfolio/{accountId}/positions/{page}' } as const;
const invalidateEndpoint = { method: 'POST', path: '/portfolio/{accountId}/positions/invalidate' } as const;

/** More pages than any account has; an endless list ends here. */
const maximumPages = 200;

/** The gateway wants the list of accounts once, before anything else of the portfolio. */
async function prepare(client: IbkrClient, memory: SessionMemory): Promise<void> {
  if (memory.portfolioRead) return;
  await client.call(accountsEndpoint, {}, z.array(anyObjectSchema));
  memory.portfolioRead = true;
}

const unreadable = (accountId: string, what: string): KeelError =>
  new KeelError('IBKR_BAD_SHAPE', `IBKR does not say ${what} of ${accountId}.`, { facts: { accountId } });

/**
 * @returns settled cash in the currency of the net liquidation value; cash of other currencies is left out, because it
 * cannot pay without being exchanged.
 */
export async function readAccount(
  client: IbkrClient,
  memory: SessionMemory,
  accountId: string,
): Promise<AccountState> {
  await prepare(client, memory);
  const path = { accountId };
  const { netliquidation } = await client.call(summaryEndpoint, { path }, summarySchema);
  const ledger = await client.call(ledgerEndpoint, { path }, ledgerSchema);
  const { currency } = netliquidation;
  if (!currency) throw unreadable(accountId, 'the currency');
  // The text of an amount is null or empty in most builds, and the number beside it counts.
  const wire =
    netliquidation.value === '' ? netliquidation.amount : (netliquidation.value ?? netliquidation.amount);
  const value =
    wire === null || wire === undefined || netliquidation.isNull === true ? null : plainDecimal(wire);
  if (value === null) throw unreadable(accountId, 'the net liquidation value');
  const settledCash = ledger[currency]?.settledcash ?? null;
  if (settledCash === null) throw unreadable(accountId, `the settled cash in ${currency}`);
  return { accountId, currency, netLiquidation: value, settledCash };
}

/** Positions are cached at IBKR. A gateway that knows no way to drop the cache has none to drop. */
async function dropCache(client: IbkrClient, accountId: string): Promise<void> {
  await client.call(invalidateEndpoint, { path: { accountId } }, anyObjectSchema).catch((error: unknown) => {
    if (!(error instanceof KeelError) || error.code !== 'IBKR_NOT_FOUND') throw error;
  });
}

type Row = z.output<typeof positionSchema>;

/**
 * Rows of the account that hold something. What is another account's or holds nothing need not be readable.
 * @throws KeelError IBKR_BAD_SHAPE (final)
 */
const ownRows = (accountId: string, page: readonly unknown[]): readonly Row[] =>
  page
    .filter((given) => {
      const seen = positionGlanceSchema.safeParse(given).data;
      return seen === undefined || ((seen.acctId || accountId) === accountId && seen.position !== '0');
    })
    .map((given) => parseShape(labelOf(positionsEndpoint), positionSchema, given));

/** @returns null where there is no such page. */
async function readPage(client: IbkrClient, accountId: string, page: number): Promise<readonly Row[] | null> {
  const input = { path: { accountId, page: String(page) } };
  const read = () => client.call(positionsEndpoint, input, z.array(z.unknown()));
  const first = await read();
  if (first.length === 0) return null;
  const rows = ownRows(accountId, first);
  const sparse = rows.some((row) => !row.ticker && !row.contractDesc);
  return sparse ? ownRows(accountId, await read()) : rows;
}

/** A stock goes by its ticker; anything else by its whole description, since an option has its stock's ticker. */
function symbolOf(row: Row): string {
  const isStock = (row.assetClass ?? 'STK') === 'STK';
  const symbol = isStock ? row.ticker || row.contractDesc : row.contractDesc || `conid ${row.conid}`;
  if (symbol) return symbol;
  throw new KeelError('IBKR_BAD_SHAPE', `IBKR names no symbol of the position in conid ${row.conid}.`, {
    errorClass: 'retryable',
    facts: { conid: row.conid },
  });
}

/** All positions that are not zero. */
export async function readPositions(
  client: IbkrClient,
  memory: SessionMemory,
  accountId: string,
): Promise<readonly BrokerPosition[]> {
  await prepare(client, memory);
  await dropCache(client, accountId);
  const positions: BrokerPosition[] = [];
  for (let page = 0; page < maximumPages; page += 1) {
    const rows = await readPage(client, accountId, page);
    if (rows === null) return positions;
    for (const row of rows) {
      positions.push({
        conid: row.conid,
        symbol: symbolOf(row),
        quantity: row.position,
        averageCost: row.avgCost,
        marketPrice: row.mktPrice,
      });
    }
  }
  throw unreadable(accountId, `the end of the positions after ${maximumPages} pages`);
}
