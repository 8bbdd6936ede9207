// What the monitors of prices, portfolio and health look at. Called by monitors.ts.
import type { Mode } from '../contracts/wire/names.js';
import type { MonitorResult } from '../contracts/wire/monitor.js';
import type { CachePort } from '../ports/cache.js';
import type { Clock, MarketClock } from '../ports/clocks.js';
import type { ObjectStorePort } from '../ports/objectStore.js';
import type { PricesPort } from '../ports/prices.js';
import { isTold, tellOfPlatform, type PlatformNewsDeps, type Trouble } from './platformNews.js';
import type { BrokerSnapshot, BrokerStateStore, StrategyStore } from '../ports/stores.js';
import { KeelError } from '../ports/errors.js';
import { troubleWords, unreadMs } from '../domain/brokerSession/trouble.js';

export interface AccountDeps {
  readonly mode: Mode;
  readonly accountId: string;
  readonly brokerState: Pick<BrokerStateStore, 'latest' | 'trouble'>;
  readonly clock: Clock;
}

export interface PricesLookDeps extends AccountDeps {
  readonly prices: Pick<PricesPort, 'batch' | 'memory'>;
  readonly strategies: Pick<StrategyStore, 'list'>;
}

/** Asks for every symbol that a strategy trades or the account holds, which also warms the cache. */
export async function lookAtPrices(deps: PricesLookDeps): Promise<MonitorResult> {
  const [strategies, snapshot] = await Promise.all([
    deps.strategies.list(),
    deps.brokerState.latest(deps.mode, deps.accountId),
  ]);
  const traded = strategies.filter(({ active }) => active).flatMap(({ settings }) => settings.symbols);
  const symbols = [...new Set([...traded, ...(snapshot?.positions ?? []).map(({ symbol }) => symbol)])];
  const { prices, problems } = await deps.prices.batch(symbols);
  const stale = prices.filter(({ freshness }) => freshness === 'stale').map(({ symbol }) => symbol);
  const ofOtherTime = prices.filter(({ ofMarket }) => !ofMarket).map(({ symbol }) => symbol);
  const ages = prices.map(({ ageMs }) => Math.floor(ageMs / 1000));
  const oldest = ages.length === 0 ? '' : `, the oldest of ${Math.max(...ages)} s ago`;
  const today =
    ofOtherTime.length === 0
      ? ''
      : `; ${ofOtherTime.length} of them are of today and not of the simulated market, so nothing there is valued by them`;
  const missing = problems.map(({ symbol, code }) => `${symbol} ${code}`);
  return {
    status: stale.length + missing.length === 0 ? 'ok' : 'warning',
    message: `${prices.length} of ${symbols.length} symbols have a price, ${stale.length} a stale one${oldest}${today}`,
    facts: {
      ...{ symbols: symbols.length, priced: prices.length, stale, missing },
      ...(ages.length > 0 && { oldestSeconds: Math.max(...ages) }),
      ...(ofOtherTime.length > 0 && { ofOtherTime }),
    },
  };
}

const ageOf = ({ readStartedAt }: BrokerSnapshot, clock: Clock): number =>
  clock.now() - Date.parse(readStartedAt);

/** @throws KeelError BROKER_STATE_STALE */
export async function freshSnapshot({
  mode,
  accountId,
  brokerState,
  clock,
}: AccountDeps): Promise<BrokerSnapshot> {
  const snapshot = await brokerState.latest(mode, accountId);
  const seconds = snapshot === null ? null : Math.round(ageOf(snapshot, clock) / 1000);
  if (snapshot !== null && ageOf(snapshot, clock) <= unreadMs) return snapshot;
  const age = seconds === null ? 'was never read' : `was last read ${seconds} s ago`;
  const why =
    troubleWords(await brokerState.trouble(accountId), clock.now()) ??
    "see that the broker's session stands and that a worker polls it.";
  throw new KeelError('BROKER_STATE_STALE', `The state of ${accountId} ${age}: ${why}`, {
    errorClass: 'retryable',
    facts: { accountId, seconds },
  });
}

export type PortfolioLookDeps = AccountDeps;

/** The one poller mirrors the account; this sees that it does. */
export async function lookAtPortfolio(deps: PortfolioLookDeps): Promise<MonitorResult> {
  const snapshot = await freshSnapshot(deps);
  const { account, positions, orders } = snapshot;
  const held = positions.filter(({ quantity }) => Number(quantity) !== 0).length;
  return {
    status: 'ok',
    message: `${held} positions and ${orders.length} orders are mirrored, ${account.netLiquidation} ${account.currency} in all`,
    facts: {
      positions: held,
      orders: orders.length,
      equity: account.netLiquidation,
      settledCash: account.settledCash,
      ageMs: ageOf(snapshot, deps.clock),
    },
  };
}

export interface HealthLookDeps extends AccountDeps, PlatformNewsDeps {
  readonly objects: Pick<ObjectStorePort, 'has'>;
  readonly cache: Pick<CachePort, 'check'>;
  readonly marketClock: MarketClock;
}

/**
 * Told once for each time that the broker is lost: the last good read names it. A broker that comes and goes is told once,
 * until it is told to be well.
 * @returns what is wrong, for the result and for the news of the platform
 */
async function tellOfBroker(
  deps: HealthLookDeps,
  words: string,
): Promise<{ readonly words: string; readonly told: boolean }> {
  const { mode, accountId, brokerState, notifications, monitors } = deps;
  const last = (await brokerState.latest(mode, accountId))?.readStartedAt;
  // A worker that has just started may not have read it yet.
  if (last !== undefined && !isTold(await monitors.get('health'), 'broker')) {
    await notifications.add({
      key: `broker/${accountId}/${last}`,
      event: 'broker.lost',
      title: `The state of ${accountId} at the broker is not read`,
      body: words,
      facts: { accountId, lastRead: last },
    });
  }
  return { words, told: last !== undefined };
}

const troubleOf = (name: string, words: string | null): readonly Trouble[] =>
  words === null ? [] : [{ name, words }];

/** The parts as this worker reaches them. PostgreSQL is proven by the result being kept, Temporal by the look itself. */
export async function lookAtHealth(deps: HealthLookDeps): Promise<MonitorResult> {
  const wordsOf = (error: unknown): string => {
    if (!(error instanceof KeelError)) throw error;
    return error.message;
  };
  const [broker, objects, market, cache] = await Promise.all([
    freshSnapshot(deps).then(
      () => null,
      (error: unknown) => tellOfBroker(deps, wordsOf(error)),
    ),
    deps.objects.has('health/none').then(() => null, wordsOf),
    deps.marketClock.now().then(() => null, wordsOf),
    deps.cache.check().then(({ reason }) => reason),
  ]);
  const words = { broker: broker?.words ?? null, objects, market, cache };
  const wrong = Object.values(words).filter((each) => each !== null);
  const news = await tellOfPlatform(deps, [
    ...(broker?.told === true
      ? [{ name: 'broker', words: broker.words, toldElsewhere: true } satisfies Trouble]
      : []),
    ...troubleOf('object store', objects),
    ...troubleOf('market clock', market),
    ...troubleOf('cache', cache),
  ]);
  return {
    status: wrong.length === 0 ? 'ok' : 'warning',
    message: wrong.length === 0 ? 'broker, object store, market clock and cache answer' : wrong.join(' '),
    facts: { ...words, ...news },
  };
}
