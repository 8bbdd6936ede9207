// Finding and describing contracts. Called by desk.ts.
import { z } from 'zod';
import type { IbkrClient } from './client.js';
import { KeelError } from '../../ports/errors.js';

const searchEndpoint = { method: 'GET', path: '/iserver/secdef/search' } as const;
const infoEndpoint = { method: 'GET', path: '/iserver/contract/{conid}/info-and-rules' } as const;

const text = z.string().nullish();
const id = z.union([z.number().int(), z.string().min(1)]).transform(String);

const searchSchema = z.array(
  z.object({
    conid: id.nullish(),
    symbol: text,
    companyName: text,
    /** The exchange of the listing. */
    description: text,
    sections: z.array(z.object({ secType: text })).nullish(),
  }),
);

/** Rows of bond issuers carry this in place of a contract. */
const noContract = '2147483647';

export interface FoundContract {
  readonly conid: string;
  readonly symbol: string;
  readonly name: string | null;
  readonly exchange: string | null;
  readonly kinds: readonly string[];
}

/** What an unknown symbol is answered with is not documented: an empty list or words, both are nothing found. */
const nothingFound = /no (symbol|contract|result)|not found/i;

export async function searchContracts(
  client: IbkrClient,
  wanted: string,
  by: 'symbol' | 'name',
): Promise<readonly FoundContract[]> {
  const query = { symbol: wanted, name: String(by === 'name') };
  const rows = await client.call(searchEndpoint, { query }, searchSchema).catch((error: unknown) => {
    const words = error instanceof KeelError ? error.facts['text'] : null;
    if (typeof words === 'string' && nothingFound.test(words)) return [];
    throw error;
  });
  return rows.flatMap(({ conid, symbol, companyName, description, sections }) =>
    !conid || conid === noContract || !symbol
      ? []
      : [
          {
            conid,
            symbol,
            name: companyName ?? null,
            exchange: description ?? null,
            kinds: (sections ?? []).flatMap(({ secType }) => secType ?? []),
          },
        ],
  );
}

const words = z.array(z.string()).nullish();
const infoSchema = z.object({
  con_id: id,
  symbol: text,
  company_name: text,
  exchange: text,
  currency: text,
  instrument_type: text,
  rules: z.object({ orderTypes: words, tifTypes: words }).nullish(),
});

export interface ContractFacts {
  readonly conid: string;
  readonly symbol: string | null;
  readonly name: string | null;
  readonly exchange: string | null;
  readonly currency: string | null;
  readonly kind: string | null;
  /** In IBKR's words, such as `limit` and `stop_limit`; empty where it does not say. */
  readonly orderTypes: readonly string[];
  readonly timesInForce: readonly string[];
}

export async function describeContract(client: IbkrClient, conid: string): Promise<ContractFacts> {
  const input = { path: { conid }, query: { isBuy: 'true' } };
  const found = await client.call(infoEndpoint, input, infoSchema);
  return {
    conid: found.con_id,
    symbol: found.symbol ?? null,
    name: found.company_name ?? null,
    exchange: found.exchange ?? null,
    currency: found.currency ?? null,
    kind: found.instrument_type ?? null,
    orderTypes: found.rules?.orderTypes ?? [],
    // Each comes with its conditions after a slash.
    timesInForce: (found.rules?.tifTypes ?? []).map((each) => each.split('/')[0] ?? each),
  };
}
