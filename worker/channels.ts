// Makes the channels that carry notifications. Called by ports.ts.
import { pino } from 'pino';
import { createEmailChannel } from '../adapters/notify/email.js';
import {
  createLogChannel,
  createSlackChannel,
  createTelegramChannel,
  createWebhookChannel,
} from '../adapters/notify/channels.js';
import type { Config } from '../config/schema.js';
import type { Clock } from '../ports/clocks.js';
import type { ChannelPorts } from '../ports/notifications.js';

export function createChannels(
  { smtpUrl, from, timeoutMs, privateAddresses, telegramUrl, telegramToken }: Config['notifier'],
  clock: Clock,
): ChannelPorts {
  const log = pino({ base: null, timestamp: pino.stdTimeFunctions.isoTime }, pino.destination(2));
  const post = { timeoutMs, allowPrivateAddresses: privateAddresses === 'allowed' };
  return {
    log: createLogChannel((line) => {
      log.warn(line, 'notification');
    }),
    webhook: createWebhookChannel(post, () => clock.now()),
    slack: createSlackChannel(post),
    telegram: createTelegramChannel(post, telegramUrl, telegramToken),
    email: createEmailChannel({ smtpUrl, from, timeoutMs }),
  };
}
