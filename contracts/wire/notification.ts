// What people are told: events, channels, and what each person wants to hear where.

export const notificationEvents = [
  'run.ended',
  'run.failed',
  'run.unprotected',
  'run.lost',
  'order.unfollowed',
  'position.unprotected',
  'broker.lost',
  'platform.degraded',
  'platform.well',
  'retention.failed',
  'notification.failed',
  'account.email',
  'test',
] as const;
export type NotificationEvent = (typeof notificationEvents)[number];

/** Shares are at risk, or an order may be: these also go out in quiet hours. */
export const urgentEvents: readonly NotificationEvent[] = [
  'run.unprotected',
  'run.lost',
  'order.unfollowed',
  'position.unprotected',
  'broker.lost',
];

export const notificationChannels = ['log', 'inbox', 'webhook', 'email', 'slack', 'telegram'] as const;
export type NotificationChannel = (typeof notificationChannels)[number];

export interface QuietHours {
  /** HH:MM in `zone`; may pass midnight. */
  readonly from: string;
  readonly to: string;
  /** IANA name. */
  readonly zone: string;
}

export interface NotificationSettings {
  readonly webhook: { readonly url: string; readonly secret: string } | null;
  readonly email: { readonly address: string } | null;
  readonly slack: { readonly url: string } | null;
  readonly telegram: { readonly chatId: string } | null;
  /** Events that are not named go nowhere. */
  readonly matrix: Readonly<Partial<Record<NotificationEvent, readonly NotificationChannel[]>>>;
  /** Other than urgent news waits in these hours; the inbox and the log do not. */
  readonly quietHours: QuietHours | null;
}

/** Who has said nothing hears everything in the inbox, and urgent news in the log too. */
export const defaultNotificationSettings: NotificationSettings = {
  webhook: null,
  email: null,
  slack: null,
  telegram: null,
  matrix: {
    'run.ended': ['inbox'],
    'run.failed': ['inbox', 'log'],
    'run.unprotected': ['inbox', 'log'],
    'run.lost': ['inbox', 'log'],
    'order.unfollowed': ['inbox', 'log'],
    'position.unprotected': ['inbox', 'log'],
    'broker.lost': ['inbox', 'log'],
    'platform.degraded': ['inbox', 'log'],
    'platform.well': ['inbox', 'log'],
    'retention.failed': ['inbox', 'log'],
    'notification.failed': ['inbox', 'log'],
    'account.email': ['inbox'],
    test: ['inbox'],
  },
  quietHours: null,
};
