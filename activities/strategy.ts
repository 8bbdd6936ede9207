// The settings of the strategy version that a run started with.
import type { StrategySettings } from '../contracts/wire/strategy.js';
import { KeelError } from '../ports/errors.js';
import type { StrategyStore } from '../ports/stores.js';

export interface StrategyVersion {
  readonly strategyId: string;
  readonly strategyVersion: number;
}

/** @throws KeelError STRATEGY_MISSING (final). */
export async function settingsOf(
  strategies: Pick<StrategyStore, 'version'>,
  { strategyId, strategyVersion }: StrategyVersion,
): Promise<StrategySettings> {
  const settings = await strategies.version(strategyId, strategyVersion);
  if (settings === null) {
    throw new KeelError('STRATEGY_MISSING', `strategy ${strategyId} has no version ${strategyVersion}`);
  }
  return settings;
}
