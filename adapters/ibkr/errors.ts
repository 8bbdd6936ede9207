// Every failure of the gateway as a KeelError: transport failures, refusals, unreadable answers. Nothing of the HTTP
// library leaves through here: causes hold a code and no more. Called by http.ts and client.ts.
import { KeelError } from '../../ports/errors.js';
import type { ErrorClass } from '../../ports/errors.js';
import { parseJson } from '../../domain/money/parseJson.js';
import { isTlsFailure } from './tls.js';

/** What the gateway answered, unread. */
export interface Exchange {
  readonly status: number;
  readonly text: string;
  /** A redirect to the page where a person logs in. */
  readonly toLogin?: boolean;
}

/** What became of a request that brought no whole answer. */
export interface TransportFailure {
  /** Method and path with placeholders, such as `GET /portfolio/{accountId}/ledger`. */
  readonly endpoint: string;
  readonly code: string;
  readonly timedOut: boolean;
  /** True once bytes of the request may have reached the socket. */
  readonly sent: boolean;
  readonly timeoutMs: number;
}

const advice =
  'Check that the gateway (or, by OAuth, IBKR itself) answers at IBKR_BASE_URL (broker.baseUrl).';

/** A request that brought no whole answer, as IBKR_TIMEOUT, IBKR_TLS, IBKR_TOO_LARGE or IBKR_AWAY. */
export function transportError(failure: TransportFailure): KeelError {
  const { endpoint, code, sent, timeoutMs } = failure;
  const make = (name: string, message: string, errorClass: ErrorClass): KeelError =>
    new KeelError(name, message, {
      errorClass,
      facts: { endpoint, sent, reason: code },
      cause: new Error(code),
    });
  if (failure.timedOut) {
    return make(
      'IBKR_TIMEOUT',
      `${endpoint} brought no answer within ${timeoutMs} ms. ${advice}`,
      'retryable',
    );
  }
  if (isTlsFailure(code)) {
    const text = `${endpoint} was not sent: the certificate there is not one that is trusted (${code}).`;
    return make(
      'IBKR_TLS',
      `${text} Check IBKR_CA_FILE and IBKR_CERT_SHA256 (broker.caFile, broker.certSha256) against what the server shows.`,
      'final',
    );
  }
  if (code === 'KEEL_TOO_LARGE') {
    return make('IBKR_TOO_LARGE', `${endpoint} answered with more than Keel reads of one answer.`, 'final');
  }
  const what = sent ? 'was sent, and the connection broke before the answer' : 'found nobody there';
  return make('IBKR_AWAY', `${endpoint} ${what} (${code}). ${advice}`, 'retryable');
}

/** The broker's words on one line, short enough for a history. */
export function clean(text: string): string {
  const line = text.replace(/[\u0000-\u0020\u007f]+/g, ' ').trim();
  return line.length > 300 ? `${line.slice(0, 299)}…` : line;
}

/** IBKR's words for an order that it has no more, or never had; the status beside them differs between builds. */
export const noSuchOrder = /doesn'?t exist|does not exist|is inactive|order\b.*\bnot found/i;

/** The text of `{"error": "…"}` or `{"title", "detail"}`, or null when the body has neither. */
export function errorText(body: unknown): string | null {
  // Some builds wrap an error in a list of one.
  if (Array.isArray(body)) return body.length === 1 ? errorText(body[0]) : null;
  if (typeof body !== 'object' || body === null) return null;
  const fields = body as Record<string, unknown>;
  const { error } = fields;
  // Answers that are fine carry null, false or nothing in it.
  if (error !== undefined && error !== null && error !== false && error !== '')
    return typeof error === 'string' ? clean(error) : 'an error without words';
  // A title or a detail alone may describe anything: of a problem there is a status too.
  const words = fields['detail'] ?? fields['title'];
  return typeof fields['status'] === 'number' && typeof words === 'string' && words !== ''
    ? clean(words)
    : null;
}

interface Reading {
  readonly code: string;
  readonly errorClass: ErrorClass;
  readonly advice: string;
}

/** What each refusal means; the broker's words count for more than the status, which differs between builds. */
function readRefusal(status: number, text: string | null, toLogin: boolean): Reading | null {
  const says = (pattern: RegExp): boolean => text !== null && pattern.test(text);
  const reading = (code: string, errorClass: ErrorClass, sentence: string): Reading => ({
    code,
    errorClass,
    advice: sentence,
  });
  if (says(/query \/accounts first/i)) {
    return reading('IBKR_ACCOUNTS_FIRST', 'retryable', 'The brokerage session is new; it is prepared again.');
  }
  if (says(/no bridge/i)) {
    return reading('IBKR_NO_BRIDGE', 'retryable', 'The brokerage session is missing; it is opened again.');
  }
  if (status === 401 || toLogin || says(/not authenticated|no session/i)) {
    return reading(
      'IBKR_UNAUTHORIZED',
      'retryable',
      'There is no login: at a gateway a person must log in (keel ibkr login-url), by OAuth Keel does.',
    );
  }
  if (status === 429 || says(/too many .*requests/i)) {
    return reading('IBKR_RATE_LIMITED', 'retryable', 'Requests stop until the penalty is over.');
  }
  if (status === 503 && says(/not found/i)) {
    return reading('IBKR_NOT_LISTED', 'final', 'IBKR has it no more: look in the executions.');
  }
  if (status === 503) return reading('IBKR_UNAVAILABLE', 'retryable', 'IBKR cannot answer now.');
  if (status >= 500) return reading('IBKR_ERROR', 'retryable', 'The broker failed.');
  if (status === 403) {
    return reading(
      'IBKR_FORBIDDEN',
      'final',
      'At a gateway, allow this machine in it (conf.yaml, ips); by OAuth, check what the consumer may do.',
    );
  }
  if (status === 404)
    return reading('IBKR_NOT_FOUND', 'final', 'Check the path in IBKR_BASE_URL (broker.baseUrl).');
  if (status >= 300 && status < 400) {
    return reading(
      'IBKR_REDIRECT',
      'final',
      'It leads to no page of a login, and redirects are not followed: check IBKR_BASE_URL (broker.baseUrl).',
    );
  }
  if (status >= 400) return reading('IBKR_ERROR', 'final', 'The broker refused the request.');
  return text === null ? null : reading('IBKR_ERROR', 'final', 'The broker refused the request.');
}

/** The status, or the one in the body of a "success". */
function statusOf(status: number, body: unknown): number {
  if (status !== 200 || typeof body !== 'object' || body === null) return status;
  const { error, statusCode } = body as Record<string, unknown>;
  return errorText({ error }) !== null && typeof statusCode === 'number' && statusCode >= 400
    ? statusCode
    : status;
}

/**
 * The refusal that an answer holds, or null when it is a readable success.
 * @param pathHolds that the base path has answered before, so that a page in place of an answer to what may be asked again
 * is no wrong path, or not known to be one
 */
export function refusalOf(endpoint: string, exchange: Exchange, pathHolds = false): KeelError | null {
  const body = parseJson(exchange.text);
  const status = statusOf(exchange.status, body);
  const text = errorText(body);
  const reading = readRefusal(status, text, exchange.toLogin === true);
  if (reading !== null) {
    const words = text === null ? `status ${status}` : `status ${status}, "${text}"`;
    const page = reading.code === 'IBKR_NOT_FOUND' && body === undefined;
    return new KeelError(reading.code, `${endpoint} was answered with ${words}. ${reading.advice}`, {
      errorClass: page && pathHolds ? 'retryable' : reading.errorClass,
      facts: { endpoint, status, text },
    });
  }
  if (body !== undefined) return null;
  return new KeelError(
    'IBKR_NOT_JSON',
    `${endpoint} was answered with ${exchange.text.length} characters that are no JSON.`,
    {
      errorClass: 'retryable',
      facts: { endpoint, status, length: exchange.text.length },
    },
  );
}
