// Which orders of a list that cannot be read may be Keel's own: then nothing of that list may be used. Called by brokerState.ts.
import type { Mode } from '../contracts/wire/names.js';
import { isAlive, terminalIntentStates } from '../contracts/wire/order.js';
import type { UnreadableOrder } from '../ports/broker.js';
import { KeelError } from '../ports/errors.js';
import type { BrokerStateStore, IntentRow, IntentStore } from '../ports/stores.js';

export interface UnreadableOrdersDeps {
  readonly mode: Mode;
  readonly accountId: string;
  readonly intents: Pick<IntentStore, 'listOpen' | 'get'>;
  readonly brokerState: Pick<BrokerStateStore, 'latest'>;
}

interface Book {
  /** Read after the list: an order in it was stored before it was sent. */
  readonly open: readonly IntentRow[];
  /** Order ids that the snapshot before has as another's. They stay another's, whatever Keel sends since. */
  readonly elsewhere: ReadonlySet<string | null>;
}

const isOver = ({ status }: UnreadableOrder): boolean => status !== null && !isAlive(status);

/**
 * An order of Keel's that cannot be read must not be taken for one that does not exist: then nothing of the list is used.
 * @throws KeelError ORDER_UNREADABLE (retryable)
 */
export async function refuseOwn(
  deps: UnreadableOrdersDeps,
  unreadable: readonly UnreadableOrder[],
): Promise<void> {
  if (unreadable.length === 0) return;
  const { mode, accountId, brokerState, intents } = deps;
  const before = (await brokerState.latest(mode, accountId))?.unreadable ?? [];
  const book: Book = {
    open: await intents.listOpen(mode, accountId),
    elsewhere: new Set(before.map(({ brokerOrderId }) => brokerOrderId)),
  };
  for (const order of unreadable) {
    if (await mayBeLeftOut(deps, book, order)) continue;
    const { brokerOrderId, clientOrderId, problem } = order;
    throw new KeelError(
      'ORDER_UNREADABLE',
      `The broker lists order ${brokerOrderId ?? 'of no id'}, which Keel cannot read (${problem}) and which may be its own. Look at it at the broker; until it can be read or is gone from the list, no order goes out.`,
      { errorClass: 'retryable', facts: { brokerOrderId, clientOrderId, problem } },
    );
  }
}

/** Whether it is another's, or one of Keel's that is over and of which the list could tell nothing that counts. */
async function mayBeLeftOut(
  { intents }: UnreadableOrdersDeps,
  { open, elsewhere }: Book,
  order: UnreadableOrder,
): Promise<boolean> {
  const { brokerOrderId: id, clientOrderId, conid } = order;
  const parent = open.find(
    (intent) => id !== null && (intent.brokerOrderId === id || intent.legs.some(isOf(id))),
  );
  // A protective leg that was cancelled is over also where it is not listed; what it had filled, executions tell.
  if (parent !== undefined) return order.status === 'CANCELLED' && parent.legs.some(isOf(id));
  if (clientOrderId !== null) {
    const intent = await intents.get(clientOrderId);
    return intent === null || (isOver(order) && isClosed(intent, open, order));
  }
  if (id === null) return false;
  return elsewhere.has(id) || (conid !== null && !open.some((intent) => mayBeOf(intent, order)));
}

const isOf =
  (id: string | null) =>
  (leg: { readonly brokerOrderId: string }): boolean =>
    leg.brokerOrderId === id;

/**
 * An order under an order id that is none of the intent's: it may be the entry as long as that has none, and a leg, on the
 * other side, as long as not all of them are known.
 */
function mayBeOf(intent: IntentRow, { conid, side }: UnreadableOrder): boolean {
  if (intent.conid !== conid) return false;
  const legs = [intent.stop, intent.target].filter((each) => each !== null).length;
  const mayBeEntry = intent.brokerOrderId === null && (side === null || side === intent.side);
  const mayBeLeg = intent.legs.length < legs && (side === null || side !== intent.side);
  return mayBeEntry || mayBeLeg;
}

/** Keel's book is closed on it, and does not contradict the broker: one that filled must have filled here too. */
const isClosed = (intent: IntentRow, open: readonly IntentRow[], { status }: UnreadableOrder): boolean =>
  terminalIntentStates.includes(intent.state) &&
  !open.some(({ clientOrderId }) => clientOrderId === intent.clientOrderId) &&
  (status !== 'FILLED' || intent.state === 'FILLED');
