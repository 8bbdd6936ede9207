// The run's side of an order: starts its lifecycle, waits for the report, and passes a cancel on.
import {
  CancellationScope,
  CancelledFailure,
  ChildWorkflowCancellationType,
  condition,
  isCancellation,
  log,
  ParentClosePolicy,
  startChild,
  workflowInfo,
  type ChildWorkflowHandle,
} from '@temporalio/workflow';
import { orderWorkflowId } from '../../contracts/wire/names.js';
import type { OrderLifecycleInput } from '../../contracts/wire/order.js';
import type { orderLifecycle } from '../orderLifecycle.js';
import { cancelOrder } from '../signals.js';
import { endOf, reportEnd, rootOf, type Ending } from './ending.js';
import type { Story } from './story.js';

/** A lifecycle that says nothing for so long is stuck; the run ends and says so. */
const silence = '14 days';

export async function placeAndFollow(
  story: Story,
  order: Omit<OrderLifecycleInput, 'runWorkflowId'>,
): Promise<Ending> {
  const { mode, symbol, clientOrderId, proposed } = order;
  if (CancellationScope.current().consideredCancelled) throw new CancelledFailure('the run was cancelled');
  // A cancel that arrives while the lifecycle starts would leave it trading with nobody to call it back.
  const child = await CancellationScope.nonCancellable(() =>
    startChild<typeof orderLifecycle>('orderLifecycle', {
      workflowId: orderWorkflowId(mode, clientOrderId),
      args: [{ ...order, runWorkflowId: workflowInfo().workflowId }],
      parentClosePolicy: ParentClosePolicy.ABANDON,
      cancellationType: ChildWorkflowCancellationType.ABANDON,
      workflowIdReusePolicy: 'REJECT_DUPLICATE',
      staticSummary: `${proposed.side} ${proposed.quantity} ${symbol}`,
    }),
  );
  child.result().then(
    () => (story.lost = 'ended without a report'),
    (error: unknown) => (story.lost = `failed: ${rootOf(error).message}`),
  );
  const told = () => story.report !== null || story.lost !== null;
  try {
    await condition(told, silence);
  } catch (error) {
    if (!isCancellation(error)) throw error;
    await CancellationScope.nonCancellable(async () => {
      if (!told()) await callBack(child);
      await condition(told, silence);
    });
  }
  if (story.report !== null) return reportEnd(story.report);
  const { lost } = story;
  const message = `the lifecycle of order ${clientOrderId} ${lost ?? 'told nothing'}: look for the order at the broker`;
  return lost === null
    ? endOf('SENT_NOT_FOUND_EXPIRED', 'LIFECYCLE_SILENT', message)
    : { status: 'failed', outcome: 'FAILED', code: 'LIFECYCLE_LOST', message };
}

/** A lifecycle that has just ended takes no signal; it has told its end. */
async function callBack(child: ChildWorkflowHandle<typeof orderLifecycle>): Promise<void> {
  try {
    await child.signal(cancelOrder);
  } catch (error) {
    log.warn('the lifecycle takes no cancel any more', { error: String(error) });
  }
}
