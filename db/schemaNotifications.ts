// The notifier's tables as Drizzle sees them. db/migrations is the truth: tests/db.test.ts compares every column.
import { sql } from 'drizzle-orm';
import { bigint, boolean, integer, jsonb, pgTable, text, uuid } from 'drizzle-orm/pg-core';
import type {
  NotificationChannel,
  NotificationEvent,
  NotificationSettings,
} from '../contracts/wire/notification.js';
import type { DeliveryState, News } from '../ports/notifications.js';
import { created, instant, modeColumn } from './columns.js';

export const notification = pgTable('notification', {
  id: bigint('id', { mode: 'bigint' }).primaryKey().generatedAlwaysAsIdentity(),
  mode: modeColumn(),
  key: text('key').notNull(),
  event: text('event').$type<NotificationEvent>().notNull(),
  title: text('title').notNull(),
  body: text('body').notNull(),
  facts: jsonb('facts').$type<News['facts']>().notNull(),
  createdAt: created(),
  fannedOut: boolean('fanned_out').notNull().default(false),
  ownerId: uuid('owner_id'),
});

export const notificationSetting = pgTable('notification_setting', {
  mode: modeColumn(),
  userId: text('user_id').notNull(),
  settings: jsonb('settings').$type<NotificationSettings>().notNull(),
  updatedAt: created('updated_at'),
});

export const notificationDelivery = pgTable('notification_delivery', {
  key: text('key').primaryKey(),
  mode: modeColumn(),
  notificationId: bigint('notification_id', { mode: 'bigint' }).notNull(),
  userId: text('user_id').notNull(),
  channel: text('channel').$type<NotificationChannel>().notNull(),
  state: text('state').$type<DeliveryState>().notNull().default('pending'),
  attempts: integer('attempts').notNull().default(0),
  notBefore: instant('not_before')
    .notNull()
    .default(sql`now()`),
  lastError: text('last_error'),
  sentAt: instant('sent_at'),
  readAt: instant('read_at'),
  /** In place of the one of the settings. */
  address: text('address'),
});
