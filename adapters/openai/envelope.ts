// What a server's answer says: the model's text, or the outcome that stands in its place. Reads bytes, live and stored
// alike, so that a replay reads what the run read.
import { z } from 'zod';
import type { ModelOutcome } from '../../ports/conversations.js';
import { cleanText } from './untrusted.js';

export interface Envelope {
  /** The model's text; null where another outcome stands in its place. */
  readonly text: string | null;
  /** Null where there is text to parse. */
  readonly outcome: Exclude<ModelOutcome, 'ok' | 'timeout' | 'budget'> | null;
  /** In words, where the outcome is not null. */
  readonly reason: string;
  /** An error that the server reports inside a good answer, by its code. */
  readonly failed: string | null;
  readonly model: string | null;
  readonly fingerprint: string | null;
  readonly responseId: string | null;
  readonly finishReason: string | null;
  readonly inputTokens: number | null;
  readonly cachedTokens: number | null;
  readonly outputTokens: number | null;
}

const text = z.string().nullish().catch(null);
/** What is stored as it is said: short, and without what PostgreSQL or a terminal would choke on. */
const label = z
  .string()
  .transform((said) => cleanText(said, 200))
  .nullish()
  .catch(null);
const count = z.int().min(0).max(1_000_000_000).nullish().catch(null);

const chatSchema = z.object({
  id: label,
  model: label,
  system_fingerprint: label,
  choices: z.array(
    z.object({
      finish_reason: label,
      message: z.object({
        content: z.union([z.string(), z.array(z.object({ type: z.string(), text }))]).nullish(),
        refusal: text,
      }),
    }),
  ),
  usage: z
    .object({
      prompt_tokens: count,
      completion_tokens: count,
      prompt_tokens_details: z.object({ cached_tokens: count }).nullish().catch(null),
    })
    .nullish()
    .catch(null),
});

const part = z.object({ type: z.string(), text, refusal: text });

const responsesSchema = z.object({
  id: label,
  model: label,
  status: label,
  error: z.object({ code: label }).nullish().catch(null),
  incomplete_details: z.object({ reason: label }).nullish().catch(null),
  output: z.array(z.object({ type: z.string(), content: z.array(part).nullish().catch(null) })),
  usage: z
    .object({
      input_tokens: count,
      output_tokens: count,
      input_tokens_details: z.object({ cached_tokens: count }).nullish().catch(null),
    })
    .nullish()
    .catch(null),
});

/** Of an answer that tells nothing. */
export const nothing = {
  text: null,
  failed: null,
  model: null,
  fingerprint: null,
  responseId: null,
  finishReason: null,
  inputTokens: null,
  cachedTokens: null,
  outputTokens: null,
};

/** Reads the body of a good HTTP status; what is no answer of this API is invalid JSON. */
export function readEnvelope(api: 'responses' | 'chat', body: Uint8Array): Envelope {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder().decode(body));
  } catch {
    const looks = new TextDecoder().decode(body.subarray(0, 200)).trimStart();
    const kind = looks === '' ? 'nothing' : looks.startsWith('<') ? 'a web page' : 'no JSON';
    const outcome = kind === 'nothing' ? 'empty' : 'invalid_json';
    return {
      ...nothing,
      outcome,
      reason: `the server answered with ${kind}: see that its address is that of an API`,
    };
  }
  const read = api === 'chat' ? readChat(value) : readResponses(value);
  return (
    read ?? {
      ...nothing,
      outcome: 'schema_invalid',
      reason: `the server's answer is none of the ${api === 'chat' ? 'chat completions' : 'Responses'} API: see OPENAI_API`,
    }
  );
}

interface Told {
  readonly model?: string | null | undefined;
  readonly fingerprint?: string | null | undefined;
  readonly responseId?: string | null | undefined;
  readonly finishReason?: string | null | undefined;
  readonly inputTokens?: number | null | undefined;
  readonly cachedTokens?: number | null | undefined;
  readonly outputTokens?: number | null | undefined;
}

/** What a server leaves out is null. */
const told = (given: Told): Omit<Envelope, 'text' | 'outcome' | 'reason' | 'failed'> => ({
  model: given.model ?? null,
  fingerprint: given.fingerprint ?? null,
  responseId: given.responseId ?? null,
  finishReason: given.finishReason ?? null,
  inputTokens: given.inputTokens ?? null,
  cachedTokens: given.cachedTokens ?? null,
  outputTokens: given.outputTokens ?? null,
});

type Judged = Pick<Envelope, 'text' | 'outcome' | 'reason'>;

const judged = (outcome: NonNullable<Envelope['outcome']>, reason: string): Judged => ({
  text: null,
  outcome,
  reason,
});
const cut = judged('length', 'the answer was cut off at the cap on output tokens (model.maxOutputTokens)');
const filtered = judged('content_filter', "the provider's content filter withheld the answer");
const refused = (words: string): Judged => judged('refusal', `the model refused: ${cleanText(words, 300)}`);
const judgeText = (found: string): Judged =>
  found.trim() === ''
    ? judged('empty', 'the model answered with no text')
    : { text: found, outcome: null, reason: '' };

function readChat(value: unknown): Envelope | null {
  const parsed = chatSchema.safeParse(value);
  if (!parsed.success) return null;
  const { id, model, system_fingerprint: fingerprint, choices, usage } = parsed.data;
  const choice = choices[0];
  const content = choice?.message.content ?? '';
  const found =
    typeof content === 'string'
      ? content
      : content.map((each) => (each.type === 'text' ? (each.text ?? '') : '')).join('');
  return {
    ...judgeChat(choice?.finish_reason ?? null, choice?.message.refusal ?? null, found),
    failed: null,
    ...told({
      model,
      fingerprint,
      responseId: id,
      finishReason: choice?.finish_reason,
      inputTokens: usage?.prompt_tokens,
      cachedTokens: usage?.prompt_tokens_details?.cached_tokens,
      outputTokens: usage?.completion_tokens,
    }),
  };
}

function judgeChat(finish: string | null, refusal: string | null, found: string): Judged {
  if (finish === 'content_filter') return filtered;
  if (finish === 'length') return cut;
  if (refusal !== null && refusal !== '') return refused(refusal);
  return judgeText(found);
}

function readResponses(value: unknown): Envelope | null {
  const parsed = responsesSchema.safeParse(value);
  if (!parsed.success) return null;
  const { id, model, status, error, incomplete_details: incomplete, output, usage } = parsed.data;
  const parts = output.flatMap((item) => (item.type === 'message' ? (item.content ?? []) : []));
  const refusal = parts.find(({ type }) => type === 'refusal')?.refusal ?? null;
  const found = parts.map(({ type, text: words }) => (type === 'output_text' ? (words ?? '') : '')).join('');
  const reason = incomplete?.reason ?? null;
  return {
    ...judgeResponses(status ?? 'completed', reason, refusal, found),
    failed: status === 'failed' ? (error?.code ?? 'unknown') : null,
    ...told({
      model,
      responseId: id,
      finishReason: reason ?? status,
      inputTokens: usage?.input_tokens,
      cachedTokens: usage?.input_tokens_details?.cached_tokens,
      outputTokens: usage?.output_tokens,
    }),
  };
}

function judgeResponses(
  status: string,
  reason: string | null,
  refusal: string | null,
  found: string,
): Judged {
  if (reason === 'content_filter') return filtered;
  if (status === 'incomplete') return cut;
  if (refusal !== null) return refused(refusal);
  if (status !== 'completed')
    return judged('empty', `the response ended as ${status.slice(0, 40)}, without an answer`);
  return judgeText(found);
}
