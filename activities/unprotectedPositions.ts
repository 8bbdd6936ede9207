// Shares that Keel bought with a stop and that none covers any more: a broker, or a person at it, may end a stop at any time.
// Called by monitorLooks.ts.
import type { Mode } from '../contracts/wire/names.js';
import { isAlive } from '../contracts/wire/order.js';
import { quantity } from '../domain/money/decimal.js';
import type { BrokerOrder } from '../ports/broker.js';
import type { BrokerSnapshot, IntentRow, IntentStore } from '../ports/stores.js';
import { positionOf } from './orderState.js';

export interface UnprotectedPosition {
  /** Of the buy whose stop is over. */
  readonly clientOrderId: string;
  readonly symbol: string;
  readonly held: string;
  /** How much of it the stops that are at work would sell. */
  readonly stopped: string;
}

/** Whoever placed it: a person may have put a stop in the place of the one that is over. */
const isStop = ({ side, type, status }: BrokerOrder): boolean =>
  side === 'SELL' && isAlive(status) && (type === 'STP' || type === 'OTHER');

/**
 * By one snapshot. A position that a sell of Keel's is closing is left out: its run tells how that ends.
 * @param open intents that are not over
 */
export async function unprotectedPositions(
  deps: {
    readonly mode: Mode;
    readonly accountId: string;
    readonly intents: Pick<IntentStore, 'listUnstopped'>;
  },
  snapshot: BrokerSnapshot,
  open: readonly IntentRow[],
): Promise<readonly UnprotectedPosition[]> {
  const closing = new Set(open.filter(({ side }) => side === 'SELL').map(({ conid }) => conid));
  const conids = new Set(snapshot.positions.map(({ conid }) => conid).filter((conid) => !closing.has(conid)));
  const held = [...conids].filter((conid) => quantity(positionOf(snapshot, conid)).gt(0));
  if (held.length === 0) return [];
  const bought = await deps.intents.listUnstopped(deps.mode, deps.accountId, held);
  return bought.flatMap(({ clientOrderId, symbol, conid }) => {
    const units = positionOf(snapshot, conid);
    const stopped = snapshot.orders
      .filter((order) => order.conid === conid && isStop(order))
      .map((order) => quantity(order.quantity).minus(order.filledQuantity))
      .reduce((total, left) => total.plus(left), quantity('0'));
    return stopped.gte(units) ? [] : [{ clientOrderId, symbol, held: units, stopped: stopped.toString() }];
  });
}
