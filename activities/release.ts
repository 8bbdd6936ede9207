// Before a closing sell: takes the protective legs of the symbol away, those too that Keel only believes to be over, for one that
// lives on would sell what is held no more. Called by admission.ts.
import type { Mode } from '../contracts/wire/names.js';
import { isAlive, type LegState } from '../contracts/wire/order.js';
import type { BrokerPort } from '../ports/broker.js';
import type { Clock } from '../ports/clocks.js';
import type { BrokerSnapshot, BrokerStateStore, IntentStore } from '../ports/stores.js';

export interface ReleaseDeps {
  readonly mode: Mode;
  readonly accountId: string;
  readonly broker: Pick<BrokerPort, 'cancelOrder'>;
  readonly intents: Pick<IntentStore, 'listOpen' | 'listUnproven'>;
  readonly brokerState: Pick<BrokerStateStore, 'latest'>;
  readonly clock: Clock;
}

/** Between two requests to cancel a leg that no list tells of, wall milliseconds: a cancel takes its time. */
const askAgainMs = 3000;

interface Asked {
  readonly at: number;
  /** The broker has said that there is nothing to cancel. */
  readonly nothing: boolean;
}

/** @returns what cancels the legs, and tells whether none can sell any more; called again until it does. */
export function createRelease(deps: ReleaseDeps, conid: string): () => Promise<boolean> {
  const { broker, brokerState, clock, mode, accountId } = deps;
  const asked = new Map<string, Asked>();

  async function cancel({ brokerOrderId }: LegState): Promise<void> {
    const answer = await broker.cancelOrder(accountId, brokerOrderId);
    asked.set(brokerOrderId, { at: clock.now(), nothing: answer === 'nothing' });
  }

  const look = async () => ({
    legs: await legsOf(deps, conid),
    snapshot: await brokerState.latest(mode, accountId),
  });

  return async () => {
    let { legs, snapshot } = await look();
    const due = legs.filter((leg) => isDue(leg, asked.get(leg.brokerOrderId), snapshot, clock.now()));
    for (const leg of due) await cancel(leg);
    if (due.length > 0) ({ legs, snapshot } = await look());
    return legs.every((leg) => isOver(leg, asked.get(leg.brokerOrderId), snapshot));
  };
}

async function legsOf(
  { intents, mode, accountId }: ReleaseDeps,
  conid: string,
): Promise<readonly LegState[]> {
  const open = await intents.listOpen(mode, accountId);
  const unproven = await intents.listUnproven(mode, accountId, conid);
  return [...open.filter((intent) => intent.conid === conid), ...unproven].flatMap(({ legs }) => legs);
}

/** A list has it at work: it is no longer only believed to be there. */
const isListed = ({ orders }: BrokerSnapshot, brokerOrderId: string): boolean =>
  orders.some(
    (order) =>
      order.brokerOrderId === brokerOrderId && isAlive(order.status) && order.unlistedSince === undefined,
  );

/**
 * What a list tells of is cancelled once: a later list tells what became of it. One that was not there to be cancelled, and that
 * a list has after that, is asked for once more.
 */
function isDue(
  { brokerOrderId, status, unproven }: LegState,
  asked: Asked | undefined,
  snapshot: BrokerSnapshot | null,
  now: number,
): boolean {
  if (asked === undefined) return unproven === true || isAlive(status);
  if (now - asked.at < askAgainMs) return false;
  if (!asked.nothing) return unproven === true;
  return snapshot !== null && isReadAfter(snapshot, asked) && isListed(snapshot, brokerOrderId);
}

const isReadAfter = ({ readStartedAt }: BrokerSnapshot, { at }: Asked): boolean =>
  Date.parse(readStartedAt) >= at;

/**
 * A leg that no list tells of is over once the broker has nothing to cancel, and the account was read after that: what it
 * sold before is no longer held then.
 */
function isOver(
  { brokerOrderId, status, unproven }: LegState,
  asked: Asked | undefined,
  snapshot: BrokerSnapshot | null,
): boolean {
  if (unproven !== true) return !isAlive(status);
  if (asked?.nothing !== true || snapshot === null) return false;
  return !isListed(snapshot, brokerOrderId) && isReadAfter(snapshot, asked);
}
