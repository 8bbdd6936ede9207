// A symbol as the one tradable US contract of that name. Called by broker.ts.
import type { Contract } from '../../domain/market/contract.js';
import type { PriceIncrement } from '../../domain/money/decimal.js';
import { KeelError } from '../../ports/errors.js';
import type { IbkrClient } from './client.js';
import { rulesSchema, secdefSchema, stocksSchema } from './schemas.js';

const stocksEndpoint = { method: 'GET', path: '/trsrv/stocks' } as const;
const secdefEndpoint = { method: 'GET', path: '/trsrv/secdef' } as const;
const rulesEndpoint = { method: 'POST', path: '/iserver/contract/rules' } as const;

const unknownSymbol = (symbol: string, why: string): KeelError =>
  new KeelError('UNKNOWN_SYMBOL', `IBKR ${why} for "${symbol}". Check the symbol.`, { facts: { symbol } });

/** The conid of the only US stock of that symbol. */
async function usConid(client: IbkrClient, symbol: string): Promise<string> {
  const found = await client.call(stocksEndpoint, { query: { symbols: symbol } }, stocksSchema);
  const contracts = (found[symbol] ?? [])
    .filter((row) => (row.assetClass ?? 'STK') === 'STK')
    .flatMap((row) => row.contracts)
    .filter((contract) => contract.isUS === true);
  const [only, second] = contracts;
  if (only === undefined) throw unknownSymbol(symbol, 'knows no US stock');
  if (second !== undefined) throw unknownSymbol(symbol, `knows ${contracts.length} US stocks`);
  return only.conid;
}

type WireIncrements = readonly { readonly lowerEdge: string; readonly increment: string }[];

const grid = (rows: WireIncrements): readonly PriceIncrement[] =>
  rows.map((row) => ({ from: row.lowerEdge, increment: row.increment }));

async function incrementsOf(
  client: IbkrClient,
  conid: string,
  known: WireIncrements,
): Promise<readonly PriceIncrement[]> {
  if (known.length > 0) return grid(known);
  const body = { conid: Number(conid), exchange: 'SMART', isBuy: true };
  const rules = await client.call(rulesEndpoint, { body }, rulesSchema);
  const { incrementRules, increment } = rules;
  if (incrementRules !== null && incrementRules !== undefined && incrementRules.length > 0)
    return grid(incrementRules);
  return increment === null || increment === '0' ? [] : [{ from: '0', increment }];
}

/**
 * @throws KeelError UNKNOWN_SYMBOL (final) when none or several US stocks carry the symbol, or it cannot be priced.
 */
export async function resolveContract(client: IbkrClient, symbol: string): Promise<Contract> {
  const conid = await usConid(client, symbol);
  const found = await client.call(secdefEndpoint, { query: { conids: conid } }, secdefSchema);
  const row = found.secdef.find((candidate) => candidate.conid === conid);
  if (row === undefined) throw unknownSymbol(symbol, 'describes no contract');
  if ((row.ticker ?? symbol) !== symbol) throw unknownSymbol(symbol, `answers with ${row.ticker ?? ''}`);
  if (!row.currency) throw unknownSymbol(symbol, 'names no currency');
  const priceIncrements = await incrementsOf(client, conid, row.incrementRules ?? []);
  if (priceIncrements.length === 0) throw unknownSymbol(symbol, 'names no price increments');
  return {
    conid,
    symbol,
    name: row.name ?? symbol,
    exchange: row.listingExchange ?? 'SMART',
    currency: row.currency,
    priceIncrements,
    // Fractions of a share are not traded.
    quantityIncrement: '1',
  };
}
