// The first half of a lifecycle: admit, store the intent, send once. Nothing here is ever sent twice: a second attempt
// happens only while the intent was never taken to be sent.
import { ActivityFailure, isCancellation } from '@temporalio/workflow';
import type { Admission } from '../../activities/admission.js';
import type { Submission } from '../../activities/order.js';
import type { IntentState, OrderLifecycleInput, OrderReport } from '../../contracts/wire/order.js';
import { rootOf } from './ending.js';
import { bared, reportOf, type Lifecycle } from './lifecycle.js';
import { once, patient, repeatable } from './proxies.js';

export type Sent =
  | { readonly kind: 'ended'; readonly report: OrderReport }
  | { readonly kind: 'sent'; readonly validUntil: string };

const deadlineMs = 120_000;
const { admitOrder, rehearseSell, releaseProtection } = repeatable(deadlineMs);
const { recordSubmission, intentState, abandonOrder } = patient;

const cancelledBefore = 'the run was cancelled before its order was sent';

/** States that only a poll gives which has found the order at the broker. */
const listed: readonly IntentState[] = ['ACKNOWLEDGED', 'FILLED', 'CANCELLED'];
/** Ends of an intent that was never written to the socket. */
const untouched: readonly IntentState[] = ['NOT_SENT', 'ABANDONED'];

/** Attempts at an intent that nobody took. */
const submitAttempts = 3;

export async function admitAndSend(input: OrderLifecycleInput, lifecycle: Lifecycle): Promise<Sent> {
  const { clientOrderId } = input;
  let legsTouched = false;
  const cancelled = () => lifecycle.cancelWanted;
  const ended = (outcome: OrderReport['outcome'], code: string, message: string): Sent => {
    const report = reportOf(clientOrderId, outcome, code, message, lifecycle.last);
    return { kind: 'ended', report: legsTouched && code !== 'NOTHING_TO_SELL' ? bared(report) : report };
  };
  if (cancelled()) {
    lifecycle.state = 'ABANDONED';
    return ended('ABANDONED', 'CANCELLED', cancelledBefore);
  }
  let admission: Admission;
  try {
    if (input.proposed.side === 'SELL') {
      const rehearsal = await rehearseSell(input);
      if (rehearsal.kind === 'refused') return ended('REFUSED', rehearsal.code, rehearsal.message);
      // From here on, whatever an attempt tells or leaves untold, legs may be cancelled.
      legsTouched = true;
      await releaseProtection(input);
    }
    admission = await admitOrder(input);
  } catch (error) {
    // Nothing was sent yet, but the intent may be stored: it must not go on reserving cash.
    const { code, message } = rootOf(error);
    await abandonOrder({ clientOrderId, reason: code });
    return ended('REFUSED', code, message);
  }
  if (admission.kind === 'refused') return ended('REFUSED', admission.code, admission.message);
  lifecycle.state = 'INTENT';
  // A sell whose position has given up its protection is not called back any more: selling is the safer end.
  if (
    cancelled() &&
    !legsTouched &&
    (await abandonOrder({ clientOrderId, reason: 'the run was cancelled' }))
  ) {
    lifecycle.state = 'ABANDONED';
    return ended('ABANDONED', 'CANCELLED', cancelledBefore);
  }
  return send(input, lifecycle, admission, ended);
}

async function send(
  input: OrderLifecycleInput,
  lifecycle: Lifecycle,
  admission: Extract<Admission, { kind: 'admitted' }>,
  ended: (outcome: OrderReport['outcome'], code: string, message: string) => Sent,
): Promise<Sent> {
  const submission = await submit(input, admission.sendBy);
  const state = await recordSubmission({ clientOrderId: input.clientOrderId, submission });
  switch (submission.kind) {
    case 'not_sent':
      if (submission.code === 'CANCELLED') {
        lifecycle.state = 'ABANDONED';
        return ended('ABANDONED', submission.code, submission.message);
      }
      lifecycle.state = 'NOT_SENT';
      return ended('NOT_SENT', submission.code, submission.message);
    case 'rejected':
      // A poll has found it at the broker all the same, as an order that is asked about may be: the list decides.
      if (listed.includes(state)) {
        lifecycle.state = state;
        return { kind: 'sent', validUntil: admission.validUntil };
      }
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
      if (untouched.includes(state)) return { kind: 'not_sent', code: 'NOT_SENT', message: messageOf(error) };
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

const messageOf = (error: ActivityFailure): string => rootOf(error).message;
