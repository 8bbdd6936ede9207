// Tells a lifecycle over Temporal what the poller found.
import { WorkflowNotFoundError, type Client } from '@temporalio/client';
import { orderWorkflowId, signalNames, type Mode } from '../contracts/wire/names.js';
import type { OrderSignalsPort } from '../ports/orderSignals.js';

export const createOrderSignals = (client: Client, mode: Mode): OrderSignalsPort => ({
  async orderState(state) {
    const handle = client.workflow.getHandle(orderWorkflowId(mode, state.clientOrderId));
    try {
      await handle.signal(signalNames.orderState, state);
    } catch (error) {
      if (!(error instanceof WorkflowNotFoundError)) throw error;
    }
  },
});
