// One command's view of the exchange: what it may read, and the one way to change it. Made by engine.ts; used by every file that
// acts on the exchange.
import type { Market } from './market.js';
import { apply } from './apply.js';
import type { Costs, ExchangeEvent, ExchangeState } from './types.js';

/** One command's view: the state it changes and where its events go. */
export interface Exchange {
  readonly market: Market;
  readonly costs: Costs;
  readonly state: ExchangeState;
  /** Applies an event to the state and keeps it for the ledger. */
  readonly emit: (event: ExchangeEvent) => void;
}

/** An exchange that collects the events of one command. */
export function collecting(
  market: Market,
  costs: Costs,
  state: ExchangeState,
): { readonly exchange: Exchange; readonly events: ExchangeEvent[] } {
  const events: ExchangeEvent[] = [];
  const emit = (event: ExchangeEvent): void => {
    apply(state, event);
    events.push(event);
  };
  return { exchange: { market, costs, state, emit }, events };
}
