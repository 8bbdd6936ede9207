// A real Temporal dev server for tests that need one, to be stopped, killed and started again at will.
import path from 'node:path';
import { Connection } from '@temporalio/client';
import { inject } from 'vitest';
import { freePort } from './ports.js';
import { startServer } from './server.js';
import { tempFolder } from './temp.js';

export interface TestTemporal {
  /** host:port of the gRPC front. */
  readonly address: string;
  /** Base of the Web UI's links. */
  readonly uiUrl: string;
  readonly namespace: string;
  /** A namespace that nobody else uses until it is released, so that whole Keels run side by side on one server. */
  takeLane(): Lane;
  /** Where its output goes. */
  readonly logFile: string;
  /** Ends it; its folder goes with the test process. */
  stop(): Promise<void>;
  /** SIGKILL, as a machine that fails would. */
  kill(): Promise<void>;
  /** Starts it again on the same ports and data; ends it first when it still runs. */
  restart(): Promise<void>;
}

export interface Lane {
  readonly namespace: string;
  release(): void;
}

const namespace = 'default';
/** As many as tests run at once (vitest.config.ts), and a few for those that stop late. */
const lanes = ['default', 'lane-1', 'lane-2', 'lane-3', 'lane-4'];

const answers = async (address: string): Promise<boolean> => {
  try {
    const connection = await Connection.connect({ address, connectTimeout: 1000 });
    try {
      await connection.withDeadline(Date.now() + 2000, () =>
        connection.workflowService.describeNamespace({ namespace }),
      );
      return true;
    } finally {
      await connection.close();
    }
  } catch {
    return false;
  }
};

/** The Web UI begins to listen on its own, a moment later. */
const shows = (uiUrl: string): Promise<boolean> =>
  fetch(uiUrl, { signal: AbortSignal.timeout(2000) }).then(
    async (response) => {
      await response.arrayBuffer();
      return response.ok;
    },
    () => false,
  );

/**
 * @param options.dbFile where the server keeps its data; a file in a temporary folder by default, so that `restart`
 *   finds every workflow again
 * @param options.port gRPC port; a free one by default
 */
export const startTemporal = async (
  options: { dbFile?: string; port?: number } = {},
): Promise<TestTemporal> => {
  const command = inject('temporalCli');
  if (command === null) throw new Error('no Temporal CLI here: see the message of the set-up');
  const folder = tempFolder('temporal').path;
  const [port, uiPort] = [options.port ?? (await freePort()), await freePort()];
  const [address, uiUrl] = [`127.0.0.1:${port}`, `http://127.0.0.1:${uiPort}`];
  const logFile = path.join(folder, 'temporal.log');
  const start = () =>
    startServer({
      command,
      args: [
        ...['server', 'start-dev', '--ip', '127.0.0.1', '--port', String(port)],
        ...['--ui-port', String(uiPort), '--log-level', 'warn'],
        ...lanes.flatMap((lane) => ['--namespace', lane]),
        ...['--db-filename', options.dbFile ?? path.join(folder, 'temporal.db')],
      ],
      logFile,
      isReady: async () => (await answers(address)) && (await shows(uiUrl)),
      readyMs: 60_000,
    });
  let server = await start();
  const free = [...lanes];
  return {
    address,
    uiUrl,
    namespace,
    logFile,
    takeLane: () => {
      const lane = free.shift();
      if (lane === undefined)
        throw new Error('every namespace of this Temporal server is taken: stop a stack first');
      return { namespace: lane, release: () => free.push(lane) };
    },
    stop: () => server.stop(),
    kill: () => server.kill(),
    restart: async () => {
      await server.stop();
      server = await start();
    },
  };
};
