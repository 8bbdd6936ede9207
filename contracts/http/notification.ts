// Notifications over HTTP: the inbox, deliveries, and what a person wants to hear where. Used by
// api/routes/notifications.ts and the OpenAPI document.
import { z } from 'zod';
import { notificationChannels, notificationEvents } from '../wire/notification.js';
import { instant, sentence } from './fields.js';

const event = z.enum(notificationEvents);
const channel = z.enum(notificationChannels);
const minute = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'HH:MM');

const isZone = (zone: string): boolean => {
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone });
    return true;
  } catch {
    return false;
  }
};

export const delivery = z
  .strictObject({
    key: z.string().meta({ description: 'Names this delivery; the receiver gets it with every attempt.' }),
    channel,
    state: z.enum(['pending', 'sending', 'sent', 'failed']),
    attempts: z.int().nonnegative(),
    notBefore: instant,
    lastError: z.string().nullable(),
    sentAt: instant.nullable(),
    readAt: instant.nullable(),
    event,
    title: z.string(),
    body: z.string(),
    facts: z.record(z.string(), z.unknown()),
    createdAt: instant,
  })
  .meta({ id: 'Delivery' });

export const deliveryList = z.strictObject({ deliveries: z.array(delivery) }).meta({ id: 'DeliveryList' });

export const deliveryQuery = z.strictObject({
  channel: channel.optional(),
  unread: z
    .enum(['true', 'false'])
    .default('false')
    .transform((text) => text === 'true'),
  limit: z.coerce.number().int().min(1).max(200).default(50),
});

const webhookUrl = z.url({ protocol: /^https?$/ }).max(2000);
const quietHours = z.strictObject({
  from: minute,
  to: minute,
  zone: z.string().refine(isZone, 'no time zone of the IANA list, such as America/New_York'),
});
/** Of what is sent alone: rows of before may hold such hours, which are none. */
const askedQuietHours = quietHours.refine(({ from, to }) => from !== to, {
  path: ['to'],
  message: 'is the same as from, so no hour would be quiet: give another end, or null for no quiet hours',
});
const matrix = z.partialRecord(event, z.array(channel).max(notificationChannels.length)).meta({
  description: 'Which event goes where. Events that are not named go nowhere.',
});

/** What both directions have alike. */
const plain = {
  email: z.strictObject({ address: z.email().max(254) }).nullable(),
  telegram: z.strictObject({ chatId: sentence(64) }).nullable(),
  matrix,
  quietHours: quietHours.nullable().meta({
    description:
      'From and to in HH:MM of the zone, not the same; may pass midnight. News that is not urgent waits for their end.',
  }),
};
const isStored = z
  .boolean()
  .meta({ description: 'Whether one is stored. Read only: what is sent here changes nothing.' });

const matrixExample = {
  'run.ended': ['inbox'],
  'run.unprotected': ['inbox', 'log', 'webhook', 'telegram'],
  'broker.lost': ['inbox', 'log', 'webhook'],
} satisfies z.input<typeof matrix>;
const plainExample = {
  email: { address: 'maria@example.com' },
  telegram: { chatId: '-1001234567890' },
  matrix: matrixExample,
  quietHours: { from: '22:00', to: '07:00', zone: 'America/New_York' },
};

const notUsed = z.array(channel).meta({
  description:
    'Channels that are set and that your role does not allow you now: nothing is sent by them until it does. Read only: what is sent here changes nothing.',
});

/** Takes the answer below too: what it shows of secrets is read only, and the secrets that are not sent stay. */
export const notificationSettings = z
  .strictObject({
    ...plain,
    notUsed: notUsed.optional(),
    quietHours: askedQuietHours.nullable().meta({ description: plain.quietHours.meta()?.description ?? '' }),
    webhook: z
      .strictObject({
        url: webhookUrl,
        secret: z
          .string()
          .min(16)
          .max(200)
          .optional()
          .meta({ description: 'Signs each message. Left out, the one that is stored for this url stays.' }),
        secretSet: isStored.optional(),
      })
      .nullable(),
    slack: z
      .strictObject({
        url: webhookUrl
          .optional()
          .meta({ description: 'Holds a secret. Left out, the one that is stored stays.' }),
        urlSet: isStored.optional(),
      })
      .nullable(),
  })
  .meta({
    id: 'NotificationSettings',
    example: {
      ...plainExample,
      webhook: { url: 'https://example.com/keel', secret: 'at least 16 characters' },
      slack: null,
    },
  });

/** Secrets are never given back. */
export const notificationSettingsAnswer = z
  .strictObject({
    ...plain,
    notUsed,
    webhook: z.strictObject({ url: z.string(), secretSet: isStored }).nullable(),
    slack: z.strictObject({ urlSet: isStored }).nullable(),
  })
  .meta({
    id: 'NotificationSettingsAnswer',
    example: {
      ...plainExample,
      notUsed: [],
      webhook: { url: 'https://example.com/keel', secretSet: true },
      slack: null,
    },
  });

export const testRequest = z.strictObject({ channel }).meta({ id: 'NotificationTestRequest' });
export const testAnswer = z.strictObject({ key: z.string() }).meta({ id: 'NotificationTestAnswer' });
