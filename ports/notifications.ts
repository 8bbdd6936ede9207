// How people are told: the outbox that news is written into, and the channels that carry it. Written by whoever has
// news, sent by activities/notifications.ts, read by the API.
import type {
  NotificationChannel,
  NotificationEvent,
  NotificationSettings,
} from '../contracts/wire/notification.js';
import type { Role } from '../domain/access/roles.js';

export interface News {
  /** Names the news: the same key twice is the same news. */
  readonly key: string;
  readonly event: NotificationEvent;
  readonly title: string;
  readonly body: string;
  readonly facts: Readonly<Record<string, string | number | boolean | null>>;
}

export interface Notification extends News {
  readonly id: string;
  /** Whose run or delivery it is about; null where it is about the platform. */
  readonly ownerId: string | null;
  /** ISO 8601 UTC, wall time. */
  readonly createdAt: string;
}

export type DeliveryState = 'pending' | 'sending' | 'sent' | 'failed';

export interface Delivery {
  /** Given to the receiver with every attempt. */
  readonly key: string;
  readonly userId: string;
  readonly channel: NotificationChannel;
  readonly state: DeliveryState;
  readonly attempts: number;
  readonly notBefore: string;
  readonly lastError: string | null;
  readonly sentAt: string | null;
  readonly readAt: string | null;
  /** An e-mail address in place of the one of the settings; null where they say it. */
  readonly address: string | null;
  readonly notification: Notification;
}

/** The number of the attempt tells one claim from the next. */
export type ClaimedDelivery = Pick<Delivery, 'key' | 'attempts'>;

export interface NewDelivery {
  readonly key: string;
  readonly userId: string;
  readonly channel: NotificationChannel;
  /** ISO 8601 UTC, wall time. */
  readonly notBefore: string;
}

/** One who is active, and so may be told something. */
export interface Person {
  readonly userId: string;
  /** An admin hears of everything; everybody else of what is his own. */
  readonly role: Role;
  readonly email: string;
  /** As he stored them; null when he has said nothing. His role may be another one since. */
  readonly settings: NotificationSettings | null;
}

export interface NotificationStore {
  /** @returns false when the key is there already */
  add(news: News): Promise<boolean>;
  /** News for one person over one channel, whatever the person's settings say. */
  addFor(news: News, delivery: NewDelivery): Promise<void>;
  settings(userId: string): Promise<NotificationSettings | null>;
  /**
   * @param checked what of the user the settings were checked against
   * @returns false, and nothing is stored, when he has another e-mail or role by now
   */
  putSettings(
    userId: string,
    settings: NotificationSettings,
    checked: { readonly email: string; readonly role: Role },
  ): Promise<boolean>;
  people(): Promise<readonly Person[]>;
  /** Whether there is news or a delivery that is due: cheap enough to ask every second. */
  hasWork(): Promise<boolean>;
  /** Turns news into deliveries, in one transaction with the mark that this was done. @returns how many news */
  fanOut(limit: number, deliveriesOf: (news: Notification) => readonly NewDelivery[]): Promise<number>;
  /**
   * Takes what is due: pending, or taken by somebody who has not finished within the lease. Each counts as an attempt.
   */
  claim(limit: number, leaseMs: number): Promise<readonly Delivery[]>;
  /** Marks what was claimed; does nothing where another sender has claimed it since. */
  sent(claimed: ClaimedDelivery): Promise<void>;
  /** As `sent`. @param retryAt when it may be tried again, ISO 8601 UTC */
  failed(claimed: ClaimedDelivery, error: string, retryAt: string): Promise<void>;
  /**
   * As `sent`: no attempt follows.
   * @param news tells whose delivery it is, in the same transaction; null tells nobody
   */
  giveUp(claimed: ClaimedDelivery, error: string, news: News | null): Promise<void>;
  /** A person's deliveries, newest first. */
  list(
    userId: string,
    filter: { readonly channel?: NotificationChannel; readonly unread: boolean; readonly limit: number },
  ): Promise<readonly Delivery[]>;
  /** @returns false when the person has no such delivery in the inbox */
  markRead(userId: string, key: string): Promise<boolean>;
}

/** One attempt, one timeout. */
export interface ChannelPort {
  /**
   * @throws KeelError NOTIFY_OFF, NOTIFY_REFUSED (final), NOTIFY_ADDRESS (final: an address that may not be reached),
   *   NOTIFY_AWAY (retryable: it may have arrived all the same)
   */
  send(delivery: Delivery, settings: NotificationSettings): Promise<void>;
}

/** The inbox needs none: the delivery itself is the message. */
export type ChannelPorts = Readonly<Record<Exclude<NotificationChannel, 'inbox'>, ChannelPort>>;
