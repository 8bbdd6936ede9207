// What the Client Portal API offers beside the ports: for a person at a desk, scripts and tests. No run uses it. Made by
// gateway.ts; every call stands in a session whose account agrees with the mode.
import type { BrokerOrder, PlaceOutcome } from '../../ports/broker.js';
import type { Clock } from '../../ports/clocks.js';
import type { BrokerParts } from './broker.js';
import { describeContract, searchContracts } from './deskContracts.js';
import type { ContractFacts, FoundContract } from './deskContracts.js';
import { readBarsBack, readMarket, release } from './deskData.js';
import type { MarketFacts, PageBar } from './deskData.js';
import { groupWrite, modifyWrite, previewOrder } from './deskOrders.js';
import type { DeskOrder, GroupLeg, OrderPreview } from './deskOrders.js';
import { logOut, validate } from './deskLogin.js';
import type { LoginFacts } from './deskLogin.js';
import type { Bar } from '../../domain/market/bar.js';
import type { Contract } from '../../domain/market/contract.js';
import { readOrders } from './orders.js';
import { readOrderStatus } from './orderStatus.js';
import type { OrderStatus } from './orderStatus.js';
import { writeOrder } from './place.js';
import type { OrderWrite } from './place.js';

/** What became of one order of a group: the list of live orders says so, whatever the answer to the request was. */
export interface GroupResult {
  readonly clientOrderId: string;
  /** Null: no list has it. It is not known to live, and must be looked for again before it is sent again. */
  readonly order: BrokerOrder | null;
}

export interface IbkrDesk {
  /** Who is logged in, and for how long; at most once a minute. */
  validate(): Promise<LoginFacts>;
  /** Ends the login. A person must log in again. */
  logOut(): Promise<void>;
  /** Listings by symbol, or by a part of the name. None is an empty list. */
  search(text: string, by: 'symbol' | 'name'): Promise<readonly FoundContract[]>;
  describe(conid: string): Promise<ContractFacts>;
  /** Bars back from the newest, as many as are wanted and there are, in pages of 1000. Oldest first. */
  barsBack(
    contract: Pick<Contract, 'conid' | 'symbol'>,
    bar: PageBar,
    count: number,
  ): Promise<readonly Bar[]>;
  market(contract: Pick<Contract, 'conid' | 'symbol'>): Promise<MarketFacts>;
  /** Gives the market data line of a contract back. Nothing to give back is no error. */
  release(conid: string): Promise<void>;
  /** What an order would cost and change. Nothing is placed. */
  preview(order: DeskOrder): Promise<OrderPreview>;
  /** Places orders of which one cancels the others. Not atomic: each has to be looked at. */
  placeGroup(
    orders: readonly GroupLeg[],
  ): Promise<{ readonly outcome: PlaceOutcome; readonly orders: readonly GroupResult[] }>;
  /** New quantity and price of an open order; every other term must be given as it is. */
  modify(brokerOrderId: string, order: DeskOrder): Promise<PlaceOutcome>;
  /** Null where IBKR no longer knows the order: its executions may still tell of it. */
  status(brokerOrderId: string): Promise<OrderStatus | null>;
}

export type DeskParts = Omit<BrokerParts, 'lines'> & { readonly clock: Clock };

/** Longest wait for a turn of an order, wall milliseconds. */
const turnMs = 30_000;

export function createIbkrDesk(parts: DeskParts): IbkrDesk {
  const { client, pacing, session, timer, factor, accountId } = parts;
  const write = async (make: () => OrderWrite): Promise<PlaceOutcome> => {
    const made = make();
    await session.ensure();
    await pacing.reserve(parts.clock.now() + turnMs);
    return session.run(() => writeOrder(parts, made));
  };
  return {
    validate: () => validate(client),
    logOut: () => logOut(client, session),
    search: (text, by) => session.run(() => searchContracts(client, text, by)),
    describe: (conid) => session.run(() => describeContract(client, conid)),
    barsBack: (contract, bar, count) => session.run(() => readBarsBack(client, contract, bar, count)),
    market: (contract) => session.run(() => readMarket({ client, timer, factor }, contract)),
    release: (conid) => session.run(() => release(client, conid)),
    preview: (order) =>
      session.run(async () => {
        // Without market data of the contract IBKR previews nothing.
        await readMarket({ client, timer, factor }, order.contract);
        return previewOrder(client, accountId, order);
      }),
    async placeGroup(orders) {
      const outcome = await write(() => groupWrite(accountId, orders));
      const { orders: listed } = await session.run((memory) => readOrders(client, memory, accountId));
      const results = orders.map(({ clientOrderId }) => ({
        clientOrderId,
        order: listed.find((order) => order.clientOrderId === clientOrderId) ?? null,
      }));
      return { outcome, orders: results };
    },
    modify: (brokerOrderId, order) => write(() => modifyWrite(accountId, brokerOrderId, order)),
    status: (brokerOrderId) => session.run(() => readOrderStatus(client, brokerOrderId)),
  };
}
