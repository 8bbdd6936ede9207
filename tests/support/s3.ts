// A real S3 server for tests: the one that MINIO_ENDPOINT names, else a MinIO of our own; null where there is none.
import path from 'node:path';
import { inject } from 'vitest';
import { freePort } from './ports.js';
import { startServer } from './server.js';
import { tempFolder } from './temp.js';

export interface TestS3 {
  /** http://host:port */
  readonly endpoint: string;
  readonly accessKey: string;
  readonly secretKey: string;
  /** Ends it when it is our own; a given one stays. */
  stop(): Promise<void>;
  /** Starts our own again, on the same port and data. */
  restart(): Promise<void>;
}

/** `ready` answers 200 before keys and buckets can be used; `cluster` does not. */
const answers = async (endpoint: string): Promise<boolean> => {
  try {
    const response = await fetch(`${endpoint}/minio/health/cluster`, { signal: AbortSignal.timeout(1000) });
    return response.ok;
  } catch {
    return false;
  }
};

/** Starts it, or connects to the given one. null: none can be had here, and the set-up has said why. */
export const startS3 = async (): Promise<TestS3 | null> => {
  const found = inject('s3');
  if (found === null) return null;
  if (found.kind === 'running') {
    const { endpoint, accessKey, secretKey } = found;
    const nothing = (): Promise<void> => Promise.resolve();
    return { endpoint, accessKey, secretKey, stop: nothing, restart: nothing };
  }
  const folder = tempFolder('s3').path;
  const port = await freePort();
  const endpoint = `http://127.0.0.1:${port}`;
  const [accessKey, secretKey] = ['keel-test', 'keel-test-secret'];
  const start = () =>
    startServer({
      command: found.path,
      args: ['server', path.join(folder, 'data'), '--address', `127.0.0.1:${port}`, '--quiet'],
      env: {
        ...process.env,
        MINIO_ROOT_USER: accessKey,
        MINIO_ROOT_PASSWORD: secretKey,
        MINIO_BROWSER: 'off',
        MINIO_UPDATE: 'off',
      },
      logFile: path.join(folder, 'minio.log'),
      isReady: () => answers(endpoint),
      readyMs: 30_000,
    });
  let server = await start();
  return {
    endpoint,
    accessKey,
    secretKey,
    stop: () => server.stop(),
    restart: async () => {
      await server.stop();
      server = await start();
    },
  };
};
