// `keel simulator drive`: the hand that moves a simulated market where no supervisor does, as in containers. Called by
// commands/simulator.ts. One drives at a time; a second one waits for its turn.
import { utimesSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { loadConfig } from '../config/load.js';
import { createNyseCalendar } from '../domain/market/nyse.js';
import type { Market } from './market.js';
import { openMarket } from './market.js';
import type { Say } from './say.js';
import { StartError } from './supervisor/dataDir.js';

export interface DriveOptions {
  /** A file whose time tells a health check that the work goes on. */
  readonly looked?: string | undefined;
  /** Market instant, ISO 8601 UTC, to which a market is moved in which no session has closed yet. */
  readonly from?: string | undefined;
}

/** @returns the exit code, once it is stopped */
export async function driveMarket(
  env: NodeJS.ProcessEnv,
  out: Say,
  { looked, from }: DriveOptions,
): Promise<number> {
  const { mode, database, temporal, simulator } = loadConfig(env, {
    need: ['database', 'temporal', 'simulator'],
  });
  if (mode !== 'simulated') throw new StartError(`mode ${mode} has no simulated market to drive`);
  const { tlsCaFile, tlsCertFile, tlsKeyFile, tlsServerName, apiKey } = temporal;
  const market = await openMarket({
    mode,
    accountId: simulator.accountId,
    databaseUrl: database.url,
    temporal: {
      address: temporal.address,
      namespace: temporal.namespace,
      uiUrl: temporal.uiUrl,
      security: { tlsCaFile, tlsCertFile, tlsKeyFile, tlsServerName, apiKey },
    },
    simulator: { adminUrl: simulator.adminUrl, adminToken: simulator.adminToken },
  });
  const stop = new AbortController();
  const onSignal = (): void => {
    stop.abort();
  };
  process.once('SIGINT', onSignal);
  process.once('SIGTERM', onSignal);
  try {
    if (from !== undefined) await leaveBeginning(market, new Date(from).toISOString());
    out(JSON.stringify({ ready: true, market: (await market.now()).now }));
    await Promise.all([
      market.drive(stop.signal, (message) => {
        out(`market: ${message}`);
      }),
      ...(looked === undefined ? [] : [touching(looked, () => market.now(), stop.signal)]),
    ]);
    return 0;
  } finally {
    process.off('SIGINT', onSignal);
    process.off('SIGTERM', onSignal);
    await market.close();
  }
}

/** A new simulator stands before the first close that it knows, where no run has anything to decide on. */
async function leaveBeginning(market: Pick<Market, 'now' | 'stepThrough'>, from: string): Promise<void> {
  const { now } = await market.now();
  if (now < from && !hasClosed(now)) await market.stepThrough([from]);
}

function hasClosed(now: string): boolean {
  try {
    createNyseCalendar().lastClosed(now);
    return true;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}

/** Only while the market answers: a driver that reaches nothing is not well. */
async function touching(file: string, ask: () => Promise<unknown>, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    if (await ask().then(Boolean, () => false)) touch(file);
    await sleep(5000, undefined, { signal }).catch(() => undefined);
  }
}

function touch(file: string): void {
  const now = new Date();
  try {
    utimesSync(file, now, now);
  } catch {
    writeFileSync(file, '');
  }
}
