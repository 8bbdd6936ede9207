// The one HTTP client of the gateway: one attempt, one timeout, no redirect, the answer as text. Called by client.ts
// and orders.ts; made once by gateway.ts.
import axios from 'axios';
import type { AxiosInstance } from 'axios';
import https from 'node:https';
import type { ClientRequest, IncomingMessage } from 'node:http';
import { KeelError } from '../../ports/errors.js';
import { transportError } from './errors.js';
import type { Exchange } from './errors.js';
import { createPinnedAgent } from './tls.js';
import type { IbkrTls } from './tls.js';

export interface IbkrHttpOptions extends IbkrTls {
  /** Such as `https://localhost:5000/v1/api`; https only, no user or password in it. */
  readonly baseUrl: string;
  /** For one request from the first act to the last byte of its answer, milliseconds. */
  readonly timeoutMs: number;
  /** Largest answer that is read, bytes. */
  readonly maxResponseBytes?: number;
}

export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** Path below the base, with every parameter filled in and encoded. */
  readonly path: string;
  /** The same with placeholders: what errors show. */
  readonly endpoint: string;
  readonly query?: Readonly<Record<string, string>>;
  /** JSON text of a POST; `{}` when there is none, because the gateway wants a length. */
  readonly body?: string;
  /** Where it is less than that of all requests. */
  readonly timeoutMs?: number;
  /** Value of the header `Authorization`. */
  readonly authorization?: string;
  /**
   * Called synchronously when the connection stands and the next act is the write. When it throws, nothing is written
   * and the exchange rejects with that very error. Such a request takes a connection of its own: one that was kept
   * alive might be dead already, and the request would be lost in it without a trace.
   */
  readonly beforeSend?: () => void;
}

export interface IbkrHttp {
  /** @throws KeelError IBKR_TIMEOUT, IBKR_AWAY, IBKR_TLS, IBKR_TOO_LARGE; `facts.sent` tells whether it was written. */
  exchange(request: HttpRequest): Promise<Exchange>;
  /** Closes the connections that are kept alive. */
  close(): void;
}

interface Progress {
  sent: boolean;
  refusal: { readonly error: unknown } | null;
}

type Responder = (response: IncomingMessage) => void;

/** Node writes a request right after its `socket` event; destroying it there leaves the socket untouched. */
function watchedTransport(progress: Progress, beforeSend: (() => void) | undefined) {
  return {
    request(options: https.RequestOptions, onResponse: Responder): ClientRequest {
      const request = https.request(options, onResponse);
      request.once('socket', () => {
        try {
          beforeSend?.();
          progress.sent = true;
        } catch (error) {
          progress.refusal = { error };
          request.destroy();
        }
      });
      return request;
    },
  };
}

/** The one word of a failure that may leave: Node's or axios' error code. */
function codeOf(error: unknown): string {
  if (axios.isAxiosError(error) && error.message.startsWith('maxContentLength')) return 'KEEL_TOO_LARGE';
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' && /^[A-Z0-9_]{1,60}$/.test(code) ? code : 'UNKNOWN';
}

function checkedBase(baseUrl: string): string {
  const url = new URL(baseUrl);
  if (url.protocol !== 'https:' || url.username !== '' || url.password !== '') {
    const text = 'IBKR_BASE_URL (broker.baseUrl) must be an https address without user and password in it.';
    throw new KeelError('IBKR_CONFIG', text, { facts: { host: url.host } });
  }
  return baseUrl.replace(/\/+$/, '');
}

/** Only whether it leads to a login: the address may carry what nobody should read in a log. */
function leadsToLogin(status: number, location: unknown): boolean {
  if (status < 300 || status >= 400 || typeof location !== 'string') return false;
  return /\/(login|sso\/dispatcher)\b/i.test(location.replace(/[?#].*$/s, ''));
}

const headersOf = ({ method, authorization }: HttpRequest): Record<string, string> => ({
  ...(method === 'POST' ? { 'Content-Type': 'application/json' } : {}),
  ...(authorization === undefined ? {} : { Authorization: authorization }),
});

function createAxios(options: IbkrHttpOptions): AxiosInstance {
  return axios.create({
    baseURL: checkedBase(options.baseUrl),
    proxy: false,
    maxRedirects: 0,
    maxContentLength: options.maxResponseBytes ?? 8 * 1024 * 1024,
    responseType: 'text',
    validateStatus: () => true,
    transformRequest: [(data: unknown) => data],
    transformResponse: [(data: unknown) => data],
    headers: { 'User-Agent': 'keel', Accept: 'application/json' },
  });
}

/**
 * @throws KeelError IBKR_CONFIG when the address is no https address, TypeError when it is no address, RangeError when
 * there is not one or two pins.
 */
export function createIbkrHttp(options: IbkrHttpOptions): IbkrHttp {
  const least = options.named === true ? 0 : 1;
  if (options.certSha256.length < least || options.certSha256.length > 2) {
    throw new RangeError('IBKR_CERT_SHA256 (broker.certSha256) must hold one or two fingerprints');
  }
  const client = createAxios(options);
  const kept = createPinnedAgent(options, true);
  const own = createPinnedAgent(options, false);
  return {
    async exchange(request) {
      const progress: Progress = { sent: false, refusal: null };
      const timeoutMs = Math.min(request.timeoutMs ?? options.timeoutMs, options.timeoutMs);
      const signal = AbortSignal.timeout(timeoutMs);
      try {
        const response = await client.request<string>({
          method: request.method,
          url: request.path,
          signal,
          httpsAgent: request.beforeSend === undefined ? kept : own,
          transport: watchedTransport(progress, request.beforeSend),
          ...(request.query === undefined ? {} : { params: request.query }),
          ...(request.method === 'POST' ? { data: request.body ?? '{}' } : {}),
          headers: headersOf(request),
        });
        const { status, data: text } = response;
        return leadsToLogin(status, response.headers['location'])
          ? { status, text, toLogin: true }
          : { status, text };
      } catch (error) {
        if (progress.refusal !== null) throw progress.refusal.error;
        const { endpoint } = request;
        const timedOut = signal.aborted;
        throw transportError({ endpoint, code: codeOf(error), timedOut, sent: progress.sent, timeoutMs });
      }
    },
    close() {
      kept.destroy();
      own.destroy();
    },
  };
}
