// The API as a process of its own for tests, as the supervisor starts it; and the far sides that it talks to.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { connect, createServer } from 'node:net';
import path from 'node:path';
import { createInterface } from 'node:readline';

const main = path.resolve(import.meta.dirname, '../../dist/api/main.js');

export interface ApiProcess {
  readonly url: string;
  /** What it has written to standard error so far. */
  log(): string;
  /** SIGTERM; gives its exit code. */
  stop(): Promise<number | null>;
  /** SIGKILL, as a machine that fails would. */
  kill(): Promise<void>;
}

/** Signs the tokens of every API that tests start. */
export const testSecret = 'a-secret-of-the-tests-and-nothing-else';

const variables = (env: Record<string, string>): NodeJS.ProcessEnv => ({
  PATH: process.env.PATH,
  HOME: process.env.HOME,
  KEEL_ENV: 'testing',
  KEEL_API_PORT: '0',
  KEEL_AUTH_SECRET: testSecret,
  ...env,
});

function launch(env: Record<string, string>) {
  const child = spawn(process.execPath, [main], { env: variables(env), stdio: ['ignore', 'pipe', 'pipe'] });
  const killAtExit = (): void => {
    child.kill('SIGKILL');
  };
  process.once('exit', killAtExit);
  let log = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (log += text));
  // `close` comes after the last output.
  const ended = once(child, 'close').then(([code]) => {
    process.off('exit', killAtExit);
    return code as number | null;
  });
  return { child, ended, log: () => log };
}

/** Starts it and waits for its JSON line. */
export async function startApi(env: Record<string, string>): Promise<ApiProcess> {
  const { child, ended, log } = launch(env);
  const lines = createInterface({ input: child.stdout });
  const first = await Promise.race([once(lines, 'line'), ended.then(() => null)]);
  if (first === null) throw new Error(`the API ended before it was ready: ${log()}`);
  const line = JSON.parse(String(first[0])) as { ready: boolean; url: string };
  return {
    url: line.url,
    log,
    stop: () => {
      child.kill('SIGTERM');
      return ended;
    },
    kill: async () => {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

/** Starts it where it has to refuse, and gives its exit code and its words. */
export async function failApi(env: Record<string, string>): Promise<{ code: number | null; words: string }> {
  const { ended, log } = launch(env);
  return { code: await ended, words: log() };
}

export interface MarketFront {
  readonly url: string;
  /** ISO 8601 UTC, as it answers. */
  now: string;
  close(): Promise<void>;
}

/** The simulator's admin front, as far as the API asks it: the market clock, at an instant that the test sets. */
export async function startMarketFront(token: string, now: string): Promise<MarketFront> {
  const server = createHttpServer((request, response) => {
    const allowed = request.headers.authorization === `Bearer ${token}` && request.url === '/clock';
    response.writeHead(allowed ? 200 : 401, { 'content-type': 'application/json' });
    response.end(JSON.stringify(allowed ? { now: front.now, step: 1 } : { error: 'refused' }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const front: MarketFront = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    now,
    close: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
  return front;
}

export interface Gate {
  readonly port: number;
  /** Cuts every connection and refuses new ones, as a server that is gone. */
  shut(): void;
  open(): void;
  close(): void;
}

/** Stands before a TCP server, so that a test can take it away and give it back. */
export async function startGate(host: string, port: number): Promise<Gate> {
  const sockets = new Set<Socket>();
  let isOpen = true;
  const server = createServer((near) => {
    if (!isOpen) {
      near.destroy();
      return;
    }
    const far = connect(port, host);
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(socket);
      socket.on('error', () => other.destroy());
      socket.on('close', () => {
        sockets.delete(socket);
        other.destroy();
      });
      socket.pipe(other);
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const cut = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    port: (server.address() as AddressInfo).port,
    shut: () => {
      isOpen = false;
      cut();
    },
    open: () => {
      isOpen = true;
    },
    close: () => {
      server.close();
      cut();
    },
  };
}
