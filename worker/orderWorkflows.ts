// Asks Temporal whether the lifecycle of an order is open. Used by the reconciliation monitor.
import { WorkflowNotFoundError, type Client } from '@temporalio/client';
import { orderWorkflowId, type Mode } from '../contracts/wire/names.js';
import type { Clock } from '../ports/clocks.js';
import { KeelError } from '../ports/errors.js';
import type { OrderWorkflowsPort } from '../ports/monitors.js';

const timeoutMs = 5000;

export const createOrderWorkflows = (client: Client, mode: Mode, clock: Clock): OrderWorkflowsPort => ({
  async isOpen(clientOrderId) {
    const handle = client.workflow.getHandle(orderWorkflowId(mode, clientOrderId));
    try {
      const { status } = await client.withDeadline(clock.now() + timeoutMs, () => handle.describe());
      return status.name === 'RUNNING';
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return false;
      throw new KeelError('TEMPORAL_AWAY', `Temporal does not tell of order ${clientOrderId}.`, {
        errorClass: 'retryable',
        cause: error,
      });
    }
  },
});
