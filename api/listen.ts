// How the API's server begins and ends to take requests. Called by main.ts.
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { KeelError } from '../ports/errors.js';
import { problemOf } from './errors.js';

/** How long requests that are under way may still take when the process stops. */
const drainMs = 5000;

/** A host that is reached from this machine only. */
export const isOfThisMachine = (host: string): boolean => ['127.0.0.1', 'localhost', '::1'].includes(host);

/**
 * @returns the URL at which it listens
 * @throws KeelError API_PORT when the port can not be had
 */
export async function listen(
  server: Server,
  { host, port }: { readonly host: string; readonly port: number },
): Promise<string> {
  server.listen(port, host);
  try {
    await once(server, 'listening');
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown';
    const why = code === 'EADDRINUSE' ? 'another process has it' : code;
    throw new KeelError(
      'API_PORT',
      `The API can not listen on ${host}:${port}: ${why}. Free the port, or set KEEL_API_PORT.`,
      { cause },
    );
  }
  const address = server.address() as AddressInfo;
  return `http://${address.family === 'IPv6' ? `[${address.address}]` : address.address}:${address.port}`;
}

interface Log {
  warn(facts: Readonly<Record<string, unknown>>, message: string): void;
}

const refusals: Readonly<Record<string, readonly [code: string, message: string]>> = {
  HPE_HEADER_OVERFLOW: [
    'HEAD_TOO_LARGE',
    'The headers of the request are larger than 16 KB; send fewer or shorter ones.',
  ],
  ERR_HTTP_REQUEST_TIMEOUT: ['REQUEST_TOO_SLOW', 'The request did not arrive in time; send it again.'],
};
const malformed = [
  'MALFORMED_REQUEST',
  'The request could not be read; check its URL, headers and body.',
] as const;

/**
 * Answers what Node refuses before there is a request, which never reaches the routes.
 * @param log is told of each, and nothing of what was sent
 */
export function answerUnreadable(server: Server, log: Log): void {
  server.on('clientError', (error: Error & { code?: unknown }, socket) => {
    // The other side is gone, or has closed its half.
    if (error.code === 'ECONNRESET' || !socket.writable) {
      socket.destroy();
      return;
    }
    const [code, message] = refusals[String(error.code)] ?? malformed;
    const problem = problemOf(new KeelError(code, message, { cause: error }), randomUUID());
    log.warn({ code, status: problem.status, requestId: problem.requestId }, 'a request could not be read');
    const body = JSON.stringify(problem);
    const head = [
      `HTTP/1.1 ${String(problem.status)} ${problem.title}`,
      'Content-Type: application/problem+json',
      `Content-Length: ${String(Buffer.byteLength(body))}`,
      `X-Request-Id: ${problem.requestId}`,
      'Connection: close',
    ];
    socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
  });
}

/**
 * Takes no more requests and lets those under way end; streams have been told by `stopping`.
 * @param log is told where some had to be cut off
 */
export async function drain(server: Server, log: Log): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  // A connection that becomes idle later would otherwise be kept alive until its client lets go.
  const sweep = setInterval(() => {
    server.closeIdleConnections();
  }, 50);
  const force = setTimeout(() => {
    log.warn({ drainMs }, 'requests that did not end in time are cut off');
    server.closeAllConnections();
  }, drainMs);
  await closed;
  clearInterval(sweep);
  clearTimeout(force);
}
