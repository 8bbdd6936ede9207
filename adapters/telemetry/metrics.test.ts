import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { Registry } from 'prom-client';
import { expect, it } from 'vitest';
import { serveMetrics } from './metrics.js';

it('names the port of the metrics that another process has', async () => {
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  const { port } = other.address() as AddressInfo;
  try {
    await expect(serveMetrics({ registry: new Registry(), host: '127.0.0.1', port })).rejects.toMatchObject({
      code: 'METRICS_PORT',
      message: expect.stringMatching(
        new RegExp(`127\\.0\\.0\\.1:${String(port)}: another process has it\\..*KEEL_API_METRICS_PORT`),
      ) as unknown,
    });
  } finally {
    other.close();
  }
});
