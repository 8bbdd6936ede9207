// The simulator's process: reads the configuration, starts, prints one JSON line on stdout when it listens, and stops on
// SIGTERM or SIGINT. Started by the supervisor, `keel simulator` and tests.
import { createMachineClock, createMachineMarketClock } from '../adapters/clocks/machine.js';
import { createCache, createPrices } from '../api/prices.js';
import type { Config } from '../config/schema.js';
import { loadConfig } from '../config/load.js';
import { createNyseCalendar } from '../domain/market/nyse.js';
import type { CachePort } from '../ports/cache.js';
import type { Clock } from '../ports/clocks.js';
import { KeelError } from '../ports/errors.js';
import type { PricesPort } from '../ports/prices.js';
import { startSimulator } from './server.js';

const describe = (error: unknown): string => {
  const code = error instanceof KeelError ? `${error.code}: ` : '';
  return `simulator: ${code}${error instanceof Error ? error.message : String(error)}\n`;
};

/** Live prices, where they are set; their cache is Redis where that is set. */
function livePrices(
  { simulator, prices, cache }: Pick<Config, 'simulator' | 'prices' | 'cache'>,
  clock: Clock,
): { readonly prices: PricesPort; readonly close: () => Promise<void> } | null {
  const { priceChain: chain, priceFreshMs: freshMs } = simulator;
  if (chain.length === 0) return null;
  const own = createCache(cache, clock);
  const settings = { ...prices, chain, freshMs, currency: 'USD' };
  const parts = {
    mode: 'simulated' as const,
    cache: named(own),
    clock,
    marketClock: createMachineMarketClock(clock),
    calendar: createNyseCalendar(),
    simulator,
  };
  return { prices: createPrices(settings, parts), close: () => own.close() };
}

/** Names of its own: a Keel on the same Redis may keep prices of a replay there, and those must not be traded at here. */
const named = (cache: CachePort): CachePort => ({
  ...cache,
  get: (key) => cache.get(`simulator:${key}`),
  set: (key, value, ttlMs) => cache.set(`simulator:${key}`, value, ttlMs),
});

async function main(): Promise<void> {
  const config = loadConfig(undefined, { need: ['simulator', 'prices', 'cache'] });
  const clock = createMachineClock();
  const live = livePrices(config, clock);
  let stopping = false;
  const { oauth, midnightReset, ...settings } = config.simulator;
  const simulator = await startSimulator({
    ...settings,
    ...(oauth === 'on' ? { oauth: 'own' } : {}),
    midnightReset: midnightReset === 'on',
    prices: live?.prices ?? null,
    clock,
    onError: (error, fatal) => {
      process.stderr.write(describe(error));
      if (fatal) stop(1);
    },
  });
  function stop(code: number): void {
    if (stopping) return;
    stopping = true;
    process.exitCode = code;
    Promise.all([simulator.close(), live?.close()]).catch((error: unknown) => {
      process.stderr.write(describe(error));
      process.exitCode = 1;
    });
  }
  process.on('SIGTERM', () => {
    stop(0);
  });
  process.on('SIGINT', () => {
    stop(0);
  });
  const { baseUrl, adminUrl, apiUrl, caFile, certSha256, ledgerFile, ledgerCutBytes } = simulator;
  const { oauthUrl, oauthConsumer } = simulator;
  const ready = {
    ...{ ready: true, baseUrl, adminUrl, apiUrl, caFile, certSha256, ledgerFile, ledgerCutBytes },
    ...(oauthUrl === null ? {} : { oauthUrl, oauthConsumer }),
  };
  process.stdout.write(`${JSON.stringify(ready)}\n`);
}

main().catch((error: unknown) => {
  process.stderr.write(describe(error));
  process.exitCode = 1;
});
