// The exchange and its ledger as one: every command changes the state, reaches the disk, and only then has an answer.
// Synchronous, so commands never mix. Called by the clock driver and by both HTTP fronts.
import { KeelError } from '../ports/errors.js';
import { collecting } from './exchange/command.js';
import type { Exchange } from './exchange/command.js';
import { correctExecutions } from './exchange/corrections.js';
import { cancelOrder, halt, playTo, resume } from './exchange/exchange.js';
import type { Market } from './exchange/market.js';
import { modify, place, refusalOf } from './exchange/orders.js';
import type { OrderChange, OrderDraft, PlaceResult } from './exchange/orders.js';
import { apply } from './exchange/apply.js';
import { trade } from './exchange/trades.js';
import type { TradeResult } from './exchange/trades.js';
import type { Costs, ExchangeState, TradeWish, User } from './exchange/types.js';
import type { Ledger, Take } from './ledger.js';

export interface Engine {
  readonly market: Market;
  readonly costs: Costs;
  /** To be read only. @throws KeelError LEDGER_WRITE once a write has failed: memory then knows more than the disk */
  readonly state: ExchangeState;
  /** Counts the commands that have changed something. */
  readonly version: number;
  /** False once a write has failed, or the ledger is closed: no command works any more. */
  isSound(): boolean;
  /** Why an order would be refused now; null when it would be taken. */
  refusal(account: string, draft: OrderDraft): string | null;
  place(account: string, drafts: readonly OrderDraft[]): PlaceResult;
  /** @returns null when done, else the refusal in words */
  modify(orderId: number, change: OrderChange): string | null;
  cancel(orderId: number): void;
  /** Stops the trading of an instrument, or lets it go on. */
  halt(conid: number): void;
  resume(conid: number): void;
  /** Corrects executions, each once, as the broker does afterwards. */
  correct(executionIds: ReadonlySet<string>): void;
  /** Books a trade of the simulator's own API at once, or says why not. */
  trade(wish: TradeWish): TradeResult;
  /** Makes a user, with an account of its own unless it names one. */
  addUser(wish: {
    readonly email: string;
    readonly keyHash: string;
    readonly expiresAt: string | null;
    readonly account: string | null;
    readonly cash: string;
  }): User;
  /** Plays the market to an instant and counts a step. */
  step(to: string): void;
  /** Plays the market to an instant while the clock runs. */
  tick(to: string): void;
  /** Notes that the clock begins to run, or is stopped. */
  note(event: { readonly type: 'run'; readonly speed: number } | { readonly type: 'stop' }): void;
}

export interface EngineOptions {
  readonly market: Market;
  readonly costs: Costs;
  /** What the ledger says; changed in place. */
  readonly state: ExchangeState;
  readonly ledger: Pick<Ledger, 'lines' | 'append' | 'isOpen'>;
  /** Accounts that are opened with this cash when the ledger does not have them yet. */
  readonly accounts: readonly string[];
  readonly cash: string;
  /** Market time of a new ledger whose prices are a chain's; one that replays begins with its first bar. */
  readonly startsAt?: string;
}

/**
 * Goes on from what the ledger says, and opens the accounts that are new.
 * @throws KeelError SIMULATOR_PRICES when the ledger is of other prices
 */
export function createEngine(options: EngineOptions): Engine {
  const { market, costs, state, ledger, accounts, cash, startsAt } = options;
  assertPrices(state, market, ledger.lines);
  let failure: unknown = null;
  let version = 0;
  const assertSound = (): void => {
    if (failure !== null) throw failure instanceof Error ? failure : new Error('the simulator has failed');
  };

  function command<T>(act: (exchange: Exchange) => T): T {
    assertSound();
    const { exchange, events } = collecting(market, costs, state);
    try {
      const result = act(exchange);
      ledger.append(events);
      if (events.length > 0) version += 1;
      return result;
    } catch (error) {
      // What has been applied and is not on the disk must never be heard of.
      if (events.length > 0) failure = error;
      throw error;
    }
  }

  const doing =
    <Of>(act: (exchange: Exchange, of: Of) => void) =>
    (of: Of): void => {
      command((exchange) => {
        act(exchange, of);
      });
    };

  if (market.prices === 'chain' && state.prices === 'replay')
    command(({ emit }) => {
      emit({ type: 'prices', at: startsAt ?? state.now, source: 'chain' });
    });
  for (const account of accounts) {
    if (state.accounts.has(account)) continue;
    command(({ emit }) => {
      emit({ type: 'account', at: state.now, account, cash });
    });
  }
  return {
    market,
    costs,
    get state() {
      assertSound();
      return state;
    },
    get version() {
      return version;
    },
    isSound: () => failure === null && ledger.isOpen(),
    refusal: (id, draft) => refusalOf(collecting(market, costs, state).exchange, id, draft),
    place: (id, drafts) => command((exchange) => place(exchange, id, drafts)),
    modify: (orderId, change) => command((exchange) => modify(exchange, orderId, change)),
    cancel: doing(cancelOrder),
    halt: doing(halt),
    resume: doing(resume),
    correct: doing(correctExecutions),
    trade: (wish) => command((exchange) => trade(exchange, wish)),
    addUser: ({ email, keyHash, expiresAt, account, cash: amount }) =>
      command(({ emit }) => {
        const userId = state.users.size + 1;
        const own = account ?? `DU9${String(userId).padStart(6, '0')}`;
        if (account === null) emit({ type: 'account', at: state.now, account: own, cash: amount });
        const user = { userId, email, account: own, keyHash, expiresAt };
        emit({ type: 'user', at: state.now, ...user });
        return user;
      }),
    step: (to) => {
      command((exchange) => {
        playTo(exchange, to);
        exchange.emit({ type: 'step', at: to, step: state.step + 1 });
      });
    },
    tick: (to) => {
      command((exchange) => {
        playTo(exchange, to);
        exchange.emit({ type: 'tick', at: to });
      });
    },
    note: (event) => {
      command(({ emit }) => {
        emit({ ...event, at: state.now });
      });
    },
  };
}

/** What was bought in one world of prices must never be sold in the other: a ledger stays in the one it began in. */
function assertPrices(state: ExchangeState, market: Market, lines: number): void {
  if (state.prices === market.prices || lines === 0) return;
  const [has, wants] = market.prices === 'chain' ? ['replayed', 'live'] : ['live', 'replayed'];
  const message = `The simulator's ledger was begun with ${has} prices, and ${wants} ones are set. Choose another directory with KEEL_SIMULATOR_DIR, or change KEEL_SIMULATOR_PRICE_CHAIN back.`;
  throw new KeelError('SIMULATOR_PRICES', message);
}

/**
 * Folds the lines of a ledger, one after the other, into a state.
 * @throws KeelError LEDGER_DAMAGED when a line contradicts the ones before
 */
export const foldInto =
  (state: ExchangeState): Take =>
  (event, line) => {
    try {
      apply(state, event);
    } catch (cause) {
      const message = `The simulator's ledger is damaged at line ${line}: ${cause instanceof Error ? cause.message : 'it cannot be applied'}. Restore it from a copy, or begin anew without it: npm start -- --reset where it is a Keel's, else another KEEL_SIMULATOR_DIR.`;
      throw new KeelError('LEDGER_DAMAGED', message, { facts: { line }, cause });
    }
  };
