// The run's side of an order: starts its lifecycle, waits for the report, and passes a cancel on.
import {
  CancellationScope,
  ChildWorkflowCancellationType,
  condition,
  isCancellation,
  ParentClosePolicy,
  startChild,
  workflowInfo,
} from '@temporalio/workflow';
import { orderWorkflowId } from '../../contracts/wire/names.js';
import type { OrderLifecycleInput } from '../../contracts/wire/order.js';
import type { orderLifecycle } from '../orderLifecycle.js';
import { cancelOrder } from '../signals.js';
import { endOf, reportEnd, type Ending } from './ending.js';
import type { Story } from './story.js';

/** A lifecycle that says nothing for so long is stuck; the run ends and says so. */
const silence = '14 days';

export async function placeAndFollow(
  story: Story,
  order: Omit<OrderLifecycleInput, 'runWorkflowId'>,
): Promise<Ending> {
  const { mode, symbol, clientOrderId, proposed } = order;
  const child = await startChild<typeof orderLifecycle>('orderLifecycle', {
    workflowId: orderWorkflowId(mode, clientOrderId),
    args: [{ ...order, runWorkflowId: workflowInfo().workflowId }],
    parentClosePolicy: ParentClosePolicy.ABANDON,
    cancellationType: ChildWorkflowCancellationType.ABANDON,
    workflowIdReusePolicy: 'REJECT_DUPLICATE',
    staticSummary: `${proposed.side} ${proposed.quantity} ${symbol}`,
  });
  try {
    await condition(() => story.report !== null, silence);
  } catch (error) {
    if (!isCancellation(error)) throw error;
    await CancellationScope.nonCancellable(async () => {
      await child.signal(cancelOrder);
      await condition(() => story.report !== null, silence);
    });
  }
  return story.report === null
    ? endOf(
        'SENT_NOT_FOUND_EXPIRED',
        'LIFECYCLE_SILENT',
        `the lifecycle of order ${clientOrderId} told nothing`,
      )
    : reportEnd(story.report);
}
