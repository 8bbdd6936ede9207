// A real Redis server for tests, to be killed, frozen and started again; null where there is no redis-server.
import { spawnSync } from 'node:child_process';
import { connect } from 'node:net';
import path from 'node:path';
import { freePort } from './ports.js';
import { startServer } from './server.js';
import { tempFolder } from './temp.js';

export interface TestRedis {
  readonly url: string;
  kill(): Promise<void>;
  /** Stops it where it stands, so that connections stay and nothing is answered. */
  freeze(): void;
  thaw(): void;
  start(): Promise<void>;
  /** Sends one command and gives what comes back. */
  ask(command: string): Promise<string>;
  stop(): Promise<void>;
}

export const hasRedis = (): boolean => spawnSync('redis-server', ['--version']).status === 0;

const send = (port: number, command: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(`${command}\r\n`));
    socket.once('data', (data) => {
      resolve(data.toString('utf8'));
      socket.destroy();
    });
    socket.once('error', reject);
  });

export async function startRedis(): Promise<TestRedis> {
  const port = await freePort();
  const folder = tempFolder('redis');
  const launch = () =>
    startServer({
      command: 'redis-server',
      args: ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--dir', folder.path],
      logFile: path.join(folder.path, 'redis.log'),
      isReady: () =>
        send(port, 'PING').then(
          (answer) => answer.startsWith('+PONG'),
          () => false,
        ),
      readyMs: 20_000,
    });
  let server = await launch();
  return {
    url: `redis://127.0.0.1:${port}`,
    kill: () => server.kill(),
    freeze: () => process.kill(server.pid, 'SIGSTOP'),
    thaw: () => process.kill(server.pid, 'SIGCONT'),
    start: async () => {
      server = await launch();
    },
    ask: (command) => send(port, command),
    stop: async () => {
      await server.kill();
      folder.remove();
    },
  };
}
