// A whole Keel for the benchmark, without its API: simulator, worker and the driver of the market over the shared
// servers. Called by strategyRuns.ts and model.ts.
import { fileURLToPath } from 'node:url';
import { openMarket } from '../cli/market.js';
import type { Market } from '../cli/market.js';
import type { NodeProcess, Servers } from './servers.js';

export const accountId = 'DU1234567';
const adminToken = 'a-token-for-the-benchmark-only';

export interface Keel {
  readonly worker: NodeProcess;
  readonly simulator: NodeProcess;
  readonly market: Market;
  readonly ledgerFile: string;
  stop(): Promise<void>;
}

const entry = (file: string): string => fileURLToPath(new URL(`../${file}`, import.meta.url));

/**
 * @param pacingFactor how much faster than IBKR’s limits the worker uses the simulator, which allows it
 * @param more settings of the worker
 */
export async function startKeel(
  servers: Servers,
  pacingFactor: number,
  more: Readonly<Record<string, string>> = {},
): Promise<Keel> {
  const { folder, temporal, databaseUrl } = servers;
  const base: NodeJS.ProcessEnv = {
    ...process.env,
    KEEL_ENV: 'testing',
    KEEL_MODE: 'simulated',
    KEEL_DATA_DIR: folder,
    KEEL_PACING_FACTOR: String(pacingFactor),
    // The simulator must allow what the worker takes, or it answers 429 as IBKR would.
    KEEL_SIMULATOR_LIMITS_FACTOR: String(pacingFactor),
    DATABASE_URL: databaseUrl,
    TEMPORAL_ADDRESS: temporal.address,
    TEMPORAL_NAMESPACE: temporal.namespace,
    KEEL_SIMULATOR_ADMIN_TOKEN: adminToken,
  };
  const simulator = await servers.startNode('simulator', entry('simulator/main.js'), [], base);
  const facts = simulator.facts as Record<
    'baseUrl' | 'adminUrl' | 'caFile' | 'certSha256' | 'ledgerFile',
    string
  >;
  const { adminUrl, ledgerFile } = facts;
  const worker = await servers.startNode('worker', entry('worker/main.js'), [], {
    ...base,
    IBKR_BASE_URL: facts.baseUrl,
    IBKR_CA_FILE: facts.caFile,
    IBKR_CERT_SHA256: facts.certSha256,
    KEEL_SIMULATOR_ADMIN_URL: adminUrl,
    ...more,
  });
  const market = await openMarket({
    mode: 'simulated',
    accountId,
    databaseUrl,
    temporal: { ...temporal, uiUrl: '' },
    simulator: { adminUrl, adminToken },
  });
  return {
    worker,
    simulator,
    market,
    ledgerFile,
    stop: async () => {
      await market.close();
      await worker.stop();
      await simulator.stop();
    },
  };
}
