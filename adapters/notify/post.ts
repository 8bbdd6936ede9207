// One POST of JSON to an address that a person gave: one attempt, one timeout, no redirect, no private address unless
// that is allowed. Used by the channels of this folder.
import http from 'node:http';
import https from 'node:https';
import { KeelError } from '../../ports/errors.js';
import { publicLookup, refusePrivateLiteral } from './addresses.js';

export interface PostOptions {
  readonly timeoutMs: number;
  /** For tests and for receivers within an own network. Also allows http. */
  readonly allowPrivateAddresses: boolean;
}

export interface Post {
  readonly url: string;
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
  /** What messages call the receiver: a URL may hold a secret. */
  readonly name: string;
}

export const away = (name: string, words: string): KeelError =>
  new KeelError('NOTIFY_AWAY', `${name} ${words}.`, { errorClass: 'retryable', facts: { name } });

const refused = (name: string, words: string): KeelError =>
  new KeelError('NOTIFY_REFUSED', `${name} ${words}.`, { facts: { name } });

/** @throws KeelError NOTIFY_ADDRESS, NOTIFY_REFUSED (final), NOTIFY_AWAY (retryable) */
export async function post(options: PostOptions, { url, body, headers, name }: Post): Promise<void> {
  const target = checkedUrl(url, name, options.allowPrivateAddresses);
  const status = await statusOf(options, target, { url, body, headers, name });
  if (status >= 200 && status < 300) return;
  const words = `answered with status ${status}`;
  if (status === 408 || status === 425 || status === 429 || status >= 500) throw away(name, words);
  throw refused(name, status >= 300 && status < 400 ? `${words}; redirects are not followed` : words);
}

/** @throws KeelError NOTIFY_REFUSED, NOTIFY_ADDRESS for an address that is none or may not be reached */
export function checkedUrl(url: string, name: string, allowPrivate: boolean): URL {
  if (!URL.canParse(url)) throw refused(name, 'has an address that is none');
  const target = new URL(url);
  const allowed = target.protocol === 'https:' || (target.protocol === 'http:' && allowPrivate);
  if (!allowed) {
    throw refused(name, 'needs an https address, or KEEL_NOTIFIER_PRIVATE_ADDRESSES=allowed for http');
  }
  if (!allowPrivate) refusePrivateLiteral(target.hostname);
  return target;
}

/** What can be said of a URL before anything is sent to it. @returns null for one that something may be sent to */
export function refusalOf(url: string, allowPrivate: boolean): string | null {
  try {
    checkedUrl(url, 'it', allowPrivate);
    return null;
  } catch (error) {
    if (error instanceof KeelError) return error.message;
    throw error;
  }
}

function statusOf(
  { timeoutMs, allowPrivateAddresses }: PostOptions,
  target: URL,
  { body, headers, name }: Post,
): Promise<number> {
  return new Promise((resolve, reject) => {
    const request = (target.protocol === 'https:' ? https : http).request(target, {
      method: 'POST',
      agent: false,
      headers: {
        ...headers,
        'Content-Type': 'application/json',
        'Content-Length': String(Buffer.byteLength(body)),
        'User-Agent': 'keel',
      },
      signal: AbortSignal.timeout(timeoutMs),
      ...(allowPrivateAddresses ? {} : { lookup: publicLookup }),
    });
    request.once('response', (response) => {
      // The status says all; a body that never ends is not waited for.
      resolve(response.statusCode ?? 0);
      response.destroy();
    });
    request.once('error', (error) => {
      if (error instanceof KeelError) reject(error);
      else if (error.name === 'AbortError' || error.name === 'TimeoutError') {
        reject(away(name, `brought no answer within ${timeoutMs} ms`));
      } else reject(away(name, `can not be reached (${'code' in error ? String(error.code) : 'no code'})`));
    });
    // An answer that is none, such as 101, ends the connection and tells neither a response nor an error.
    request.once('close', () => {
      reject(away(name, 'closed the connection without an answer'));
    });
    request.end(body);
  });
}
