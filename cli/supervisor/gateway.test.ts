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

const start = Date.parse('2026-01-02T03:04:00.000Z');
const [before, after] = [-1, 1].map((seconds) => new Date(start + seconds * 1000).toISOString());
const lacks = 'lost since 2026-01-02T03:04:05.000Z: The login does not hold the account DU1.';
const { signal } = new AbortController();

/** What health says of the login, one answer after the other; the last one stays. Null: it refuses. */
function healthOf(
  ...answers: (readonly [detail: string, lookedAt: string | undefined] | null)[]
): Pick<Api, 'ask'> {
  return {
    ask: () => {
      const answer = answers.length > 1 ? answers.shift() : answers[0];
      if (answer === null || answer === undefined)
        return Promise.reject(new ApiError('DOWN', 'a vital part is away'));
      const [detail, lookedAt = null] = answer;
      const status = detail.startsWith('up') ? 'ok' : 'down';
      return Promise.resolve({ parts: [{ name: 'brokerLogin', status, detail, lookedAt }] }) as never;
    },
  };
}

it('tells of a login that lacks the account once its owner has seen that, and says nothing of one that is up', async () => {
  const nobody = ['nobody has looked at it: see', undefined] as const;
  const health = healthOf(nobody, null, ['starting since', after], [lacks, after]);
  expect(await loginLine(health, start, signal)).toBe(
    `the login at the broker is not up, and runs wait for it: ${lacks}`,
  );
  expect(await loginLine(healthOf(['starting since', after], ['up since', after]), start, signal)).toBeNull();
  expect(await loginLine(healthOf(nobody), start, signal, 50)).toBeNull();
});

it('believes nothing that an owner of before this start has seen', async () => {
  expect(await loginLine(healthOf([lacks, before]), start, signal, 50)).toBeNull();
  expect(await loginLine(healthOf(['up since', before], [lacks, after]), start, signal)).toContain(lacks);
});

it('waits for no answer that takes longer than all of it may, and ends when the start is given up', async () => {
  const hangs = { ask: () => new Promise<never>(() => undefined) };
  expect(await loginLine(hangs, start, signal, 50)).toBeNull();
  const given = AbortSignal.abort(new Error('given up'));
  await expect(loginLine(hangs, start, given)).rejects.toThrow('given up');
});
