// How the API's server begins and ends to take requests. Called by main.ts.
import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { KeelError } from '../ports/errors.js';

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

/** Takes no more requests and lets those under way end; streams have been told by `stopping`. */
export async function drain(server: Server): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  // A connection that becomes idle later would otherwise be kept alive until its client lets go.
  const sweep = setInterval(() => {
    server.closeIdleConnections();
  }, 50);
  const force = setTimeout(() => {
    server.closeAllConnections();
  }, drainMs);
  await closed;
  clearInterval(sweep);
  clearTimeout(force);
}
