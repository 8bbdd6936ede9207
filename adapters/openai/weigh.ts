// From what a server did to what it means: an answer, an outcome in its place, or a failure; and what it cost.
// Called by ask.ts for a live call and by replay.ts for a stored one.
import { callCost } from '../../domain/decision/cost.js';
import type { Clock } from '../../ports/clocks.js';
import type { ModelOutcome } from '../../ports/conversations.js';
import type { Parsed } from './answers.js';
import type { Exchange } from './client.js';
import { nothing, readEnvelope, type Envelope } from './envelope.js';
import { failedResponse, failureOf, type CallFailure } from './errors.js';
import type { ModelProfile } from './profile.js';
import { canonical, type ModelRequest } from './request.js';
import { cleanText } from './untrusted.js';

export type Asked<T> =
  | { readonly kind: 'ok'; readonly value: T }
  | {
      readonly kind: 'outcome';
      readonly outcome: Exclude<ModelOutcome, 'ok'>;
      readonly message: string;
      /** The model's text and what is wrong with it, where a repair can be asked for. */
      readonly repairable: { readonly answer: string; readonly complaints: readonly string[] } | null;
    }
  | { readonly kind: 'noPictures' };

export const outcomeOf = (outcome: ModelOutcome | null, message: string | null): Asked<never> => ({
  kind: 'outcome',
  outcome: outcome === null || outcome === 'ok' ? 'empty' : outcome,
  message: message ?? 'the recorded call has no answer',
  repairable: null,
});

interface Weighed<T> {
  /** Null where the call failed and an error is thrown. */
  readonly asked: Asked<T> | null;
  readonly outcome: ModelOutcome | null;
  readonly message: string | null;
  readonly envelope: Envelope | null;
  readonly failure: CallFailure | null;
}

export function weigh<T>(
  profile: ModelProfile,
  request: ModelRequest,
  exchange: Exchange,
  read: (text: string) => Parsed<T>,
  clock: Clock,
): Weighed<T> {
  if (exchange.broken === 'timeout') {
    const message = `the model gave no answer within ${profile.timeoutMs} ms`;
    return { ...none, asked: outcomeOf('timeout', message), outcome: 'timeout', message };
  }
  const failure = failureOf(exchange, request.pictures.length > 0, clock.now());
  if (failure !== null) return failed(failure, null);
  const envelope = counted(profile, request, readEnvelope(profile.api, exchange.body ?? new Uint8Array()));
  if (envelope.failed !== null) return failed(failedResponse(envelope.failed), envelope);
  return { failure: null, envelope, ...judge(envelope, read) };
}

/** More than any provider counts for one picture: the dearest in tokens is at 25,501 for one of this size. */
const tokensOfPicture = 50_000;
/** Some servers do not heed the cap on output; none makes so many times as much within the time of a call. */
const mostOverCap = 10;

/** A count that cannot be is none: a token has at least one byte. One broken server would use up everybody's budget. */
function counted(profile: ModelProfile, request: ModelRequest, envelope: Envelope): Envelope {
  const { inputTokens, outputTokens } = envelope;
  const bytes = Buffer.byteLength(JSON.stringify(canonical(profile, request)));
  const mostInput = bytes + request.pictures.length * tokensOfPicture;
  const canBe =
    (inputTokens ?? 0) <= mostInput && (outputTokens ?? 0) <= mostOverCap * profile.maxOutputTokens;
  return canBe ? envelope : { ...envelope, inputTokens: null, cachedTokens: null, outputTokens: null };
}

const none = { envelope: null, failure: null };

function failed(failure: CallFailure, envelope: Envelope | null): Weighed<never> {
  const { message } = failure;
  if (failure.filtered) {
    const asked = outcomeOf('content_filter', message);
    return { asked, outcome: 'content_filter', message, envelope, failure };
  }
  const asked = failure.noPictures ? ({ kind: 'noPictures' } as const) : null;
  return { asked, outcome: null, message, envelope, failure };
}

/** From the envelope to the answer, or the outcome in its place. The same for a live and a stored answer. */
export function judge<T>(
  envelope: Envelope,
  read: (text: string) => Parsed<T>,
): { readonly asked: Asked<T>; readonly outcome: ModelOutcome; readonly message: string | null } {
  if (envelope.outcome !== null || envelope.text === null) {
    const outcome = envelope.outcome ?? 'empty';
    const asked = outcomeOf(outcome, envelope.reason);
    return { asked, outcome, message: envelope.reason };
  }
  const parsed = read(envelope.text);
  if (parsed.kind === 'ok') return { asked: parsed, outcome: 'ok', message: null };
  const { outcome, complaints } = parsed;
  const message = cleanText(complaints.join('; '), 1000);
  const repairable = { answer: envelope.text, complaints };
  return { asked: { kind: 'outcome', outcome, message, repairable }, outcome, message };
}

export function resultOf({ outcome, message, envelope, failure }: Weighed<unknown>, { headers }: Exchange) {
  const told = envelope ?? nothing;
  return {
    state: outcome === null ? ('failed' as const) : ('answered' as const),
    outcome,
    code: failure?.code ?? null,
    down: failure?.down ?? false,
    message,
    modelAnswered: told.model,
    fingerprint: told.fingerprint,
    responseId: told.responseId,
    requestId: headers?.get('x-request-id')?.slice(0, 200) ?? null,
    finishReason: told.finishReason,
    inputTokens: told.inputTokens,
    cachedTokens: told.cachedTokens,
    outputTokens: told.outputTokens,
  };
}

/** What the tokens cost where they are told; nothing where the server refused; else the reserved amount. */
export function settledCost(
  profile: ModelProfile,
  { envelope, failure }: Pick<Weighed<unknown>, 'envelope' | 'failure'>,
  most: string,
): string {
  // Told tokens were used, whatever came of them.
  if (envelope !== null && envelope.inputTokens !== null && envelope.outputTokens !== null) {
    return callCost(profile.price, envelope.inputTokens, envelope.outputTokens);
  }
  return failure === null || failure.maybePaid ? most : '0';
}
