import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isPublicAddress } from './addresses.js';
import { post, refusalOf } from './post.js';

let server: Server;
let asked = 0;
let respond: Parameters<typeof createServer>[1] = undefined;
beforeAll(async () => {
  server = createServer((request, response) => {
    asked += 1;
    respond?.(request, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const port = () => (server.address() as AddressInfo).port;
const send = (url: string, allowPrivateAddresses: boolean, timeoutMs = 20_000) =>
  post({ timeoutMs, allowPrivateAddresses }, { url, body: '{}', headers: {}, name: 'the webhook' });

describe('an address that is only set', () => {
  it.each([
    'http://example.com/x',
    'https://10.0.0.1/x',
    'https://[::1]/x',
    'https://169.254.169.254/x',
    'https://localhost:8443/x',
    'https://keel.LOCALHOST./x',
  ])('%s is refused, and the variable that allows it is named', (url) => {
    expect(refusalOf(url, false)).toContain('KEEL_NOTIFIER_PRIVATE_ADDRESSES=allowed');
    expect(refusalOf(url, true)).toBeNull();
  });

  it('is refused whatever is allowed, where it is none', () => {
    for (const url of ['ftp://example.com/', 'no address', 'https://'])
      expect(refusalOf(url, true)).not.toBeNull();
    expect(refusalOf('https://example.com/hook', false)).toBeNull();
  });
});

describe('an address that a person gave', () => {
  it.each([
    ['127.0.0.1', false],
    ['10.1.2.3', false],
    ['172.31.255.255', false],
    ['192.168.0.1', false],
    ['169.254.169.254', false],
    ['100.64.0.1', false],
    ['0.0.0.0', false],
    ['224.0.0.1', false],
    ['255.255.255.255', false],
    ['::1', false],
    ['::', false],
    ['fe80::1', false],
    ['fd00::1', false],
    ['::ffff:127.0.0.1', false],
    ['::ffff:8.8.8.8', false],
    ['64:ff9b::a00:1', false],
    ['2002:7f00:1::', false],
    ['no address', false],
    ['8.8.8.8', true],
    ['172.32.0.1', true],
    ['2606:4700::1111', true],
  ])('%s: public is %s', (address, isPublic) => {
    expect(isPublicAddress(address)).toBe(isPublic);
  });

  it.each([
    (at: number) => `https://127.0.0.1:${at}/`,
    (at: number) => `https://[::1]:${at}/`,
    (at: number) => `https://2130706433:${at}/`,
    (at: number) => `https://0x7f.1:${at}/`,
    (at: number) => `https://[::ffff:127.0.0.1]:${at}/`,
    (at: number) => `https://localhost:${at}/`,
  ])('is refused where it means this machine, however it is written (%#)', async (url) => {
    const before = asked;
    await expect(send(url(port()), false)).rejects.toMatchObject({
      code: 'NOTIFY_ADDRESS',
      errorClass: 'final',
    });
    expect(asked).toBe(before);
  });

  it('needs https, and is refused when it is none', async () => {
    await expect(send('http://example.com/', false)).rejects.toMatchObject({ code: 'NOTIFY_REFUSED' });
    await expect(send('file:///etc/passwd', true)).rejects.toMatchObject({ code: 'NOTIFY_REFUSED' });
    await expect(send('nowhere', true)).rejects.toMatchObject({ code: 'NOTIFY_REFUSED' });
  });
});

describe('a receiver', () => {
  const ask = (timeoutMs?: number) => send(`http://127.0.0.1:${port()}/hook?token=hunter2`, true, timeoutMs);

  it.each([
    [200, null],
    [204, null],
    [302, 'NOTIFY_REFUSED'],
    [400, 'NOTIFY_REFUSED'],
    [410, 'NOTIFY_REFUSED'],
    [429, 'NOTIFY_AWAY'],
    [503, 'NOTIFY_AWAY'],
  ])('that answers %s: %s', async (status, code) => {
    respond = (_request, response) => {
      response.writeHead(status, { location: `http://127.0.0.1:${port()}/` }).end();
    };
    const before = asked;
    const error: unknown = await ask().then(
      () => null,
      (reason: unknown) => reason,
    );
    expect(code === null ? error : (error as { code: string }).code).toBe(code);
    expect(asked).toBe(before + 1);
    expect(inspect(error, { depth: 10 })).not.toContain('hunter2');
  });

  it.each([
    ['switches protocols', 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n'],
    ['closes without a word', ''],
    ['speaks no HTTP', 'SSH-2.0-server\r\n'],
  ])('that %s is away', async (_what, words) => {
    respond = (request) => {
      request.socket.end(words);
    };
    await expect(ask(100)).rejects.toMatchObject({ code: 'NOTIFY_AWAY', errorClass: 'retryable' });
  });

  it('that hangs is given up in time, and one that sends for ever is not listened to', async () => {
    respond = undefined;
    await expect(ask(100)).rejects.toMatchObject({ code: 'NOTIFY_AWAY', errorClass: 'retryable' });
    respond = (_request, response) => {
      response.writeHead(200);
      const more = setInterval(() => response.write('x'), 5);
      response.on('close', () => {
        clearInterval(more);
      });
    };
    await expect(ask()).resolves.toBeUndefined();
  });
});
