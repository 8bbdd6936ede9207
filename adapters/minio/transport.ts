// The HTTP below the MinIO client: one deadline for each request, its answer's body included.
import http from 'node:http';
import https from 'node:https';
import { KeelError } from '../../ports/errors.js';

/** Where the server is, as the client wants it said. */
export interface S3Endpoint {
  readonly host: string;
  readonly port: number;
  readonly useSSL: boolean;
  /** Without credentials, for messages. */
  readonly text: string;
}

/**
 * @param endpoint a URL such as http://localhost:9000
 * @throws KeelError OBJECT_STORE_ENDPOINT_INVALID (final); the text never repeats what was given, which may hold a password
 */
export const parseEndpoint = (endpoint: string): S3Endpoint => {
  const url = URL.canParse(endpoint) ? new URL(endpoint) : null;
  const plain =
    url !== null && url.username === '' && url.password === '' && url.pathname === '/' && url.search === '';
  if (!plain || !['http:', 'https:'].includes(url.protocol)) {
    throw new KeelError(
      'OBJECT_STORE_ENDPOINT_INVALID',
      'objectStore.endpoint is not usable: give scheme, host and port only, such as http://localhost:9000; keys belong in accessKey and secretKey.',
    );
  }
  const useSSL = url.protocol === 'https:';
  const port = url.port === '' ? (useSSL ? 443 : 80) : Number(url.port);
  return { host: url.hostname.replace(/^\[|\]$/g, ''), port, useSSL, text: url.origin };
};

/** A `request` that gives up after `timeoutMs`, whatever it is then waiting for. */
export const transportWithDeadline = (useSSL: boolean, timeoutMs: number): Pick<typeof http, 'request'> => {
  const request = (
    options: https.RequestOptions,
    onResponse?: (response: http.IncomingMessage) => void,
  ): http.ClientRequest => {
    const bounded = { ...options, signal: AbortSignal.timeout(timeoutMs) };
    return useSSL ? https.request(bounded, onResponse) : http.request(bounded, onResponse);
  };
  // The client calls it in this one form only; node's overloads can not be written as one function.
  return { request: request as typeof http.request };
};
