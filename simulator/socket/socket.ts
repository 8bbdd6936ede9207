// The broker's WebSocket on the https servers of both fronts. Called by server.ts.
import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import type { Portal } from '../clientPortal/portal.js';
import { openConnection } from './connection.js';

const PATH = '/v1/api/ws';
/** How often a connection is looked at, wall milliseconds; the broker sends quotes twice a second at most. */
const LOOK_MS = 50;
const MOST_BYTES = 65_536;

/**
 * @param token what the query must name as oauth_token; null for the gateway's own front
 * @returns ends all connections
 */
export function attachSocket(server: Server, portal: Portal, token: string | null): () => void {
  const sockets = new WebSocketServer({ noServer: true, maxPayload: MOST_BYTES });
  server.on('upgrade', (request: IncomingMessage, stream: Duplex, head: Buffer) => {
    // A connection that breaks before it is a WebSocket closes too; nobody else hears of it.
    stream.on('error', () => undefined);
    const refusal = refusalOf(request.url ?? '/', token);
    if (refusal !== null) {
      stream.end(`HTTP/1.1 ${refusal}\r\nConnection: close\r\n\r\n`);
      return;
    }
    sockets.handleUpgrade(request, stream, head, (socket) => {
      const connection = openConnection(portal, socket, sessionIn(request.headers.cookie));
      const timer = setInterval(() => {
        connection.look();
      }, LOOK_MS);
      socket.on('close', () => {
        clearInterval(timer);
      });
      // A broken connection closes too; nothing more is to be done about it.
      socket.on('error', () => undefined);
    });
  });
  return () => {
    for (const socket of sockets.clients) socket.terminate();
    sockets.close();
  };
}

/** The status of an address that is no WebSocket's, or not this consumer's; null for a good one. */
function refusalOf(address: string, token: string | null): string | null {
  if (!URL.canParse(address, 'https://broker')) return '400 Bad Request';
  const { pathname, searchParams } = new URL(address, 'https://broker');
  if (token !== null && searchParams.get('oauth_token') !== token) return '401 Unauthorized';
  return pathname === PATH ? null : '404 Not Found';
}

/** Of `api=<id>` and of `api={"session":"<id>"}`, encoded or not. */
function sessionIn(cookie: string | undefined): string | null {
  const value = /(?:^|;\s*)api=([^;]+)/.exec(cookie ?? '')?.[1] ?? '';
  return /[0-9a-f]{32}/.exec(value)?.[0] ?? null;
}
