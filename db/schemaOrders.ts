// Intents, the mirror of the broker's objects and the audit trail as Drizzle sees them; the rest is in schema.ts.
// db/migrations is the truth: tests/db.test.ts compares every column with the migrated database.
import { sql } from 'drizzle-orm';
import { bigint, boolean, json, jsonb, numeric, pgTable, text } from 'drizzle-orm/pg-core';
import type { IntentState, LegState } from '../contracts/wire/order.js';
import type { BrokerOrder } from '../ports/broker.js';
import type { BrokerSnapshot } from '../ports/stores.js';
import { created, instant, modeColumn } from './columns.js';

export const orderIntent = pgTable('order_intent', {
  clientOrderId: text('client_order_id').primaryKey(),
  mode: modeColumn(),
  accountId: text('account_id').notNull(),
  runId: text('run_id').notNull(),
  symbol: text('symbol').notNull(),
  conid: text('conid').notNull(),
  side: text('side').$type<'BUY' | 'SELL'>().notNull(),
  quantity: numeric('quantity').notNull(),
  limit: numeric('limit_price'),
  stop: numeric('stop'),
  target: numeric('target'),
  reservedCash: numeric('reserved_cash').notNull(),
  validUntil: instant('valid_until').notNull(),
  state: text('state').$type<IntentState>().notNull().default('INTENT'),
  brokerOrderId: text('broker_order_id'),
  filledQuantity: numeric('filled_quantity').notNull().default('0'),
  averagePrice: numeric('average_price'),
  legs: jsonb('legs').$type<readonly LegState[]>().notNull().default([]),
  reason: text('reason'),
  createdAt: created(),
  updatedAt: created('updated_at'),
  isOpen: boolean('is_open')
    .notNull()
    .generatedAlwaysAs(sql`order_intent_is_open`),
});

export const brokerSnapshot = pgTable('broker_snapshot', {
  mode: modeColumn(),
  accountId: text('account_id').notNull(),
  readStartedAt: instant('read_started_at').notNull(),
  marketTime: instant('market_time').notNull(),
  marketStep: bigint('market_step', { mode: 'number' }).notNull(),
  body: json('body').$type<BrokerSnapshot>().notNull(),
});

export const order = pgTable('order', {
  mode: modeColumn(),
  accountId: text('account_id').notNull(),
  brokerOrderId: text('broker_order_id').notNull(),
  parentBrokerOrderId: text('parent_broker_order_id'),
  clientOrderId: text('client_order_id'),
  conid: text('conid').notNull(),
  symbol: text('symbol').notNull(),
  side: text('side').$type<BrokerOrder['side']>().notNull(),
  type: text('type').$type<BrokerOrder['type']>().notNull(),
  timeInForce: text('time_in_force').notNull(),
  quantity: numeric('quantity').notNull(),
  filledQuantity: numeric('filled_quantity').notNull(),
  averagePrice: numeric('average_price'),
  price: numeric('price'),
  status: text('status').$type<BrokerOrder['status']>().notNull(),
  reason: text('reason'),
  firstSeenAt: created('first_seen_at'),
  updatedAt: created('updated_at'),
});

export const execution = pgTable('execution', {
  mode: modeColumn(),
  accountId: text('account_id').notNull(),
  executionId: text('execution_id').notNull(),
  brokerOrderId: text('broker_order_id'),
  clientOrderId: text('client_order_id'),
  conid: text('conid').notNull(),
  symbol: text('symbol').notNull(),
  side: text('side').$type<'BUY' | 'SELL'>().notNull(),
  quantity: numeric('quantity').notNull(),
  price: numeric('price').notNull(),
  commission: numeric('commission').notNull(),
  executedAt: instant('executed_at').notNull(),
  firstSeenAt: created('first_seen_at'),
});

export const position = pgTable('position', {
  mode: modeColumn(),
  accountId: text('account_id').notNull(),
  conid: text('conid').notNull(),
  symbol: text('symbol').notNull(),
  quantity: numeric('quantity').notNull(),
  averageCost: numeric('average_cost').notNull(),
  marketPrice: numeric('market_price').notNull(),
  updatedAt: created('updated_at'),
});

export const audit = pgTable('audit', {
  id: bigint('id', { mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
  at: created('at'),
  mode: modeColumn(),
  actor: text('actor').notNull(),
  action: text('action').notNull(),
  subject: text('subject').notNull(),
  facts: jsonb('facts').$type<Record<string, unknown>>().notNull(),
  // Set by a trigger, whatever is given.
  position: bigint('position', { mode: 'number' })
    .notNull()
    .default(sql`null`),
  previousHash: text('previous_hash')
    .notNull()
    .default(sql`null`),
  hash: text('hash')
    .notNull()
    .default(sql`null`),
});
