// What an HTTP status or a broken connection means: tried again by Temporal, final, or an outcome of the model.
import { z } from 'zod';
import type { ErrorClass } from '../../ports/errors.js';
import type { Exchange } from './client.js';
import { cleanText } from './untrusted.js';

export interface CallFailure {
  readonly errorClass: Exclude<ErrorClass, 'unknown'>;
  readonly code: string;
  readonly message: string;
  /** Milliseconds that the server asks to wait; null where it does not say. */
  readonly retryAfterMs: number | null;
  /** The model takes no pictures: ask again with numbers only. */
  readonly noPictures: boolean;
  /** The provider's filter refused the question: an outcome, not an error. */
  readonly filtered: boolean;
  /** The question may have been answered and paid for; never where `down`. */
  readonly maybePaid: boolean;
  /** The server itself lets nobody in, or says that it made no answer: a fallback may be asked in its place. */
  readonly down: boolean;
}

const errorBody = z.object({
  error: z.union([
    z.string(),
    z.object({
      message: z.string().nullish().catch(null),
      code: z.union([z.string(), z.number()]).nullish().catch(null),
      type: z.string().nullish().catch(null),
      param: z.string().nullish().catch(null),
    }),
  ]),
});

interface ServerError {
  /** Whether the body is an error of the API, and no page of a proxy. */
  readonly ofApi: boolean;
  readonly code: string;
  readonly words: string;
}

/** A server may quote what it was sent; keys must not come back out. After the word "key" only what looks like one is: with a digit, or long. */
const withoutKeys = (text: string): string =>
  cleanText(text, 400).replace(
    /\b(?:(?:sk|key)[-_]|Bearer |key (?=[\w.-]*[\d*]|[\w-]{16})|(?<=key provided: ))[\w*.-]{3,}/gi,
    '[key]',
  );

function serverError(body: Uint8Array | null): ServerError {
  try {
    const parsed = errorBody.safeParse(JSON.parse(new TextDecoder().decode(body ?? new Uint8Array())));
    if (!parsed.success) return { ofApi: false, code: '', words: '' };
    const { error } = parsed.data;
    if (typeof error === 'string') return { ofApi: true, code: '', words: withoutKeys(error) };
    return {
      ofApi: true,
      code: String(error.code ?? error.type ?? ''),
      words: withoutKeys([error.message, error.param].filter(Boolean).join(' ')),
    };
  } catch {
    return { ofApi: false, code: '', words: '' };
  }
}

/** From `retry-after-ms`, or `retry-after` in seconds or as a date. */
export function retryAfterMs(headers: Headers | null, nowMs: number): number | null {
  const given = headers?.get('retry-after-ms') ?? '';
  const ms = given === '' ? NaN : Number(given);
  if (Number.isFinite(ms) && ms >= 0) return ms;
  const after = headers?.get('retry-after') ?? '';
  if (after === '') return null;
  const seconds = Number(after);
  if (Number.isFinite(seconds)) return Math.max(0, seconds * 1000);
  const date = Date.parse(after);
  return Number.isNaN(date) ? null : Math.max(0, date - nowMs);
}

const none = { retryAfterMs: null, noPictures: false, filtered: false, maybePaid: false, down: false };

/** A server that asks to wait longer than this is down for whoever has a fallback. */
const patienceMs = 15_000;

/** Overloaded before it began, or the API's own word that it failed. A gateway's 502 or 504 may come after the answer was made. */
const saysItIsDown = (status: number, ofApi: boolean): boolean =>
  status === 503 || status === 529 || (status === 500 && ofApi);

const pictureRefused = /\b(images?|image_url|input_image|vision|visual|multi-?modal|mmproj)\b/i;
/** Words about this picture, not about pictures as such. */
const thisPicture =
  /too (large|big|small|many)|invalid_image|dimension|\bsize\b|parse|decode|corrupt|exceed/i;
const mayRefusePictures = new Set([400, 404, 415, 422, 500, 501]);

/** @returns null where the exchange brought an answer to read */
export function failureOf(exchange: Exchange, hasPictures: boolean, nowMs: number): CallFailure | null {
  const { status, broken } = exchange;
  if (broken === 'unreachable') {
    const message = 'the model server can not be reached: see that it runs, and OPENAI_BASE_URL';
    return { ...none, errorClass: 'retryable', code: 'MODEL_AWAY', message, down: true };
  }
  if (broken !== null || status === null) {
    const message = 'the model server closed the connection before its answer was whole';
    return { ...none, errorClass: 'retryable', code: 'MODEL_AWAY', message, maybePaid: true };
  }
  if (status >= 200 && status < 300) return null;
  return statusFailure(exchange, status, hasPictures, nowMs);
}

function statusFailure(
  { headers, body }: Exchange,
  status: number,
  hasPictures: boolean,
  nowMs: number,
): CallFailure {
  const { ofApi, code, words } = serverError(body);
  const said = words === '' ? '' : `: ${words}`;
  const text = `${code} ${words}`;
  const failedUnpaid = saysItIsDown(status, ofApi);
  const base = { ...none, maybePaid: mayHaveAnswered(status) && !failedUnpaid };
  if (hasPictures && mayRefusePictures.has(status) && pictureRefused.test(text) && !thisPicture.test(text)) {
    // Refused before the model began, whatever the status.
    const message = `the model takes no pictures (${status}${said})`;
    return { ...none, errorClass: 'final', code: 'MODEL_NO_PICTURES', message, noPictures: true };
  }
  if (/content_filter|content_policy|policy_violation|ResponsibleAIPolicy/i.test(code)) {
    const message = `the provider's content filter refused the question${said}`;
    return { ...base, errorClass: 'final', code: 'MODEL_CONTENT_FILTER', message, filtered: true };
  }
  const told = headers?.get('x-should-retry');
  const mayRetry = status >= 500 || status === 408 || status === 409 || status === 429;
  const quota = status === 429 && /insufficient_quota|billing/i.test(code);
  if (mayRetry && !quota && told !== 'false') {
    const [name, what] =
      status === 429 ? ['MODEL_RATE_LIMIT', 'asks to slow down'] : ['MODEL_AWAY', 'failed'];
    const message = `the model server ${what} (${status}${said})`;
    const wait = retryAfterMs(headers, nowMs);
    const down = status === 429 ? (wait ?? 0) > patienceMs : failedUnpaid;
    return { ...base, errorClass: 'retryable', code: name, message, retryAfterMs: wait, down };
  }
  const down = quota || failedUnpaid;
  return { ...base, errorClass: 'final', ...refusal(status, quota, said), down };
}

/** A server, or a proxy before it, may fail after the model has answered. */
const mayHaveAnswered = (status: number): boolean => status === 408 || status >= 500;

/** Final refusals, each with what to do. */
function refusal(status: number, quota: boolean, said: string): { code: string; message: string } {
  if (quota) {
    return { code: 'MODEL_QUOTA', message: `the account of the model has no credit left (${status}${said})` };
  }
  if (status === 401) {
    return {
      code: 'MODEL_KEY_REFUSED',
      message: `the model server refuses the key (401${said}): see OPENAI_API_KEY, or the key of its profile`,
    };
  }
  if (status === 403) {
    return {
      code: 'MODEL_FORBIDDEN',
      message: `the model server forbids the call (403${said}): see the key's rights`,
    };
  }
  if (status === 404) {
    const message = `the model server knows no such model or path (404${said}): see OPENAI_MODEL, OPENAI_BASE_URL and OPENAI_API`;
    return { code: 'MODEL_NOT_FOUND', message };
  }
  if (status >= 300 && status < 400) {
    const message = `the model server sends to another place (${status}), which is not followed: correct OPENAI_BASE_URL`;
    return { code: 'MODEL_REDIRECTED', message };
  }
  return {
    code: 'MODEL_REQUEST_REFUSED',
    message: `the model server refuses the question (${status}${said})`,
  };
}

/** Errors that come inside a good answer of the Responses API. */
export function failedResponse(code: string): CallFailure {
  const passing = ['server_error', 'rate_limit_exceeded', 'vector_store_timeout'].includes(code);
  const message = `the model failed (${cleanText(code, 60)})`;
  const base = { ...none, maybePaid: ['server_error', 'vector_store_timeout', 'unknown'].includes(code) };
  return passing
    ? { ...base, errorClass: 'retryable', code: 'MODEL_AWAY', message }
    : {
        ...base,
        errorClass: 'final',
        code: 'MODEL_REQUEST_REFUSED',
        message,
        filtered: code === 'image_content_policy_violation',
      };
}
