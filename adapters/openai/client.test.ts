import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { callModel } from './client.js';
import { failureOf } from './errors.js';

/** Quotes the key that it was sent, among bytes that are no UTF-8. */
const server = createServer(({ headers }, response) => {
  const key = (headers.authorization ?? '').replace('Bearer ', '');
  response.writeHead(401, { 'content-type': 'application/json', 'x-request-id': `of-${key}` });
  response.end(
    Buffer.concat([
      Buffer.from(`{"error":{"message":"wrong: ${key}, ${key}","code":"${key}","type":"`),
      Buffer.from([0xff, 0xfe]),
      Buffer.from('"}}'),
    ]),
  );
});
beforeAll(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const ask = (apiKey: string, baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`) =>
  callModel(
    {
      name: 'primary',
      baseUrl,
      apiKey,
      model: 'test',
      api: 'chat',
      timeoutMs: 10_000,
      maxOutputTokens: 100,
      pictureMaxBytes: 1000,
      pictureDetail: 'low',
      vision: true,
      price: { input: '1', output: '10' },
    },
    {
      purpose: 'daily',
      prompts: [],
      text: 'x',
      inputSha256: '',
      pictures: [],
      schemaName: 's',
      schema: {},
      numbersOnly: false,
      repair: null,
    },
  );

describe('a server that quotes the key', () => {
  const key = 'AIzaSyA-of-no-known-form.0123';

  it('is read without it: body, headers and error', async () => {
    const exchange = await ask(key);
    const text = Buffer.from(exchange.body ?? []).toString('latin1');
    expect(text).toBe('{"error":{"message":"wrong: [key], [key]","code":"[key]","type":"\u00ff\u00fe"}}');
    expect(exchange.headers?.get('x-request-id')).toBe('of-[key]');
    expect(failureOf(exchange, false, 0)?.message).toContain('wrong: [key], [key]');
  });

  it.each(['none', ''])('is read as it is where the key is no secret: "%s"', async (word) => {
    const { body } = await ask(word);
    expect(Buffer.from(body ?? []).toString('latin1')).toContain('wrong: none, none');
  });
});

describe('a server that can not be reached', () => {
  it.each([
    ['nobody listens', 'http://127.0.0.1:2/v1'],
    ['fetch knocks at no such port', 'http://127.0.0.1:9/v1'],
    ["the name is nobody's", 'http://nobody.invalid/v1'],
  ])('was sent nothing, and costs nothing: %s', async (_why, baseUrl) => {
    const failure = failureOf(await ask('', baseUrl), false, 0);
    expect(failure).toMatchObject({
      code: 'MODEL_AWAY',
      errorClass: 'retryable',
      maybePaid: false,
      down: true,
    });
  });
});
