// The second half of a run's order: follow the entry until it is terminal and, if anything filled, until the protection
// is verified. What is not found stays unknown until the order could no longer be valid.
import { condition, isCancellation, log, sleep } from '@temporalio/workflow';
import type { OrderLifecycleInput, OrderReport, OrderState } from '../../contracts/wire/order.js';
import { bared, hasFill, isOver, isProtected, reportOf, type Lifecycle } from './lifecycle.js';
import { patienceMs, patient, repeatable } from './proxies.js';
import { waitForMarket } from './waitForMarket.js';

const { cancelEntry } = repeatable(120_000);
const { confirmOrder, expireOrder } = patient;

/** How long protective legs may take to show up, and a poll after the market passed the order's validity. */
const verifyMs = 120_000;

export async function followEntry(
  input: OrderLifecycleInput,
  lifecycle: Lifecycle,
  validUntil: string,
): Promise<OrderReport> {
  const { clientOrderId } = input;
  await condition(() => lifecycle.last !== null);
  let cancelSent = false;
  for (;;) {
    const { last } = lifecycle;
    if (last === null) throw new Error('unreachable: a state was told');
    if (last.found && isOver(last.status)) return settle(input, lifecycle, last);
    if (last.pastValidity && !last.found) {
      const state = await expireOrder({ clientOrderId, state: last });
      lifecycle.state = state;
      if (state === 'SENT_NOT_FOUND_EXPIRED' || state === 'EXPIRED') return expired(input, state, last);
    }
    if (lifecycle.cancelWanted && !cancelSent && last.brokerOrderId !== null) {
      cancelSent = await askForCancel(last.brokerOrderId);
      continue;
    }
    await nextNews(input, lifecycle, validUntil, last, cancelSent);
  }
}

/** A broker that is away may not end the following: the order may live. It is asked again. */
async function askForCancel(brokerOrderId: string): Promise<boolean> {
  try {
    await cancelEntry({ brokerOrderId });
    return true;
  } catch (error) {
    if (isCancellation(error)) throw error;
    log.error('the broker could not be asked to cancel', { brokerOrderId, error: String(error) });
    await sleep('30 seconds');
    return false;
  }
}

/** Until the poller tells something else, a cancel is wanted, or the market passes the order's validity. */
async function nextNews(
  input: OrderLifecycleInput,
  lifecycle: Lifecycle,
  validUntil: string,
  known: OrderState,
  cancelSent: boolean,
): Promise<void> {
  const cancelDue = () => lifecycle.cancelWanted && !cancelSent && known.brokerOrderId !== null;
  const news = () => lifecycle.last !== known || cancelDue();
  if (known.pastValidity) {
    await condition(news);
    return;
  }
  lifecycle.waitingFor = validUntil;
  const passed = await waitForMarket({
    mode: input.mode,
    runId: input.runId,
    instant: validUntil,
    deadlineMs: patienceMs,
    signalled: () => lifecycle.marketNow,
    interrupted: news,
  });
  lifecycle.waitingFor = null;
  if (passed) await condition(news);
}

/** The report, once the database says the same as the poller did. */
async function settle(
  input: OrderLifecycleInput,
  lifecycle: Lifecycle,
  entry: OrderState,
): Promise<OrderReport> {
  const report = await reportOfEnd(input, lifecycle, entry);
  await confirmOrder({ clientOrderId: input.clientOrderId, legs: lifecycle.last?.legs.length ?? 0 });
  return input.proposed.side === 'SELL' && entry.status !== 'FILLED' ? bared(report) : report;
}

async function reportOfEnd(
  input: OrderLifecycleInput,
  lifecycle: Lifecycle,
  entry: OrderState,
): Promise<OrderReport> {
  const { clientOrderId, proposed } = input;
  if (!hasFill(entry)) {
    const rejected = entry.status === 'REJECTED';
    lifecycle.state = rejected ? 'REJECTED' : 'CANCELLED';
    const why = entry.reason ?? 'the order ended without a fill';
    return reportOf(clientOrderId, rejected ? 'REJECTED' : 'NOT_FILLED', lifecycle.state, why, entry);
  }
  lifecycle.state = entry.status === 'FILLED' ? 'FILLED' : 'CANCELLED';
  const roles = [
    ...(proposed.stop === null ? [] : (['stop'] as const)),
    ...(proposed.target === null ? [] : (['target'] as const)),
  ];
  const verified = await condition(() => isProtected(lifecycle.last ?? entry, roles), verifyMs);
  const filled = lifecycle.last ?? entry;
  const how = roles.length === 0 ? 'filled' : 'filled, and every protective leg works';
  return verified
    ? reportOf(clientOrderId, 'FILLED', 'FILLED', how, filled)
    : reportOf(
        clientOrderId,
        'UNPROTECTED',
        'PROTECTION_MISSING',
        'filled, but a protective leg does not work for what has filled: place a stop by hand, or close the position',
        filled,
      );
}

function expired(
  { clientOrderId, proposed }: OrderLifecycleInput,
  state: 'SENT_NOT_FOUND_EXPIRED' | 'EXPIRED',
  last: OrderState,
): OrderReport {
  if (state === 'EXPIRED') {
    const why =
      'the order was acknowledged, and neither a list nor an execution tells of it any more; check the account before trading on';
    const report = reportOf(clientOrderId, 'NOT_FILLED', state, why, last);
    return proposed.side === 'SELL' ? bared(report) : report;
  }
  return reportOf(
    clientOrderId,
    'SENT_NOT_FOUND_EXPIRED',
    state,
    'the order was sent, was never found, and can no longer be valid; check the account before trading on',
    last,
  );
}
