// The embedded Temporal dev server with its Web UI, its data in a file of the data directory; and the connection that
// tells whether a server, embedded or given, is ready.
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import type { TemporalSecurity } from '../../adapters/temporal/connection.js';
import { temporalConnection } from '../../adapters/temporal/connection.js';
import { searchAttributes } from '../../contracts/wire/names.js';
import { KeelError } from '../../ports/errors.js';
import { awaitReady } from './child.js';
import { StartError } from './dataDir.js';
import type { Service } from './stack.js';

export interface TemporalOptions {
  /** Path of the `temporal` program. */
  readonly cli: string | undefined;
  readonly dataDir: string;
  readonly logs: string;
  readonly port: number;
  readonly uiPort: number;
  readonly namespace: string;
  readonly env: NodeJS.ProcessEnv;
}

const readyMs = 60_000;

/** The embedded server's way, on loopback. */
const openly: TemporalSecurity = {
  tlsCaFile: '',
  tlsCertFile: '',
  tlsKeyFile: '',
  tlsServerName: '',
  apiKey: '',
};

export function temporalService(options: TemporalOptions): Service {
  const { cli, port, uiPort, namespace, dataDir, logs, env } = options;
  const address = `127.0.0.1:${String(port)}`;
  return {
    role: 'temporal',
    ports: [port, uiPort],
    run: async ({ launch }) => {
      if (cli === undefined || cli === '') {
        throw new StartError(
          'no Temporal server: set TEMPORAL_ADDRESS, or TEMPORAL_CLI_PATH to the temporal program (npm start finds or builds it)',
        );
      }
      const args = [
        ...['server', 'start-dev', '--ip', '127.0.0.1', '--port', String(port), '--ui-port', String(uiPort)],
        ...['--db-filename', join(dataDir, 'temporal.db'), '--log-level', 'error'],
        ...(namespace === 'default' ? [] : ['--namespace', namespace]),
        // Known from the first moment, so that nobody waits until the worker has registered them.
        ...searchAttributes.flatMap((name) => ['--search-attribute', `${name}=Keyword`]),
      ];
      const child = await launch({ role: 'temporal', command: cli, args, env, logs });
      await awaitReady(child, readyMs, () => isReady(address, namespace));
      return `${address}, Web UI http://127.0.0.1:${String(uiPort)}`;
    },
  };
}

async function isReady(address: string, namespace: string): Promise<true | null> {
  try {
    const client = await connectTemporal(address, namespace, 2000);
    await client.connection.close();
    return true;
  } catch {
    return null;
  }
}

/**
 * Connects and asks for the namespace.
 * @param timeoutMs for each of the two
 * @throws StartError when the server is away, or the namespace does not exist
 */
export async function connectTemporal(
  address: string,
  namespace: string,
  timeoutMs: number,
  security: TemporalSecurity = openly,
): Promise<Client> {
  let connection: Connection;
  try {
    connection = await Connection.connect({
      ...temporalConnection(address, security),
      connectTimeout: timeoutMs,
    });
  } catch (error) {
    if (error instanceof KeelError) throw error;
    throw new StartError(
      `Temporal does not answer at ${address}: see that it runs, or correct TEMPORAL_ADDRESS`,
      {
        cause: error,
      },
    );
  }
  try {
    await connection.withDeadline(Date.now() + timeoutMs, () =>
      connection.workflowService.describeNamespace({ namespace }),
    );
  } catch (error) {
    await connection.close();
    throw new StartError(
      `Temporal at ${address} has no namespace ${namespace}: create it, or correct TEMPORAL_NAMESPACE`,
      {
        cause: error,
      },
    );
  }
  return new Client({ connection, namespace });
}
