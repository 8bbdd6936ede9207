// What the tables have to say, as plain rows: accounts as they stand, and the users and trades that lines of the ledger tell
// of. Called by tables.ts and write.ts.
import { quantity } from '../../domain/money/decimal.js';
import type { Engine } from '../engine.js';
import { accountOf } from '../exchange/state.js';
import { amountOf } from '../exchange/costs.js';
import type { ExchangeEvent, ExchangeState } from '../exchange/types.js';
import { parseLine } from '../ledgerLines.js';
import type { Line } from '../ledgerLines.js';

/** Accounts whose rows are out of date. */
export type Stale = ReadonlySet<string> | 'all';

interface Balance {
  readonly account: string;
  readonly cash: string;
  /** Market time. */
  readonly as_of: string;
}
interface StockBalance extends Omit<Balance, 'cash'> {
  readonly ticker: string;
  readonly quantity: string;
  readonly total_cost: string;
}
/** Accounts as they are at one moment, all at the same end of the ledger. */
export interface Standing {
  readonly accounts: readonly string[];
  readonly balances: readonly Balance[];
  readonly stocks: readonly StockBalance[];
}

export function standingOf({ market, state }: Pick<Engine, 'market' | 'state'>, stale: Stale): Standing {
  const accounts = stale === 'all' ? [...state.accounts.keys()] : [...stale];
  const as_of = state.now;
  return {
    accounts,
    balances: accounts.map((account) => ({ account, cash: accountOf(state, account).cash, as_of })),
    stocks: accounts.flatMap((account) =>
      [...accountOf(state, account).holdings]
        .filter(([, holding]) => !quantity(holding.quantity).isZero())
        .map(([conid, holding]) => ({
          account,
          ticker: market.instrument(conid)?.symbol ?? String(conid),
          quantity: holding.quantity,
          total_cost: holding.cost,
          as_of,
        })),
    ),
  };
}

/** Accounts that events have changed. */
export function staleAfter(state: ExchangeState, events: readonly ExchangeEvent[]): string[] {
  return events.flatMap((event) => {
    if (event.type === 'execution' || event.type === 'correction' || event.type === 'user')
      return [event.account];
    if (event.type !== 'split') return [];
    return [...state.accounts.values()]
      .filter(({ holdings }) => holdings.has(event.conid))
      .map(({ id }) => id);
  });
}

type AccountLine = Extract<Line, { type: 'account' }>;
type UserLine = Extract<Line, { type: 'user' }>;
type ExecutionLine = Extract<Line, { type: 'execution' }>;
type CorrectionLine = Extract<Line, { type: 'correction' }>;

const telling = /^\{"seq":\d+,"type":"(account|user|execution|correction)"/;

/** What lines of the ledger say of accounts, users, executions and what corrects these; the others are not even parsed. */
export function toldBy(lines: readonly string[]): {
  readonly accounts: readonly AccountLine[];
  readonly users: readonly UserLine[];
  readonly executions: readonly ExecutionLine[];
  readonly corrections: readonly CorrectionLine[];
} {
  const told = lines.flatMap((text) => (telling.test(text) ? [parseLine(text)] : []));
  return {
    accounts: told.filter((line) => line.type === 'account'),
    users: told.filter((line) => line.type === 'user'),
    executions: told.filter((line) => line.type === 'execution'),
    corrections: told.filter((line) => line.type === 'correction'),
  };
}

export const userRow = ({ userId, email, account, keyHash, expiresAt, wall }: UserLine): object => ({
  id: userId,
  email,
  account,
  api_key_sha256: keyHash,
  key_expires_at: expiresAt,
  created_at: wall,
});

/** A trade keeps the id that it was told under first. */
export const correctionRow = ({
  account,
  corrects,
  price,
  quantity: units,
  side,
}: CorrectionLine): object => ({
  account,
  trade_id: corrects,
  price,
  amount: amountOf(price, units, side).toString(),
});

export const tradeRow = (line: ExecutionLine): object => ({
  account: line.account,
  trade_id: line.executionId,
  order_id: line.orderId,
  ticker: line.symbol,
  action: line.side === 'BUY' ? 'buy' : 'sell',
  quantity: line.quantity,
  price: line.price,
  amount: amountOf(line.price, line.quantity, line.side).toString(),
  commission: line.commission,
  traded_at: line.at,
  recorded_at: line.wall,
});
