// BrokerPort over the Client Portal Web API. Made by gateway.ts.
import type { BrokerPort } from '../../ports/broker.js';
import { KeelError } from '../../ports/errors.js';
import type { LocksPort } from '../../ports/locks.js';
import type { IbkrClient } from './client.js';
import { resolveContract } from './contracts.js';
import { mostLines, type Lines } from './lines.js';
import { readSnapshot, readSnapshots } from './marketData.js';
import { readExecutions } from './executions.js';
import { cancelOrder, readOrder, readOrders } from './orders.js';
import type { Pacing } from './pacing.js';
import type { Timer } from './timer.js';
import { placeOrder } from './place.js';
import { readAccount, readPositions } from './portfolio.js';
import type { IbkrSession } from './session.js';

export interface BrokerParts {
  readonly client: IbkrClient;
  readonly pacing: Pacing;
  readonly session: IbkrSession;
  readonly timer: Timer;
  readonly factor: number;
  /** The only account that is read or traded. */
  readonly accountId: string;
  readonly lines: Lines;
  readonly locks: LocksPort;
  readonly login: string;
  readonly confirmMessageIds: readonly string[];
}

/** Every call stands in a session whose account agrees with the mode; other accounts are refused. */
export function createIbkrBroker({
  client,
  pacing,
  session,
  timer,
  factor,
  accountId,
  lines,
  ...placing
}: BrokerParts): BrokerPort {
  const own = (asked: string): void => {
    if (asked === accountId) return;
    throw new KeelError(
      'BROKER_SESSION',
      `This process trades ${accountId} and no other account; nothing was sent.`,
      {
        facts: { accountId, asked },
      },
    );
  };
  return {
    resolveContract: (symbol) => session.run(() => resolveContract(client, symbol)),
    quote: (contract) => {
      lines.asked([contract.conid]);
      return session.run(() => readSnapshot({ client, timer, factor }, contract));
    },
    quotes: (contracts) => session.run(() => readSnapshots({ client, timer, factor }, lines, contracts)),
    mostQuotes: mostLines,
    async account(asked) {
      own(asked);
      return session.run((memory) => readAccount(client, memory, asked));
    },
    async positions(asked) {
      own(asked);
      return session.run((memory) => readPositions(client, memory, asked));
    },
    async orders(asked) {
      own(asked);
      return session.run((memory) => readOrders(client, memory, asked));
    },
    async orderNow(asked, known) {
      own(asked);
      return session.run(() => readOrder(client, known));
    },
    async executions(asked) {
      own(asked);
      return session.run((memory) => readExecutions(client, memory, asked));
    },
    // A look at the session first: it may have ended, or been opened anew, since this process saw it.
    async waitForOrderSlot(deadline) {
      await session.ensure();
      await pacing.reserve(deadline);
    },
    async placeOrder(request, beforeSend, claim) {
      own(request.accountId);
      return session.run(() => placeOrder({ client, session, ...placing }, request, beforeSend, claim));
    },
    async cancelOrder(asked, brokerOrderId) {
      own(asked);
      return session.run(() => cancelOrder(client, asked, brokerOrderId), 'cancel');
    },
    ensureSession: () => session.ensure(),
  };
}
