// Market data beside what runs read: history in pages backwards, all fields of a snapshot, and giving a line back. Called by
// desk.ts.
import { z } from 'zod';
import type { Bar } from '../../domain/market/bar.js';
import type { Contract } from '../../domain/market/contract.js';
import { money } from '../../domain/money/decimal.js';
import { KeelError } from '../../ports/errors.js';
import type { IbkrClient } from './client.js';
import { sleep } from './timer.js';
import type { QuoteOptions } from './marketData.js';
import { historySchema, plainDecimal } from './schemas.js';

const historyEndpoint = { method: 'GET', path: '/iserver/marketdata/history', gate: 'history' } as const;
const snapshotEndpoint = { method: 'GET', path: '/iserver/marketdata/snapshot' } as const;
const unsubscribeEndpoint = { method: 'POST', path: '/iserver/marketdata/unsubscribe' } as const;

type Wanted = Pick<Contract, 'conid' | 'symbol'>;

/** Bars that can be paged, each with the longest period that IBKR has them for and that stays below its 1000 points. */
const periods = { '1min': '1d', '5min': '1d', '1h': '1m', '1d': '1000d', '1w': '792w' } as const;
export type PageBar = keyof typeof periods;

/** More pages than any instrument has daily or weekly bars for; of bars within a day they are about seven weeks. */
const maximumPages = 50;

/** A day back from the oldest bar may hold none: those of a long weekend. */
const daysWithoutBars = 4;
const dayMs = 86_400_000;

/** YYYYMMDD-HH:mm:ss UTC: with the default direction a page ends there. */
const wireTime = (ms: number): string => {
  const iso = new Date(ms).toISOString();
  return `${iso.slice(0, 10).replaceAll('-', '')}-${iso.slice(11, 19)}`;
};

const isNoData = (error: unknown): boolean => {
  const words = error instanceof KeelError ? error.facts['text'] : null;
  return typeof words === 'string' && /^no data/i.test(words);
};

/**
 * Pages overlap, or bring nothing older: each bar is kept once, and a page without an older bar is the last.
 * @returns fewer than `count` where IBKR has no older ones, or after 50 pages
 * @throws KeelError of the client; no bars at all are an empty list
 */
export async function readBarsBack(
  client: IbkrClient,
  { conid }: Wanted,
  bar: PageBar,
  count: number,
): Promise<readonly Bar[]> {
  const known = new Map<number, Bar>();
  const mostEmpty = periods[bar] === '1d' ? daysWithoutBars : 0;
  let oldest: number | null = null;
  let empty = 0;
  for (let page = 0; page < maximumPages && known.size < count; page += 1) {
    const query = {
      ...{ conid, bar, period: periods[bar], outsideRth: 'false' },
      ...(oldest === null ? {} : { startTime: wireTime(oldest - empty * dayMs) }),
    };
    const found = await client.call(historyEndpoint, { query }, historySchema).catch((error: unknown) => {
      if (isNoData(error)) return { data: [], volumeFactor: null };
      throw error;
    });
    const older = found.data.filter(({ t }) => oldest === null || t < oldest);
    if (older.length === 0) {
      if (oldest === null || empty === mostEmpty) break;
      empty += 1;
      continue;
    }
    empty = 0;
    const factor = found.volumeFactor ?? 1;
    for (const { t, o, h, l, c, v } of older)
      known.set(t, {
        time: new Date(t).toISOString(),
        open: o,
        high: h,
        low: l,
        close: c,
        volume: v * factor,
      });
    oldest = Math.min(...known.keys());
  }
  return [...known]
    .sort(([a], [b]) => a - b)
    .map(([, each]) => each)
    .slice(-count);
}

/** Field codes and what Keel calls them. */
const codes = {
  last: '31',
  bid: '84',
  ask: '86',
  bidSize: '88',
  askSize: '85',
  volume: '87',
  high: '70',
  low: '71',
  open: '7295',
  close: '7296',
  priorClose: '7741',
} as const;
type FieldName = keyof typeof codes;

export type MarketFacts = Readonly<Record<FieldName, string | null>> & {
  /** R real time, D delayed, Z frozen, Y frozen and delayed, N not subscribed, O no agreement; null where it is not said. */
  readonly availability: string | null;
  /** What the last price's prefix says. */
  readonly state: 'open' | 'closed' | 'halted';
};

const value = z.union([z.string(), z.number()]).nullish();
const rowSchema = z.array(
  z.object({ conid: z.union([z.number(), z.string()]).transform(String) }).catchall(z.unknown()),
);
type Row = z.output<typeof rowSchema>[number];

const multiples: Readonly<Record<string, string>> = { K: '1000', M: '1000000', B: '1000000000' };

/** "C1,234.50", "25.5M" or a number as a plain decimal; the exact field beside it wins. Null where there is none. */
function fieldOf(row: Row, code: string): string | null {
  const exact = value.safeParse(row[`${code}_raw`]);
  const shown = value.safeParse(row[code]);
  const given = (exact.success ? exact.data : null) ?? (shown.success ? shown.data : null);
  if (given === null || given === undefined) return null;
  const [, digits = '', unit = ''] = /^[CH]?([^KMB%]*)([KMB]?)%?$/.exec(String(given).trim()) ?? [];
  const plain = plainDecimal(digits);
  if (plain === null) return null;
  return money(plain)
    .times(multiples[unit] ?? '1')
    .toFixed();
}

function factsOf(row: Row): MarketFacts {
  const named = Object.entries(codes).map(([name, code]) => [name, fieldOf(row, code)] as const);
  const last = typeof row['31'] === 'string' ? row['31'].trim() : '';
  const availability = typeof row['6509'] === 'string' ? row['6509'].slice(0, 1) : null;
  return {
    ...(Object.fromEntries(named) as Record<FieldName, string | null>),
    availability: availability === '' ? null : availability,
    state: last.startsWith('H') ? 'halted' : last.startsWith('C') ? 'closed' : 'open',
  };
}

const polls = 4;
const pollGapMs = 500;

/** The first read opens the stream, and fields come piece by piece: the fullest of the reads. */
export async function readMarket(
  { client, timer, factor }: QuoteOptions,
  { conid }: Wanted,
): Promise<MarketFacts> {
  const query = { conids: conid, fields: [...Object.values(codes), '6509'].join(',') };
  let facts = factsOf({ conid });
  for (let read = 0; read <= polls; read += 1) {
    if (read > 0) await sleep(timer, pollGapMs / factor);
    const rows = await client.call(snapshotEndpoint, { query }, rowSchema);
    const row = rows.find((each) => each.conid === conid);
    if (row !== undefined) facts = factsOf(row);
    if (facts.last !== null && facts.bid !== null && facts.ask !== null) break;
  }
  return facts;
}

/** IBKR answers with an error where no stream is open. */
export async function release(client: IbkrClient, conid: string): Promise<void> {
  const answer = await client.exchange(unsubscribeEndpoint, { body: { conid: Number(conid) } });
  if (answer.status === 200 || answer.status === 404 || answer.status === 500) return;
  throw new KeelError('IBKR_ERROR', `The market data of ${conid} could not be given back.`, {
    errorClass: 'retryable',
    facts: { conid, status: answer.status },
  });
}
