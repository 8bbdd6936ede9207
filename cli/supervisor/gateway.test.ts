import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { expect, it } from 'vitest';
import type { Api } from '../api.js';
import { ApiError } from '../api.js';
import { gatewayLine, loginLine } from './gateway.js';

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

/** What health says of the login, one answer after the other; the last one stays. */
function healthOf(...details: (string | null)[]): Pick<Api, 'ask'> {
  return {
    ask: () => {
      const detail = details.length > 1 ? details.shift() : details[0];
      if (detail === null || detail === undefined)
        return Promise.reject(new ApiError('DOWN', 'a vital part is away'));
      const status = detail.startsWith('up') ? 'ok' : 'down';
      return Promise.resolve({ parts: [{ name: 'brokerLogin', status, detail }] }) as never;
    },
  };
}

it('tells of a login that lacks the account once its owner has seen that, and says nothing of one that is up', async () => {
  const { signal } = new AbortController();
  const lacks = 'lost since 2026-01-02T03:04:05.000Z: The login does not hold the account DU1.';
  expect(
    await loginLine(healthOf('nobody has looked at it: see', null, 'starting since', lacks), signal),
  ).toBe(`the login at the broker is not up, and runs wait for it: ${lacks}`);
  expect(await loginLine(healthOf('starting since', 'up since 2026-01-02T03:04:05.000Z'), signal)).toBeNull();
  expect(await loginLine(healthOf('nobody has looked at it: see'), signal, 50)).toBeNull();
});
