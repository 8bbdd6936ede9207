import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { defaultNotificationSettings } from '../../contracts/wire/notification.js';
import type { Delivery } from '../../ports/notifications.js';
import { createTelegramChannel } from './channels.js';

let server: Server;
const bodies: string[] = [];
beforeAll(async () => {
  server = createServer((request, response) => {
    let body = '';
    request.on('data', (part: Buffer) => (body += part.toString()));
    request.on('end', () => {
      bodies.push(body);
      response.writeHead(200).end();
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterAll(() => {
  server.close();
});

const deliveryOf = (body: string): Delivery => ({
  ...{ key: 'news-1-telegram', userId: 'u', channel: 'telegram', state: 'sending', attempts: 1 },
  ...{ notBefore: '2026-01-05T12:00:00.000Z', lastError: null, sentAt: null, readAt: null, address: null },
  notification: {
    ...{
      id: '1',
      key: 'run/1',
      event: 'run.ended',
      title: 'A run has ended',
      body,
      facts: {},
      ownerId: null,
    },
    createdAt: '2026-01-05T12:00:00.000Z',
  },
});

/** What the server got of a text. */
async function sent(body: string): Promise<string> {
  const baseUrl = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
  const channel = createTelegramChannel({ timeoutMs: 20_000, allowPrivateAddresses: true }, baseUrl, 'token');
  const settings = { ...defaultNotificationSettings, telegram: { chatId: '42' } };
  await channel.send(deliveryOf(body), settings);
  return (JSON.parse(bodies.at(-1) ?? '') as { text: string }).text;
}

describe('a message to Telegram, which takes 4096 characters and refuses more for good', () => {
  it('goes out whole as long as it fits', async () => {
    expect(await sent('x'.repeat(4060))).toHaveLength(4096);
    expect(await sent('short')).toBe('A run has ended\nshort\nref news-1-telegram');
  });

  it('is cut where it does not, and keeps its title and its reference', async () => {
    const text = await sent('x'.repeat(4061));
    expect(text).toHaveLength(4096);
    expect(text).toMatch(/^A run has ended\nx+…\nref news-1-telegram$/);
  });

  it('is cut between characters', async () => {
    const [even, odd] = [await sent('😀'.repeat(3000)), await sent(`x${'😀'.repeat(3000)}`)];
    for (const text of [even, odd]) {
      // Half a character would come back as another one.
      expect(Buffer.from(text).toString()).toBe(text);
      expect(text).toMatch(/😀…\nref news-1-telegram$/u);
    }
  });
});
