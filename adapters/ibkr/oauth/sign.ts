// How IBKR wants a request signed under OAuth 1.0a: the text that is signed, and the header. Called by liveSession.ts.
// It is not quite RFC 5849: the sorted `key=value` pairs are encoded once, as a whole, and the request for a live session
// token has the decrypted access token secret before its text.
import { createHmac, sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';

export type Parameters = Readonly<Record<string, string>>;

export interface SignedRequest {
  readonly method: string;
  /** Without a query. */
  readonly url: string;
  /** What the header holds beside realm and signature, and the query's parameters as they are before they are encoded. */
  readonly parameters: Parameters;
  /** Hex of the decrypted access token secret; for a live session token only. */
  readonly prepend?: string;
}

/** RFC 3986: everything but letters, digits and `-._~`. */
export const percentEncode = (text: string): string =>
  encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );

const byName = ([a]: readonly [string, string], [b]: readonly [string, string]): number =>
  a < b ? -1 : Number(a > b);

export function baseString({ method, url, parameters, prepend = '' }: SignedRequest): string {
  const pairs = Object.entries(parameters).sort(byName);
  const joined = pairs.map(([key, value]) => `${key}=${value}`).join('&');
  return `${prepend}${method}&${percentEncode(url)}&${percentEncode(joined)}`;
}

/** RSA-SHA256, base64. */
export const rsaSignature = (text: string, key: KeyObject): string =>
  sign('sha256', Buffer.from(text), key).toString('base64');

/** HMAC-SHA256 under the live session token, base64. */
export const hmacSignature = (text: string, liveSessionToken: Buffer): string =>
  createHmac('sha256', liveSessionToken).update(text).digest('base64');

/** The value of the header `Authorization`. The query's parameters are no part of it. */
export function authorizationHeader(realm: string, parameters: Parameters, signature: string): string {
  const pairs = Object.entries({ ...parameters, oauth_signature: signature }).sort(byName);
  const fields = pairs.map(([key, value]) => `${key}="${percentEncode(value)}"`);
  return `OAuth ${[`realm="${percentEncode(realm)}"`, ...fields].join(', ')}`;
}
