import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createMachineClock, createMachineMarketClock } from './machine.js';
import { createMarketStepper, createSimulatedMarketClock } from './simulated.js';

describe('the machine', () => {
  it('is the wall clock, in milliseconds', () => {
    const before = Date.now();
    const now = createMachineClock().now();
    expect(now).toBeGreaterThanOrEqual(before);
    expect(now).toBeLessThanOrEqual(Date.now());
  });

  it('is a market clock that is never stepped', async () => {
    const market = createMachineMarketClock({ now: () => Date.UTC(2014, 6, 7, 13, 30) });
    expect(await market.now()).toEqual({ now: '2014-07-07T13:30:00.000Z', step: 0 });
  });
});

describe('the simulator', () => {
  let server: Server;
  let answer: (request: IncomingMessage, response: ServerResponse) => void;
  let requests: { method: string; url: string; authorization: string; body: string }[];
  const token = 'token-31c9';

  beforeEach(async () => {
    requests = [];
    server = createServer((request, response) => {
      let body = '';
      request.on('data', (part: Buffer) => (body += part.toString()));
      request.on('end', () => {
        const { method = '', url = '', headers } = request;
        requests.push({ method, url, authorization: headers.authorization ?? '', body });
        answer(request, response);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  afterEach(() => {
    server.closeAllConnections();
    server.close();
  });

  const admin = (timeoutMs = 10_000) => ({
    adminUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    token,
    timeoutMs,
  });
  const says = (status: number, body: string) => {
    answer = (_request, response) => response.writeHead(status).end(body);
  };
  const now = (timeoutMs = 10_000) =>
    createSimulatedMarketClock(admin(timeoutMs))
      .now()
      .catch((error: unknown) => error);

  it('tells its time and its step to who has the token', async () => {
    says(200, '{"now":"2014-07-07T13:30:00Z","step":3,"mode":"stepped","speed":1}');
    expect(await now()).toEqual({ now: '2014-07-07T13:30:00.000Z', step: 3 });
    expect(requests).toEqual([{ method: 'GET', url: '/clock', authorization: `Bearer ${token}`, body: '' }]);
  });

  it('is stepped to an instant', async () => {
    says(200, '{"now":"2014-07-08T13:35:00.000Z","step":4}');
    const stepper = createMarketStepper(admin());
    expect(await stepper.step('2014-07-08T13:35:00.000Z')).toEqual({
      now: '2014-07-08T13:35:00.000Z',
      step: 4,
    });
    expect(requests[0]).toMatchObject({
      method: 'POST',
      url: '/clock/step',
      body: '{"to":"2014-07-08T13:35:00.000Z"}',
    });
  });

  it.each([
    ['fails', 500, '{}'],
    ['answers no JSON', 200, '<html>'],
    ['answers no time', 200, '{"now":"yesterday","step":1}'],
    ['answers no step', 200, '{"now":"2014-07-07T13:30:00Z"}'],
  ])('is away when it %s', async (_what, status, body) => {
    says(status, body);
    expect(await now()).toMatchObject({ code: 'MARKET_CLOCK_AWAY', errorClass: 'retryable' });
  });

  it('is away when it does not answer in time, and when nobody listens', async () => {
    answer = () => undefined;
    expect(await now(200)).toMatchObject({
      code: 'MARKET_CLOCK_AWAY',
      facts: { reason: 'no answer in time' },
    });
    const gone = admin();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    const error: unknown = await createSimulatedMarketClock(gone)
      .now()
      .catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'MARKET_CLOCK_AWAY', facts: { reason: 'ECONNREFUSED' } });
    expect(inspect(error, { depth: 10 })).not.toContain(token);
  });

  it('refuses finally, in its own words', async () => {
    says(409, '{"code":"CLOCK_BACK","error":"the clock never goes back"}');
    const error: unknown = await createMarketStepper(admin())
      .step('2000-01-01T00:00:00.000Z')
      .catch((reason: unknown) => reason);
    expect(error).toMatchObject({
      code: 'MARKET_CLOCK_REFUSED',
      errorClass: 'final',
      facts: { reason: 'CLOCK_BACK' },
    });
    expect((error as Error).message).toContain('the clock never goes back');
  });
});
