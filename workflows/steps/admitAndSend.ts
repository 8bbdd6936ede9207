// The first half of a lifecycle: admit, store the intent, send once. Nothing here is ever sent twice: a second attempt
// happens only while the intent was never taken to be sent.
import { ActivityFailure, isCancellation } from '@temporalio/workflow';
import type { Submission } from '../../activities/order.js';
import type { OrderLifecycleInput, OrderReport } from '../../contracts/wire/order.js';
import { reportOf, type Lifecycle } from './lifecycle.js';
import { once, repeatable, stored } from './proxies.js';

export type Sent =
  | { readonly kind: 'ended'; readonly report: OrderReport }
  | { readonly kind: 'sent'; readonly validUntil: string };

const deadlineMs = 120_000;
const { admitOrder, releaseProtection } = repeatable(deadlineMs);
const { recordSubmission, intentState, abandonOrder } = stored(deadlineMs);

/** A sell whose position has already lost its protective legs must not end quietly. */
const bare =
  'the protective legs were cancelled for a sell that was not sent; place a stop by hand, or close the position:';

/** Attempts at an intent that nobody took. */
const submitAttempts = 3;

export async function admitAndSend(input: OrderLifecycleInput, lifecycle: Lifecycle): Promise<Sent> {
  const { clientOrderId } = input;
  let released = false;
  const ended = (outcome: OrderReport['outcome'], code: string, message: string): Sent => ({
    kind: 'ended',
    report:
      released && code !== 'NOTHING_TO_SELL'
        ? reportOf(clientOrderId, 'UNPROTECTED', code, `${bare} ${message}`, lifecycle.last)
        : reportOf(clientOrderId, outcome, code, message, lifecycle.last),
  });
  if (input.proposed.side === 'SELL') {
    const release = await releaseProtection(input);
    if (release.kind === 'refused') return ended('REFUSED', release.code, release.message);
    released = true;
  }
  const admission = await admitOrder(input);
  if (admission.kind === 'refused') return ended('REFUSED', admission.code, admission.message);
  lifecycle.state = 'INTENT';
  if (lifecycle.cancelWanted && (await abandonOrder({ clientOrderId, reason: 'the run was cancelled' }))) {
    lifecycle.state = 'ABANDONED';
    return ended('ABANDONED', 'CANCELLED', 'the run was cancelled before its order was sent');
  }
  const submission = await submit(input, admission.sendBy);
  await recordSubmission({ clientOrderId, submission });
  switch (submission.kind) {
    case 'not_sent':
      lifecycle.state = 'NOT_SENT';
      return ended('NOT_SENT', submission.code, submission.message);
    case 'rejected':
      lifecycle.state = 'REJECTED';
      return ended('REJECTED', 'REJECTED_BY_BROKER', submission.evidence);
    case 'accepted':
    case 'unknown':
      lifecycle.state = submission.kind === 'accepted' ? 'ACKNOWLEDGED' : 'UNKNOWN';
      return { kind: 'sent', validUntil: admission.validUntil };
  }
}

/** An attempt that told nothing is unknown, unless the intent was never taken: then it may be attempted again. */
async function submit(input: OrderLifecycleInput, sendBy: string): Promise<Submission> {
  const { clientOrderId, riskInput } = input;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await once.submitOrder({ clientOrderId, riskInput, sendBy });
    } catch (error) {
      if (!(error instanceof ActivityFailure) || isCancellation(error)) throw error;
      const state = await intentState(clientOrderId);
      if (state === 'NOT_SENT') return { kind: 'not_sent', code: 'NOT_SENT', message: messageOf(error) };
      if (state !== 'INTENT') return { kind: 'unknown', reason: messageOf(error) };
      if (attempt >= submitAttempts) return giveUp(clientOrderId, messageOf(error));
    }
  }
}

/** Taking the intent back may lose against a late sender; then the outcome is unknown. */
async function giveUp(clientOrderId: string, reason: string): Promise<Submission> {
  const taken = await abandonOrder({ clientOrderId, reason });
  return taken ? { kind: 'not_sent', code: 'NOT_SENT', message: reason } : { kind: 'unknown', reason };
}

const messageOf = (error: ActivityFailure): string => error.cause?.message ?? error.message;
