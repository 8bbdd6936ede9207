// Resolves the contract and fetches its bars: checked, cut off at the session, stored by content.
import type { MarketClock } from '../ports/clocks.js';
import { KeelError } from '../ports/errors.js';
import type { BrokerPort } from '../ports/broker.js';
import type { MarketDataPort } from '../ports/marketData.js';
import type { ObjectStorePort } from '../ports/objectStore.js';
import type { BarSetRow, EvidenceStore } from '../ports/evidence.js';
import type { Mode } from '../contracts/wire/names.js';
import type { ObjectRef } from '../contracts/wire/object.js';
import { timeframeRules, type Bar, type Timeframe } from '../domain/market/bar.js';
import type { Calendar } from '../domain/market/calendarTypes.js';
import type { Contract } from '../domain/market/contract.js';
import { validateBars } from '../domain/market/validate.js';
import { dropUnfinished, sessionDateOf } from '../domain/market/weekly.js';
import { getJson, putJson } from './objects.js';

export interface BarsDeps {
  readonly mode: Mode;
  readonly broker: Pick<BrokerPort, 'resolveContract'>;
  readonly marketData: MarketDataPort;
  readonly objects: ObjectStorePort;
  readonly evidence: Pick<EvidenceStore, 'putBars'>;
  readonly marketClock: MarketClock;
  readonly calendar: Calendar;
}

/** The stored form of a set of bars: rows of [time, open, high, low, close, volume]. */
interface StoredBars {
  readonly format: 1;
  readonly symbol: string;
  readonly timeframe: Timeframe;
  readonly source: string;
  readonly rows: readonly (readonly [string, number, number, number, number, number])[];
}

export interface FetchBarsInput {
  readonly runId: string;
  readonly contract: Contract;
  readonly timeframe: Timeframe;
  readonly session: string;
}

export async function readBars(
  objects: Pick<ObjectStorePort, 'get'>,
  ref: ObjectRef,
): Promise<readonly Bar[]> {
  const stored = await getJson<StoredBars>(objects, ref);
  return stored.rows.map(([time, open, high, low, close, volume]) => ({
    time,
    open,
    high,
    low,
    close,
    volume,
  }));
}

export function createBarsActivities(deps: BarsDeps) {
  return {
    resolveContract: (symbol: string): Promise<Contract> => deps.broker.resolveContract(symbol),

    /** @throws TOO_FEW_BARS, BAD_BARS, NO_SESSION (final), STALE_BARS (retryable where the bar may come yet). */
    async fetchBars(input: FetchBarsInput): Promise<BarSetRow> {
      const { contract, timeframe } = input;
      const { bars: all, source } = await deps.marketData.history(contract, timeframe);
      const until = await cutOff(deps, input.session);
      const bars = dropUnfinished(all, timeframe, until, deps.calendar);
      refuseUnusable(contract.symbol, timeframe, bars);
      if (timeframe === 'daily') refuseStale(deps, contract.symbol, bars, until);
      const stored: StoredBars = {
        format: 1,
        symbol: contract.symbol,
        timeframe,
        source,
        rows: bars.map((bar) => [bar.time, bar.open, bar.high, bar.low, bar.close, bar.volume]),
      };
      const row: BarSetRow = {
        runId: input.runId,
        timeframe,
        object: await putJson(deps.objects, 'bars', stored),
        count: bars.length,
        first: bars[0]?.time ?? '',
        last: bars.at(-1)?.time ?? '',
        source,
      };
      await deps.evidence.putBars(row);
      return row;
    },
  };
}

/** The earlier of now and the session's close: a run that starts late sees no more than one that started in time. */
async function cutOff(deps: BarsDeps, date: string): Promise<string> {
  const session = deps.calendar.session(date);
  if (session === null) throw new KeelError('NO_SESSION', `the exchange was shut on ${date}`);
  const { now } = await deps.marketClock.now();
  return now < session.close ? now : session.close;
}

function refuseUnusable(symbol: string, timeframe: Timeframe, bars: readonly Bar[]): void {
  const [problem, ...others] = validateBars(bars);
  if (problem !== undefined) {
    const more = others.length === 0 ? '' : ` (and ${others.length} more)`;
    throw new KeelError(
      'BAD_BARS',
      `${symbol} ${timeframe}: ${problem.message}${more}; check the data source`,
    );
  }
  const { warmUp } = timeframeRules[timeframe];
  if (bars.length < warmUp) {
    throw new KeelError(
      'TOO_FEW_BARS',
      `${symbol} has ${bars.length} complete ${timeframe} bars and ${warmUp} are needed; choose a later date or another symbol`,
      { facts: { symbol, timeframe, count: bars.length, needed: warmUp } },
    );
  }
}

/** A broker may have the bar of a close a little late, and is asked again about every this many milliseconds. */
const lateBarMs = 15_000;

/**
 * Nothing is decided on daily bars that end before the last session that had closed by then: to hold or to sell on them
 * would be as blind as to buy. Where one session is missing its bar may come yet, except from recorded bars.
 */
function refuseStale(
  { mode, calendar }: Pick<BarsDeps, 'mode' | 'calendar'>,
  symbol: string,
  bars: readonly Bar[],
  until: string,
): void {
  const last = bars.at(-1);
  const expected = calendar.lastClosed(until).date;
  const found = last === undefined ? 'none' : sessionDateOf(last.time, calendar);
  if (last !== undefined && found >= expected) return;
  const late = mode !== 'simulated' && found === calendar.previous(expected).date;
  throw new KeelError(
    'STALE_BARS',
    `the last daily bar of ${symbol} is that of ${found}, and that of ${expected} should be there; nothing is decided without it: check the data source`,
    {
      errorClass: late ? 'retryable' : 'final',
      facts: { symbol, found, expected, ...(late && { retryAfterMs: lateBarMs }) },
    },
  );
}
