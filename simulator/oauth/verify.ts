// The server side of OAuth 1.0a as IBKR's document tells it: reads the header, builds the text that was signed, compares.
// Shares nothing with the client that it checks. Called by front.ts.
import { createHmac, timingSafeEqual, verify } from 'node:crypto';
import type { Request } from 'express';

/** A consumer as the broker knows it: public keys, and the secret that it made for the token. */
export interface OauthConsumer {
  readonly consumerKey: string;
  readonly accessToken: string;
  readonly realm: string;
  /** PEM of the public key that signs the request for a token. */
  readonly signatureKey: string;
  /** The access token secret before it was encrypted for the consumer, hex. */
  readonly secret: string;
  /** Hex. */
  readonly prime: string;
  readonly generator: number;
}

export interface OauthHeader {
  readonly realm: string;
  readonly signature: string;
  /** All other fields, decoded. */
  readonly fields: Readonly<Record<string, string>>;
}

/** Null for a header that is none of OAuth's. */
export function readHeader(value: string | undefined): OauthHeader | null {
  if (value === undefined || !/^OAuth /i.test(value)) return null;
  const pairs = [...value.matchAll(/([a-z_]+)="([^"]*)"/g)].map(
    ([, name = '', text = '']) => [name, decode(text)] as const,
  );
  const { realm = '', oauth_signature: signature = '', ...fields } = Object.fromEntries(pairs);
  return { realm, signature, fields };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Letters, digits and `-._~` stand for themselves; every other byte is written in hex. */
const escape = (text: string): string =>
  [...Buffer.from(text)]
    .map((byte) => {
      const character = String.fromCharCode(byte);
      if (/[A-Za-z0-9._~-]/.test(character)) return character;
      return `%${byte.toString(16).padStart(2, '0').toUpperCase()}`;
    })
    .join('');

/** What host and address name together; null where they name nothing. */
const urlOf = ({ originalUrl, headers }: Request): URL | null => {
  const base = `https://${headers.host ?? ''}`;
  return URL.canParse(originalUrl, base) ? new URL(originalUrl, base) : null;
};

/** Whether there is an address that can have been signed. */
export const hasAddress = (request: Request): boolean => urlOf(request) !== null;

/** METHOD & address & sorted parameters of header and query, the two latter encoded. */
function signedText(request: Request, fields: OauthHeader['fields']): string {
  const url = urlOf(request);
  if (url === null)
    throw new TypeError('a request without an address is refused before its signature is looked at');
  const all = [...Object.entries(fields), ...url.searchParams.entries()].map(
    ([key, value]) => `${key}=${value}`,
  );
  const address = `${url.origin}${url.pathname}`;
  return [request.method, escape(address), escape(all.sort().join('&'))].join('&');
}

export const isSignedByKey = (request: Request, header: OauthHeader, consumer: OauthConsumer): boolean =>
  verify(
    'sha256',
    Buffer.from(consumer.secret + signedText(request, header.fields)),
    consumer.signatureKey,
    Buffer.from(header.signature, 'base64'),
  );

export function isSignedByToken(request: Request, header: OauthHeader, token: Buffer): boolean {
  const expected = createHmac('sha256', token).update(signedText(request, header.fields)).digest();
  const given = Buffer.from(header.signature, 'base64');
  return given.length === expected.length && timingSafeEqual(given, expected);
}
