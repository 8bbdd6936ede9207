// The simulated market of one running Keel, as the supervisor and `keel run` move it: through the driver while runs are
// open, session by session before a run. Everything that moves it holds the driver's lock.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import { createMachineClock } from '../adapters/clocks/machine.js';
import { createMarketStepper, createSimulatedMarketClock } from '../adapters/clocks/simulated.js';
import type { Mode } from '../contracts/wire/names.js';
import { connect } from '../db/connect.js';
import { createStores } from '../db/stores.js';
import type { Stores } from '../db/stores.js';
import type { MarketTime } from '../ports/clocks.js';
import { createDriver } from './driver.js';
import type { DriverLock } from './driverLock.js';
import { createDriverLock } from './driverLock.js';
import { StartError } from './supervisor/dataDir.js';
import type { KeelState } from './supervisor/state.js';
import { connectTemporal } from './supervisor/temporal.js';
import { poll } from './supervisor/wait.js';

export interface SymbolData {
  readonly symbol: string;
  readonly first: string;
  readonly last: string;
  readonly synthetic: boolean;
}

export interface Market {
  readonly stores: Stores;
  now(): Promise<MarketTime>;
  /** What the simulator has of a symbol. @throws StartError naming the symbols that it has */
  dataOf(symbol: string): Promise<SymbolData>;
  /** Drives open runs until the signal aborts; what goes wrong is said once and tried again. */
  drive(signal: AbortSignal, onTrouble: (message: string) => void): Promise<void>;
  /** Resolves once no run is open. @throws StartError after `deadlineMs` */
  settled(deadlineMs: number): Promise<void>;
  /** Steps to each close in turn; Keel's own view of the account follows each step. @throws StartError, KeelError */
  stepThrough(closes: readonly string[]): Promise<void>;
  close(): Promise<void>;
}

interface Parts {
  readonly mode: Mode;
  readonly accountId: string;
  readonly client: Client;
  readonly stores: Stores;
  readonly admin: { readonly adminUrl: string; readonly token: string; readonly timeoutMs: number };
}

/** Of a Keel's state, what its market is reached by. */
export type MarketPlace = Pick<KeelState, 'mode' | 'accountId' | 'databaseUrl' | 'temporal'> & {
  readonly simulator: Pick<NonNullable<KeelState['simulator']>, 'adminUrl' | 'adminToken'> | null;
};

/** Wall milliseconds that Keel's view of the account may lag behind a step of the market. */
const catchUpMs = 30_000;

/** @throws StartError when this Keel has no simulated market, or a part of it is away */
export async function openMarket(state: MarketPlace): Promise<Market> {
  const { simulator, mode, accountId, databaseUrl, temporal } = state;
  if (simulator === null) throw new StartError(`mode ${mode} has no simulated market to step`);
  const limits = { poolSize: 3, connectTimeoutMs: 5000, statementTimeoutMs: 15_000, lockTimeoutMs: 5000 };
  const database = connect({ url: databaseUrl, ...limits });
  const client = await connectTemporal(temporal.address, temporal.namespace, 10_000, temporal.security);
  const admin = { adminUrl: simulator.adminUrl, token: simulator.adminToken, timeoutMs: 20_000 };
  const stores = createStores(database, mode);
  const parts: Parts = { mode, accountId, client, stores, admin };
  const marketClock = createSimulatedMarketClock(admin);
  const lock = createDriverLock(databaseUrl, mode);
  const locked = createTurns(lock);
  return {
    stores,
    now: () => marketClock.now(),
    dataOf: async (symbol) => findSymbol(await readSymbols(admin), symbol),
    drive: (signal, onTrouble) => drive(parts, locked, signal, onTrouble),
    settled: (deadlineMs) => settled(stores, deadlineMs),
    stepThrough: (closes) => locked(() => stepThrough(parts, closes)),
    close: async () => {
      await lock.close();
      await client.connection.close();
      await database.close();
    },
  };
}

type Turns = <T>(work: () => Promise<T>) => Promise<T>;

/** One at a time within this process and, by the driver's lock, among all. The lock is given back between turns. */
function createTurns(lock: DriverLock): Turns {
  let last: Promise<unknown> = Promise.resolve();
  const turn = async <T>(work: () => Promise<T>): Promise<T> => {
    const taken = await poll(30_000, 100, async () => ((await lock.tryTake()) ? true : null));
    if (taken === null) {
      throw new StartError('another process has been stepping this market for 30 s: try again later');
    }
    try {
      return await work();
    } finally {
      await lock.release();
    }
  };
  return (work) => {
    const mine = last.then(() => turn(work));
    last = mine.catch(() => undefined);
    return mine;
  };
}

async function drive(
  { mode, stores, client, admin }: Parts,
  locked: Turns,
  signal: AbortSignal,
  onTrouble: (message: string) => void,
): Promise<void> {
  const driver = createDriver({
    mode,
    client,
    runs: stores.runs,
    intents: stores.intents,
    marketClock: createSimulatedMarketClock(admin),
    stepper: createMarketStepper(admin),
    clock: createMachineClock(),
  });
  const pauses = { stepped: 20, busy: 60, idle: 400 };
  let trouble = '';
  while (!signal.aborted) {
    let pause = 1000;
    try {
      // Without an open run there is nothing to lock for: others may step.
      const open = await stores.runs.listOpen();
      pause = pauses[open.length === 0 ? 'idle' : await locked(() => driver.step())];
      trouble = '';
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      if (message !== trouble) onTrouble(message);
      trouble = message;
    }
    await sleep(pause, undefined, { signal }).catch(() => undefined);
  }
}

async function settled(stores: Stores, deadlineMs: number): Promise<void> {
  const idle = await poll(deadlineMs, 100, async () =>
    (await stores.runs.listOpen()).length === 0 ? true : null,
  );
  if (idle !== null) return;
  const [stuck] = await stores.runs.listOpen();
  throw new StartError(
    `run ${stuck?.workflowId ?? '?'} has not ended for ${String(deadlineMs / 1000)} s: look at it in the Temporal Web UI, or cancel it`,
  );
}

async function stepThrough(parts: Parts, closes: readonly string[]): Promise<void> {
  const stepper = createMarketStepper(parts.admin);
  const { stores, mode, accountId } = parts;
  for (const close of closes) {
    const { step } = await stepper.step(close);
    // Without a living order nothing of Keel's can change with the market; prices are read afresh anyway.
    if ((await stores.intents.listOpen(mode, accountId)).length === 0) continue;
    const caughtUp = await poll(catchUpMs, 40, async () => {
      const snapshot = await stores.brokerState.latest(mode, accountId);
      return snapshot !== null && snapshot.marketStep >= step ? true : null;
    });
    if (caughtUp === null) {
      throw new StartError(
        `the account's state has not followed the market to ${close} within ${String(catchUpMs / 1000)} s: see the worker's log`,
      );
    }
  }
}

async function readSymbols({ adminUrl, token, timeoutMs }: Parts['admin']): Promise<SymbolData[]> {
  const response = await fetch(`${adminUrl}/symbols`, {
    headers: { authorization: `Bearer ${token}` },
    signal: AbortSignal.timeout(timeoutMs),
  }).catch((error: unknown) => {
    throw new StartError(`the simulator does not answer at ${adminUrl}: see its log`, { cause: error });
  });
  if (!response.ok)
    throw new StartError(`the simulator answered ${String(response.status)} to a question for its symbols`);
  const body = (await response.json()) as {
    symbols: {
      symbol: string;
      firstSession: string | null;
      lastSession: string | null;
      synthetic: boolean;
      kind: 'stock' | 'crypto';
    }[];
  };
  // A run decides in the sessions of the stock exchange.
  const stocks = body.symbols.filter(({ kind }) => kind === 'stock');
  return stocks.map(({ symbol, firstSession, lastSession, synthetic }) => ({
    symbol,
    first: firstSession ?? '9999-12-31',
    last: lastSession ?? '0000-01-01',
    synthetic,
  }));
}

function findSymbol(symbols: readonly SymbolData[], symbol: string): SymbolData {
  const found = symbols.find((each) => each.symbol === symbol);
  if (found !== undefined) return found;
  const names = symbols.map((each) => `${each.symbol}${each.synthetic ? ' (synthetic)' : ''}`);
  throw new StartError(`the simulator has no symbol ${symbol}; it has ${names.join(', ')}`);
}
