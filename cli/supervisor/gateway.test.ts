import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { expect, it } from 'vitest';
import { gatewayLine } from './gateway.js';

it('names the gateway that does not answer and why, and says nothing of one that does', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const baseUrl = `https://127.0.0.1:${String(port)}/v1/api`;
  expect(await gatewayLine(baseUrl)).toBeNull();
  server.close();
  await once(server, 'close');
  expect(await gatewayLine(baseUrl)).toBe(
    `the gateway at https://127.0.0.1:${String(port)} does not answer (ECONNREFUSED): runs wait for it. Start it, or correct IBKR_BASE_URL.`,
  );
});
