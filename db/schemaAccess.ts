// Users and their credentials as Drizzle sees them; db/migrations is the truth. Used by the stores of access.
import { bigint, boolean, jsonb, pgTable, text, uuid } from 'drizzle-orm/pg-core';
import type { AttemptKind } from '../domain/access/attempts.js';
import type { Role, Scope } from '../domain/access/roles.js';
import { created, instant } from './columns.js';

export const keelUser = pgTable('keel_user', {
  id: uuid('id').primaryKey().defaultRandom(),
  email: text('email').notNull(),
  username: text('username').notNull(),
  role: text('role').$type<Role>().notNull(),
  active: boolean('active').notNull().default(true),
  passwordHash: text('password_hash'),
  mustChangePassword: boolean('must_change_password').notNull().default(false),
  createdAt: created(),
  updatedAt: created('updated_at'),
  secondFactor: boolean('second_factor').notNull().default(false),
});

export const login = pgTable('login', {
  id: uuid('id').primaryKey().defaultRandom(),
  userId: uuid('user_id').notNull(),
  createdAt: created(),
  expiresAt: instant('expires_at').notNull(),
  endedAt: instant('ended_at'),
  endReason: text('end_reason'),
  provenAt: instant('proven_at'),
});

export const secondFactor = pgTable('second_factor', {
  userId: uuid('user_id').primaryKey(),
  sealedSecret: text('sealed_secret').notNull(),
  createdAt: created(),
  confirmedAt: instant('confirmed_at'),
  lastStep: bigint('last_step', { mode: 'number' }).notNull().default(0),
});

export const recoveryCode = pgTable('recovery_code', {
  hash: text('hash').primaryKey(),
  userId: uuid('user_id').notNull(),
  createdAt: created(),
  usedAt: instant('used_at'),
});

export const refreshToken = pgTable('refresh_token', {
  hash: text('hash').primaryKey(),
  loginId: uuid('login_id').notNull(),
  createdAt: created(),
  usedAt: instant('used_at'),
  successor: text('successor'),
});

export const oidcIdentity = pgTable('oidc_identity', {
  issuer: text('issuer').notNull(),
  subject: text('subject').notNull(),
  userId: uuid('user_id').notNull(),
  createdAt: created(),
  lastUsedAt: instant('last_used_at'),
});

export const oidcFlow = pgTable('oidc_flow', {
  stateHash: text('state_hash').primaryKey(),
  browserHash: text('browser_hash').notNull(),
  createdAt: created(),
  expiresAt: instant('expires_at').notNull(),
  linkUserId: uuid('link_user_id'),
  identifiedUserId: uuid('identified_user_id'),
});

export const accessAttempt = pgTable('access_attempt', {
  id: bigint('id', { mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
  kind: text('kind').$type<AttemptKind>().notNull(),
  subject: text('subject').notNull(),
  address: text('address').notNull(),
  at: created('at'),
  succeeded: boolean('succeeded').notNull().default(false),
});

export const apiKey = pgTable('api_key', {
  id: uuid('id').primaryKey().defaultRandom(),
  userId: uuid('user_id').notNull(),
  name: text('name').notNull(),
  prefix: text('prefix').notNull(),
  hash: text('hash').notNull(),
  scopes: jsonb('scopes').$type<readonly Scope[]>().notNull(),
  createdAt: created(),
  expiresAt: instant('expires_at').notNull(),
  lastUsedAt: instant('last_used_at'),
  revokedAt: instant('revoked_at'),
});
