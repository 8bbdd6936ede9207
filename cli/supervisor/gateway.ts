// Whether anybody answers where the broker's gateway should be, as `npm start` tells it. Called by main.ts once Keel is up:
// Keel waits for a gateway, so that this is a line and no failure.
import { connect } from 'node:net';

const waitMs = 3000;

/** @returns why no connection comes about, such as ECONNREFUSED; null where one does */
function reach({ hostname, port }: URL): Promise<string | null> {
  return new Promise((resolve) => {
    // A URL has an IPv6 address in brackets, and no port where that is the usual one.
    const host = hostname.replace(/^\[|\]$/g, '');
    const socket = connect({ host, port: port === '' ? 443 : Number(port), timeout: waitMs });
    const end = (code: string | null): void => {
      socket.destroy();
      resolve(code);
    };
    socket.once('connect', () => {
      end(null);
    });
    socket.once('timeout', () => {
      end('ETIMEDOUT');
    });
    socket.once('error', (error: NodeJS.ErrnoException) => {
      end(error.code ?? 'no connection');
    });
  });
}

/** @returns what to tell of a gateway that is away; null where it is there */
export async function gatewayLine(baseUrl: string): Promise<string | null> {
  const url = new URL(baseUrl);
  const code = await reach(url);
  return code === null
    ? null
    : `the gateway at ${url.origin} does not answer (${code}): runs wait for it. Start it, or correct IBKR_BASE_URL.`;
}
