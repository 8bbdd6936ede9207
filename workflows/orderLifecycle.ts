// orderLifecycle: admits an order, sends it once, and follows it and its protective legs to their end. Started by
// strategyRun, outlives it, is fed by brokerState.
import {
  CancellationScope,
  condition,
  continueAsNew,
  getExternalWorkflowHandle,
  log,
  setHandler,
} from '@temporalio/workflow';
import type { OrderLifecycleInput, OrderReport, OrderState } from '../contracts/wire/order.js';
import { cancelOrder, marketReached, orderProgress, orderReport, orderState } from './signals.js';
import { admitAndSend } from './steps/admitAndSend.js';
import { followEntry } from './steps/followEntry.js';
import type { Lifecycle } from './steps/lifecycle.js';
import { legsAreOver } from './steps/lifecycle.js';

const dayMs = 24 * 60 * 60_000;

export async function orderLifecycle(input: OrderLifecycleInput): Promise<OrderState | null> {
  const lifecycle: Lifecycle = {
    state: input.resume === undefined ? 'ADMITTING' : 'FILLED',
    last: input.resume?.last ?? null,
    marketNow: null,
    waitingFor: null,
    cancelWanted: false,
  };
  setHandler(orderState, (state) => {
    lifecycle.last = state;
  });
  setHandler(marketReached, ({ now }) => {
    lifecycle.marketNow = now;
  });
  setHandler(cancelOrder, () => {
    lifecycle.cancelWanted = true;
  });
  setHandler(orderProgress, () => ({
    clientOrderId: input.clientOrderId,
    state: lifecycle.state,
    waitingFor: lifecycle.waitingFor,
    last: lifecycle.last,
  }));
  // A cancel through Temporal asks for the same as the signal: an order at the broker is never left alone.
  CancellationScope.current().cancelRequested.catch(() => {
    lifecycle.cancelWanted = true;
  });
  return CancellationScope.nonCancellable(() => live(input, lifecycle));
}

async function live(input: OrderLifecycleInput, lifecycle: Lifecycle): Promise<OrderState | null> {
  if (input.resume === undefined) {
    const sent = await admitAndSend(input, lifecycle);
    const end = sent.kind === 'ended' ? sent.report : await followEntry(input, lifecycle, sent.validUntil);
    await tellRun(input, end);
  }
  return followLegs(input, lifecycle);
}

/** Good till cancelled: the legs may live for months, so the workflow continues as new every day. */
async function followLegs(input: OrderLifecycleInput, lifecycle: Lifecycle): Promise<OrderState | null> {
  const over = await condition(() => legsAreOver(lifecycle.last), dayMs);
  const { last } = lifecycle;
  if (over || last === null) return last;
  return continueAsNew<typeof orderLifecycle>({ ...input, resume: { last } });
}

/** The run may be gone (terminated by a person); the order is followed all the same. */
async function tellRun(input: OrderLifecycleInput, report: OrderReport): Promise<void> {
  try {
    await getExternalWorkflowHandle(input.runWorkflowId).signal(orderReport, report);
  } catch (error) {
    log.warn('the run of this order is gone', { run: input.runWorkflowId, error: String(error) });
  }
}
