// Quotes and history. Called by broker.ts (quote, quotes) and gateway.ts (MarketDataPort).
import type { z } from 'zod';
import { timeframeRules, type Bar, type Timeframe } from '../../domain/market/bar.js';
import type { Contract } from '../../domain/market/contract.js';
import { money } from '../../domain/money/decimal.js';
import type { QuoteFacts } from '../../domain/risk/types.js';
import { KeelError } from '../../ports/errors.js';
import type { MarketDataPort } from '../../ports/marketData.js';
import type { IbkrClient } from './client.js';
import { sleep } from './timer.js';
import type { Timer } from './timer.js';
import { mostLines, type Lines } from './lines.js';
import { historySchema, plainDecimal, snapshotSchema, tolerantSnapshotSchema } from './schemas.js';
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

type Wanted = Pick<Contract, 'conid' | 'symbol'>;

const noQuote = ({ symbol, conid }: Wanted, missing: string): KeelError =>
  new KeelError('NO_QUOTE', `IBKR gives no quote of ${symbol}: ${missing}.`, {
    errorClass: 'retryable',
    facts: { symbol, conid },
  });

/**
 * Asks for all in one request, and in the next ones for those that have no price yet.
 * @returns by conid; NO_QUOTE (retryable) where the polls bring no real-time last price
 */
async function readQuotes(
  { client, timer, factor }: QuoteOptions,
  contracts: readonly Wanted[],
  schema: z.ZodType<readonly (SnapshotRow | null)[]>,
): Promise<ReadonlyMap<string, QuoteFacts | KeelError>> {
  const answers = new Map<string, QuoteFacts | KeelError>();
  let waiting = contracts;
  for (let read = 0; read <= polls && waiting.length > 0; read += 1) {
    if (read > 0) await sleep(timer, pollGapMs / factor);
    const query = { conids: waiting.map(({ conid }) => conid).join(','), fields };
    const rows = await client.call(snapshotEndpoint, { query }, schema);
    for (const contract of waiting) {
      const row = rows.find((each) => (each?.conid ?? each?.conidEx) === contract.conid);
      const reading = readQuote(row ?? undefined);
      answers.set(contract.conid, 'quote' in reading ? reading.quote : noQuote(contract, reading.missing));
    }
    waiting = waiting.filter(({ conid }) => answers.get(conid) instanceof KeelError);
  }
  return answers;
}

/** @throws KeelError NO_QUOTE (retryable) when the polls bring no real-time last price. */
export async function readSnapshot(options: QuoteOptions, contract: Wanted): Promise<QuoteFacts> {
  const answer = (await readQuotes(options, [contract], snapshotSchema)).get(contract.conid);
  if (answer === undefined || answer instanceof KeelError)
    throw answer ?? noQuote(contract, 'it was not asked');
  return answer;
}

/** Quotes for people to look at, by conid: an unreadable row is one contract's own trouble. At most `mostLines` contracts. */
export async function readSnapshots(
  options: QuoteOptions,
  lines: Lines,
  contracts: readonly Wanted[],
): Promise<ReadonlyMap<string, QuoteFacts | KeelError>> {
  if (contracts.length > mostLines) {
    throw new RangeError(`${contracts.length} contracts are too many for one question: ${mostLines}.`);
  }
  const conids = contracts.map(({ conid }) => conid);
  await lines.makeRoom(conids);
  lines.asked(conids);
  return readQuotes(options, contracts, tolerantSnapshotSchema);
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
