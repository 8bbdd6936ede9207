// The channels over HTTP, and the log. Slack and Telegram know no key of a message, so the text shows it: a message that
// went out twice, because a process died between sending and noting it, is seen to be the same. Made by worker/ports.ts.
import { createHmac } from 'node:crypto';
import { KeelError } from '../../ports/errors.js';
import type { ChannelPort, Delivery } from '../../ports/notifications.js';
import { post, type PostOptions } from './post.js';

const off = (what: string): KeelError => new KeelError('NOTIFY_OFF', `${what}, so nothing was sent.`);

/** One line of a log for each message. */
export const createLogChannel = (write: (line: Readonly<Record<string, unknown>>) => void): ChannelPort => ({
  send: ({ key, notification: { event, title, body } }) => {
    write({ notification: key, event, title, body });
    return Promise.resolve();
  },
});

const payloadOf = ({ key, notification: { event, title, body, facts, createdAt } }: Delivery): string =>
  JSON.stringify({ id: key, event, title, body, facts, at: createdAt });

/** hex HMAC-SHA-256 of `<timestamp>.<body>` under the receiver's secret. */
export const signatureOf = (secret: string, timestamp: string, body: string): string =>
  createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex');

/** `Idempotency-Key` is the same with every attempt; the signature covers the time too, so an old message can be refused. */
export const createWebhookChannel = (options: PostOptions, now: () => number): ChannelPort => ({
  send: async (delivery, { webhook }) => {
    if (webhook === null) throw off('no webhook is set');
    const body = payloadOf(delivery);
    const timestamp = String(Math.floor(now() / 1000));
    const headers = {
      'Idempotency-Key': delivery.key,
      'Keel-Timestamp': timestamp,
      'Keel-Signature': `sha256=${signatureOf(webhook.secret, timestamp, body)}`,
    };
    await post(options, { url: webhook.url, body, headers, name: 'the webhook' });
  },
});

const textOf = ({ key, notification: { title, body } }: Delivery): string => `${title}\n${body}\nref ${key}`;

export const createSlackChannel = (options: PostOptions): ChannelPort => ({
  send: async (delivery, { slack }) => {
    if (slack === null) throw off('no Slack address is set');
    // Slack reads &, < and > as markup.
    const text = textOf(delivery).replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
    await post(options, { url: slack.url, body: JSON.stringify({ text }), headers: {}, name: 'Slack' });
  },
});

/** Telegram refuses a longer text, for good. */
const telegramCharacters = 4096;

/** The reference stays, and no half of a character: what was cut can be read in the inbox. */
function cutText(delivery: Delivery, most: number): string {
  const whole = textOf(delivery);
  if (whole.length <= most) return whole;
  const end = `…\nref ${delivery.key}`;
  return whole.slice(0, most - end.length).replace(/[\uD800-\uDBFF]$/, '') + end;
}

/** @param token of the bot; stands in the URL, which enters no message */
export const createTelegramChannel = (options: PostOptions, baseUrl: string, token: string): ChannelPort => ({
  send: async (delivery, { telegram }) => {
    if (token === '') throw off('KEEL_TELEGRAM_TOKEN is not set');
    if (telegram === null) throw off('no Telegram chat is set');
    const body = JSON.stringify({ chat_id: telegram.chatId, text: cutText(delivery, telegramCharacters) });
    const url = `${baseUrl.replace(/\/+$/, '')}/bot${token}/sendMessage`;
    await post(options, { url, body, headers: {}, name: 'Telegram' });
  },
});
