// What a simulator with live prices has beside its engine. Made by server.ts; used by both fronts.
import { quantity } from '../../domain/money/decimal.js';
import type { Engine } from '../engine.js';
import { accountOf } from '../exchange/state.js';
import type { LiveClock } from './clock.js';
import type { LivePrices } from './prices.js';

export interface Live {
  readonly prices: LivePrices;
  readonly clock: LiveClock;
}

/**
 * Makes the exchange ready to be looked at: its time, and a price of everything that the accounts hold.
 * @throws KeelError PRICES_AWAY (retryable) when something held has no price
 */
export async function readyToValue(
  { prices, clock }: Live,
  { market, state }: Engine,
  accounts: readonly string[],
): Promise<void> {
  clock.follow('look');
  const held = accounts.flatMap((account) =>
    [...accountOf(state, account).holdings].filter(([, holding]) => !quantity(holding.quantity).isZero()),
  );
  const symbols = held.flatMap(([conid]) => market.instrument(conid)?.symbol ?? []);
  await prices.value([...new Set(symbols)]);
}
