// The IBKR client beside a bare call to the same server, and clients of two gateways at IBKR's own limits. Called by the runner.
import { readFileSync } from 'node:fs';
import { Agent } from 'node:https';
import axios from 'axios';
import { createMachineClock } from '../adapters/clocks/machine.js';
import { createIbkrGateway } from '../adapters/ibkr/gateway.js';
import type { IbkrGateway } from '../adapters/ibkr/gateway.js';
import { connect } from '../db/connect.js';
import { createLocks } from '../db/locks.js';
import { createSharedPacing } from '../db/pacing.js';
import type { Database } from '../db/connect.js';
import { KeelError } from '../ports/errors.js';
import type { NodeProcess, Servers } from './servers.js';
import { accountId, rateRefusals, startMarket } from './simulator.js';

export interface GatewayTiming {
  /** Milliseconds on the wall of one call, medians of the same run. */
  readonly clientMs: number;
  readonly bareMs: number;
  /** What two clients each read from two gateways at IBKR's limits, and how often those answered 429. */
  readonly paced: Paced;
  readonly limited: number;
}

interface Paced {
  readonly symbols: number;
  /** Those that were answered. */
  readonly reads: number;
  readonly perSecond: number;
}

const limits = { poolSize: 4, connectTimeoutMs: 5000, statementTimeoutMs: 15_000, lockTimeoutMs: 5000 };
const pairs = 400;
const pacedMs = 20_000;
/** What each of the two gateways is asked for. */
const shares = [
  ['AAPL', 'SPX'],
  ['SYNTREND', 'SYNFLAT', 'SYNSPLIT'],
] as const;

const median = (ms: readonly number[]): number =>
  ms.toSorted((a, b) => a - b)[Math.floor(ms.length / 2)] ?? NaN;

const clientOf = ({ facts }: NodeProcess, db: Database, factor: number, login: string): IbkrGateway =>
  createIbkrGateway({
    baseUrl: String(facts['baseUrl']),
    ca: readFileSync(String(facts['caFile']), 'utf8'),
    certSha256: [String(facts['certSha256'])],
    timeoutMs: 10_000,
    accountId,
    login,
    locks: createLocks(db),
    mode: 'simulated',
    clock: createMachineClock(),
    pacingFactor: factor,
    source: 'simulator',
    ...(factor === 1 && { sharedPacing: createSharedPacing(db, String(facts['baseUrl'])) }),
  });

/** By turns, because what a millisecond is worth changes on a busy machine. */
async function overhead(servers: Servers, db: Database): Promise<{ clientMs: number; bareMs: number }> {
  const simulator = await startMarket(servers, 'overhead', 1_000_000);
  const ibkr = clientOf(simulator, db, 1_000_000, 'overhead');
  const bare = axios.create({
    baseURL: String(simulator.facts['baseUrl']),
    httpsAgent: new Agent({ keepAlive: true, ca: readFileSync(String(simulator.facts['caFile'])) }),
  });
  try {
    await ibkr.broker.ensureSession();
    const times = { client: [] as number[], bare: [] as number[] };
    for (let pair = 0; pair < pairs; pair += 1) {
      const begunAt = performance.now();
      await ibkr.desk.describe('265598');
      const between = performance.now();
      await bare.get('/iserver/contract/265598/info-and-rules');
      times.client.push(between - begunAt);
      times.bare.push(performance.now() - between);
    }
    return { clientMs: median(times.client), bareMs: median(times.bare) };
  } finally {
    ibkr.close();
    await simulator.stop();
  }
}

interface Count {
  reads: number;
}

/** All that a run reads, for one symbol after the other, until the time is over. A 429 ends no chain; the gateway counts it. */
async function readOn(
  ibkr: IbkrGateway,
  symbols: readonly string[],
  until: number,
  count: Count,
): Promise<void> {
  const read = async <T>(call: () => Promise<T>): Promise<T | null> => {
    try {
      const answer = await call();
      count.reads += 1;
      return answer;
    } catch (error) {
      if (!(error instanceof KeelError) || error.code !== 'IBKR_RATE_LIMITED') throw error;
      return null;
    }
  };
  for (let index = 0; performance.now() < until; index += 1) {
    const symbol = symbols[index % symbols.length] ?? '';
    const contract = await read(() => ibkr.broker.resolveContract(symbol));
    if (contract === null) continue;
    await read(() => ibkr.marketData.history(contract, 'daily'));
    await read(() => ibkr.marketData.history(contract, 'weekly'));
    await read(() => ibkr.broker.quote(contract));
    await read(() => ibkr.broker.account(accountId));
  }
}

/**
 * Two gateways with their own symbols, and two clients of each, which share its limits through the database alone: each by a
 * pool of its own, though all in this one process, whose event loop they share.
 */
async function paced(
  servers: Servers,
  pools: readonly Database[],
): Promise<Pick<GatewayTiming, 'paced' | 'limited'>> {
  const simulators: NodeProcess[] = [];
  const clients: IbkrGateway[] = [];
  const count = { reads: 0 };
  try {
    for (const index of shares.keys())
      simulators.push(await startMarket(servers, `paced-${String(index)}`, 1));
    const begunAt = performance.now();
    const work = simulators.flatMap((simulator, index) =>
      pools.map(async (db) => {
        const ibkr = clientOf(simulator, db, 1, `shared-${String(index)}`);
        clients.push(ibkr);
        // Two chains of reads a client, as a worker has more than one run at once.
        const chain = () => readOn(ibkr, shares[index] ?? [], begunAt + pacedMs, count);
        await Promise.all([chain(), chain()]);
      }),
    );
    await Promise.all(work);
    const perSecond = (count.reads * 1000) / (performance.now() - begunAt);
    const symbols = shares.flat().length;
    let limited = 0;
    for (const simulator of simulators) limited += await rateRefusals(simulator);
    return { paced: { symbols, reads: count.reads, perSecond }, limited };
  } finally {
    for (const ibkr of clients) ibkr.close();
    for (const simulator of simulators) await simulator.stop();
  }
}

export async function benchGateway(servers: Servers): Promise<GatewayTiming> {
  const pools = [1, 2].map(() => connect({ url: servers.databaseUrl, ...limits }));
  const [first] = pools;
  if (first === undefined) throw new Error('two pools are made');
  try {
    return { ...(await overhead(servers, first)), ...(await paced(servers, pools)) };
  } finally {
    for (const db of pools) await db.close();
  }
}
