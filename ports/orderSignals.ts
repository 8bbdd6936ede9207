// How the one poller tells a lifecycle what it found.
import type { OrderState } from '../contracts/wire/order.js';

export interface OrderSignalsPort {
  /** Delivers at least once; a lifecycle that is no more is no error. */
  orderState(state: OrderState): Promise<void>;
}
