// What a lifecycle knows of its order, and the questions it asks of it. Used by orderLifecycle and its steps.
import type {
  BrokerOrderStatus,
  IntentState,
  LegState,
  OrderOutcome,
  OrderReport,
  OrderState,
} from '../../contracts/wire/order.js';

export interface Lifecycle {
  state: IntentState | 'ADMITTING';
  /** What the poller told last. */
  last: OrderState | null;
  /** The instant of the last marketReached signal. */
  marketNow: string | null;
  waitingFor: string | null;
  cancelWanted: boolean;
}

const over: readonly BrokerOrderStatus[] = ['FILLED', 'CANCELLED', 'REJECTED'];
const atWork: readonly BrokerOrderStatus[] = ['PENDING', 'WORKING'];

export const isOver = (status: BrokerOrderStatus | null): boolean => status !== null && over.includes(status);

/** Decimal strings of our own wires have one form for zero. */
export const hasFill = (state: OrderState): boolean => Number(state.filledQuantity) > 0;

export const legsAreOver = (state: OrderState | null): boolean =>
  state === null || state.legs.every((leg) => isOver(leg.status));

/**
 * Every protective leg works for what has filled, no more (the rest would be a short) and no less, or one has filled and
 * closed the position.
 */
export function isProtected(
  { legs, filledQuantity }: Pick<OrderState, 'legs' | 'filledQuantity'>,
  roles: readonly LegState['role'][],
): boolean {
  if (legs.some(({ status }) => status === 'FILLED')) return true;
  const fits = ({ quantity }: LegState): boolean =>
    quantity === undefined || Number(quantity) === Number(filledQuantity);
  return roles.every((role) =>
    legs.some((leg) => leg.role === role && atWork.includes(leg.status) && fits(leg)),
  );
}

/**
 * A sell has its position's protective legs cancelled first. One that then does not sell everything must not end quietly.
 */
export const bared = (report: OrderReport): OrderReport => ({
  ...report,
  outcome: 'UNPROTECTED',
  message: `the protective legs were cancelled for a sell that did not sell everything; place a stop by hand, or close the position: ${report.message}`,
});

export const reportOf = (
  clientOrderId: string,
  outcome: OrderOutcome,
  code: string,
  message: string,
  state: OrderState | null,
): OrderReport => ({
  outcome,
  code,
  message,
  clientOrderId,
  brokerOrderId: state?.brokerOrderId ?? null,
  filledQuantity: state?.filledQuantity ?? '0',
  averagePrice: state?.averagePrice ?? null,
});
