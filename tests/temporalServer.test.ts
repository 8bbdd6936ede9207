// The Temporal server that the other tests stand on: it keeps what it was told when it is stopped or killed.
import { Client, Connection } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freePort } from './support/ports.js';
import { startTemporal, type TestTemporal } from './support/temporal.js';

/** Starts a workflow that no worker takes, so that it stays open, and forgets the connection. */
const withClient = async <T>(server: TestTemporal, work: (client: Client) => Promise<T>): Promise<T> => {
  const connection = await Connection.connect({ address: server.address, connectTimeout: 5000 });
  try {
    return await work(new Client({ connection, namespace: server.namespace }));
  } finally {
    await connection.close();
  }
};

describe('a Temporal server of our own', () => {
  let server: TestTemporal;
  beforeAll(async () => {
    server = await startTemporal({ port: await freePort() });
  });
  afterAll(() => server.stop());

  const statusOf = (workflowId: string): Promise<string> =>
    withClient(
      server,
      async (client) => (await client.workflow.getHandle(workflowId).describe()).status.name,
    );
  const startOne = (workflowId: string): Promise<unknown> =>
    withClient(server, (client) => client.workflow.start('nobody', { workflowId, taskQueue: 'empty' }));

  test('serves its Web UI at uiUrl', async () => {
    const response = await fetch(server.uiUrl);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toContain('text/html');
  });

  test('still has an open workflow after it was stopped and started again', async () => {
    await startOne('before-stop');
    await server.stop();
    await expect(statusOf('before-stop')).rejects.toThrow();
    await server.restart();
    expect(await statusOf('before-stop')).toBe('RUNNING');
  });

  test('still has an open workflow after SIGKILL', async () => {
    await startOne('before-kill');
    await server.kill();
    await server.restart();
    expect(await statusOf('before-kill')).toBe('RUNNING');
  });
});
