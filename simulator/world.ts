// What the fronts of a simulator stand before: ledger, market, engine, clock and tables. Called by server.ts.
import { createNyseCalendar } from '../domain/market/nyse.js';
import type { Clock } from '../ports/clocks.js';
import type { PricesPort } from '../ports/prices.js';
import { loadInstruments } from './data.js';
import { createEngine, foldInto } from './engine.js';
import type { Engine } from './engine.js';
import { createMarket } from './exchange/market.js';
import type { Market } from './exchange/market.js';
import { emptyState } from './exchange/state.js';
import type { Costs } from './exchange/types.js';
import { openLedger } from './ledger.js';
import type { Ledger } from './ledger.js';
import { linesKnown, openMark } from './ledgerMark.js';
import { createLiveClock } from './live/clock.js';
import type { Live } from './live/live.js';
import { createLiveMarket } from './live/market.js';
import { createLivePrices } from './live/prices.js';
import { createSteppedClock } from './marketClock.js';
import type { SteppedClock } from './marketClock.js';
import { openTables } from './tables/tables.js';
import type { Tables, TablesStatus } from './tables/tables.js';
import { ensureSampleUser } from './users.js';

export interface WorldOptions {
  readonly accountId: string;
  /** USD that the account opens with; an account that the ledger has keeps its own. */
  readonly cash: string;
  readonly slippage: string;
  readonly commissionPerShare: string;
  /** What else trading costs and how much of a bar's volume it may take; nothing, and all of every order, when left out. */
  readonly spread?: string;
  readonly commissionMinimum?: string;
  /** 0: no bound. */
  readonly volumeShare?: string;
  readonly settlementSessions?: number;
  /** More accounts of the same login, each with the same cash; none when left out. */
  readonly moreAccounts?: readonly string[];
  /** Live prices of the own API, in USD; bars are replayed when null or left out. A ledger keeps to one of the two. */
  readonly prices?: PricesPort | null;
  /** postgres://…: a copy of users, cash, holdings and trades is kept there; the ledger alone keeps them when empty or left out. */
  readonly databaseUrl?: string;
  readonly clock: Clock;
  /** Hears of the simulator's own errors. After `fatal` it answers every request with an error and should be restarted. */
  readonly onError: (error: unknown, fatal: boolean) => void;
}

export interface World {
  readonly engine: Engine;
  readonly marketClock: SteppedClock;
  /** Null where bars are replayed. */
  readonly live: Live | null;
  readonly tables: () => TablesStatus;
  /** Bytes of an unfinished write that were cut off the ledger. */
  readonly cutBytes: number;
}

/** @param undo takes what has to be closed, in the order of its making */
export async function openWorld(
  options: WorldOptions,
  ledgerFile: string,
  undo: (() => void | Promise<void>)[],
): Promise<World> {
  const { clock, onError } = options;
  const prices = options.prices == null ? null : createLivePrices(options.prices);
  const market = marketOf(prices);
  const state = emptyState(market.firstInstant);
  const ledger = openLedger(ledgerFile, clock, foldInto(state), linesKnown(ledgerFile));
  undo.push(() => {
    ledger.close();
  });
  const mark = openMark(ledgerFile, ledger.lines);
  undo.push(() => {
    mark.close();
  });
  let tables: Tables | null = null;
  const followed: Ledger = {
    ...ledger,
    append: (events) => {
      ledger.append(events);
      mark.add(events.length);
      tables?.heard(events);
    },
  };
  const engine = createEngine({
    market,
    costs: costsOf(options),
    state,
    ledger: followed,
    accounts: [options.accountId, ...(options.moreAccounts ?? [])],
    cash: options.cash,
    startsAt: new Date(clock.now()).toISOString(),
  });
  const live = prices === null ? null : { prices, clock: createLiveClock(engine, clock) };
  live?.clock.follow('trade');
  const opened = await tablesOf(options, engine, ledgerFile);
  tables = opened;
  undo.push(() => opened?.close());
  const stopped = (error: unknown): void => {
    onError(error, true);
  };
  const marketClock = live?.clock ?? createSteppedClock(engine, clock, stopped);
  undo.push(() => {
    marketClock.close();
  });
  return {
    engine,
    marketClock,
    live,
    tables: () => opened?.status() ?? { state: 'off', reason: null },
    cutBytes: ledger.cutBytes,
  };
}

function marketOf(prices: Live['prices'] | null): Market {
  const calendar = createNyseCalendar();
  return prices === null
    ? createMarket(calendar, loadInstruments(calendar))
    : createLiveMarket(calendar, prices);
}

/** The tables in PostgreSQL, where one is given; they begin with the sample user. */
async function tablesOf(
  { databaseUrl = '', onError }: WorldOptions,
  engine: Engine,
  ledgerFile: string,
): Promise<Tables | null> {
  if (databaseUrl === '') return null;
  ensureSampleUser(engine);
  const said = (error: unknown): void => {
    onError(error, false);
  };
  return openTables({ url: databaseUrl, ledgerFile, engine, onError: said });
}

function costsOf(options: WorldOptions): Costs {
  const { slippage, commissionPerShare, volumeShare = '0' } = options;
  return {
    slippage,
    spread: options.spread ?? '0',
    commissionPerShare,
    commissionMinimum: options.commissionMinimum ?? '1',
    volumeShare: Number(volumeShare) === 0 ? null : volumeShare,
    settlementSessions: options.settlementSessions ?? 0,
  };
}
