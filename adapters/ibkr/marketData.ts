// Quotes and history. Called by broker.ts (quote) and gateway.ts (MarketDataPort).
import { timeframeRules, type Bar, type Timeframe } from '../../domain/market/bar.js';
import type { Contract } from '../../domain/market/contract.js';
import { money } from '../../domain/money/decimal.js';
import type { QuoteFacts } from '../../domain/risk/types.js';
import { KeelError } from '../../ports/errors.js';
import type { MarketDataPort } from '../../ports/marketData.js';
import type { IbkrClient } from './client.js';
import { sleep } from './timer.js';
import type { Timer } from './timer.js';
import { historySchema, plainDecimal, snapshotSchema } from './schemas.js';
import type { SnapshotRow } from './schemas.js';
import type { IbkrSession } from './session.js';

const snapshotEndpoint = { method: 'GET', path: '/iserver/marketdata/snapshot' } as const;
const historyEndpoint = { method: 'GET', path: '/iserver/marketdata/history', gate: 'history' } as const;

/** The first read only opens the stream; four more may bring the fields piece by piece. */
const polls = 4;
const pollGapMs = 500;
/** 31 last · 84 bid · 86 ask · 6509 availability. */
const fields = '31,84,86,6509';

type QuoteReading = { readonly quote: QuoteFacts } | { readonly missing: string };

const states = { C: 'closed', H: 'halted' } as const;

/** What a row says: a price that may be traded on, or why there is none. */
export function readQuote(row: SnapshotRow | undefined): QuoteReading {
  const last = row?.['31'];
  const availability = row?.['6509'];
  if (last === undefined || last === null) return { missing: 'there is no last price' };
  if (!availability) return { missing: 'the availability is not stated' };
  const match = /^([CH]?)(.*)$/.exec(String(last).trim());
  const price = plainDecimal(match?.[2] ?? '');
  // 0 is sent for "unknown".
  if (price === null || money(price).lte(0)) return { missing: 'the last price is no price' };
  const prefix = match?.[1];
  // Delayed (D), frozen (Z, Y) and unsubscribed (N, O) data must not be traded on. While the market is shut the last
  // close is the same to everybody, and no order goes out on it.
  const good = prefix === 'C' ? 'RDZY' : 'R';
  if (!good.includes(availability.slice(0, 1))) {
    return { missing: `the data is not real time (availability ${availability.slice(0, 3)})` };
  }
  return { quote: { last: price, state: prefix === 'C' || prefix === 'H' ? states[prefix] : 'open' } };
}

export interface QuoteOptions {
  readonly client: IbkrClient;
  readonly timer: Timer;
  readonly factor: number;
}

/** @throws KeelError NO_QUOTE (retryable) when the polls bring no real-time last price. */
export async function readSnapshot(
  { client, timer, factor }: QuoteOptions,
  contract: Pick<Contract, 'conid' | 'symbol'>,
): Promise<QuoteFacts> {
  const query = { conids: contract.conid, fields };
  let missing = '';
  for (let read = 0; read <= polls; read += 1) {
    if (read > 0) await sleep(timer, pollGapMs / factor);
    const rows = await client.call(snapshotEndpoint, { query }, snapshotSchema);
    const reading = readQuote(rows.find((row) => (row.conid ?? row.conidEx) === contract.conid));
    if ('quote' in reading) return reading.quote;
    missing = reading.missing;
  }
  throw new KeelError('NO_QUOTE', `IBKR gives no quote of ${contract.symbol}: ${missing}.`, {
    errorClass: 'retryable',
    facts: { symbol: contract.symbol, conid: contract.conid },
  });
}

const noHistory = (symbol: string, timeframe: Timeframe): KeelError =>
  new KeelError('NO_HISTORY', `IBKR has no ${timeframe} bars of ${symbol}.`, {
    facts: { symbol, timeframe },
  });

/** @throws KeelError NO_HISTORY (final) when the broker has no bars. */
export async function readHistory(
  client: IbkrClient,
  contract: Pick<Contract, 'conid' | 'symbol'>,
  timeframe: Timeframe,
): Promise<readonly Bar[]> {
  const query = { conid: contract.conid, ...timeframeRules[timeframe].request, outsideRth: 'false' };
  const found = await client.call(historyEndpoint, { query }, historySchema).catch((error: unknown) => {
    const words = error instanceof KeelError ? error.facts['text'] : null;
    throw typeof words === 'string' && /^no data/i.test(words)
      ? noHistory(contract.symbol, timeframe)
      : error;
  });
  if (found.data.length === 0) throw noHistory(contract.symbol, timeframe);
  const factor = found.volumeFactor ?? 1;
  return found.data
    .toSorted((a, b) => a.t - b.t)
    .map((bar) => ({
      time: new Date(bar.t).toISOString(),
      open: bar.o,
      high: bar.h,
      low: bar.l,
      close: bar.c,
      volume: bar.v * factor,
    }));
}

/** @param source what the bars are said to come from, such as `ibkr` or `simulator`. */
export function createIbkrMarketData(
  client: IbkrClient,
  session: IbkrSession,
  source: string,
): MarketDataPort {
  return {
    history: (contract, timeframe) =>
      session.run(async () => ({ bars: await readHistory(client, contract, timeframe), source })),
  };
}
