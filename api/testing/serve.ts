// Serves the API to tests, with a client that may send any header. Used by tests only.
import { once } from 'node:events';
import type { Server } from 'node:http';
import { request as httpRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ApiDeps } from '../app.js';
import { createApp } from '../app.js';
import { memoryDeps } from './memory.js';
import type { MemoryWorld } from './world.js';

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly bytes: Buffer;
  readonly text: string;
  json(): unknown;
}

interface Question {
  /** Whose token is sent: that of memoryUsers.trader where nothing is said; null sends none. */
  readonly as?: string | null;
  readonly headers?: Record<string, string>;
  readonly body?: string;
}

export interface ServedApi {
  readonly port: number;
  ask(method: string, path: string, question?: Question): Promise<Answer>;
  /** Begins a GET and leaves its answer open. */
  open(path: string, as: string): Promise<{ readonly status: number; close: () => void }>;
  /** Sends JSON. */
  post(path: string, body?: unknown): Promise<Answer>;
  close(): Promise<void>;
}

/** The API of a world, on a free loopback port. */
export async function serveWorld(world: MemoryWorld, change: Partial<ApiDeps> = {}): Promise<ServedApi> {
  const server: Server = createApp({ ...memoryDeps(world), ...change }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;

  const ask: ServedApi['ask'] = (method, path, { as = 'trader', headers: given = {}, body } = {}) =>
    new Promise((resolve, reject) => {
      const headers = { ...(as === null ? {} : { authorization: `Bearer ${as}` }), ...given };
      const options = { host: '127.0.0.1', port, method, path, headers, agent: false as const };
      const request = httpRequest(options, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const bytes = Buffer.concat(chunks);
          const text = bytes.toString('utf8');
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            bytes,
            text,
            json: () => JSON.parse(text) as unknown,
          });
        });
      });
      request.on('error', reject);
      request.end(body);
    });

  const open: ServedApi['open'] = (path, as) =>
    new Promise((resolve, reject) => {
      const headers = { authorization: `Bearer ${as}` };
      const options = { host: '127.0.0.1', port, path, headers, agent: false as const };
      const request = httpRequest(options, (response) => {
        response.on('error', () => undefined).resume();
        resolve({ status: response.statusCode ?? 0, close: () => request.destroy() });
      });
      request.on('error', reject);
      request.end();
    });

  return {
    port,
    ask,
    open,
    post: (path, body) =>
      ask('POST', path, {
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body ?? {}),
      }),
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
