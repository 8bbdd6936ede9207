// Strategies, runs and their evidence as Drizzle sees them, for typed queries in the stores; orders are in
// schemaOrders.ts. db/migrations is the truth: tests/db.test.ts compares every column with the migrated database.
import {
  bigint,
  boolean,
  date,
  doublePrecision,
  integer,
  jsonb,
  numeric,
  pgTable,
  text,
  uuid,
} from 'drizzle-orm/pg-core';
import type { RunOutcome, RunStatus, StepName } from '../contracts/wire/run.js';
import type { StrategySettings } from '../contracts/wire/strategy.js';
import type { WorkflowDefinition } from '../domain/definition/definition.js';
import type { Action, Analysis, Decision, Reversal } from '../domain/decision/decision.js';
import type { DecisionReview, Reading } from '../domain/decision/reading.js';
import type { Timeframe } from '../domain/market/bar.js';
import type { Regime } from '../domain/market/regime.js';
import type { ProposedOrder, RiskCheck, RiskVerdict } from '../domain/risk/types.js';
import { created, instant, modeColumn, objectColumns } from './columns.js';

export const databaseMode = pgTable('database_mode', {
  onlyRow: boolean('only_row').primaryKey().default(true),
  mode: modeColumn(),
  claimedAt: created('claimed_at'),
});

export const workflow = pgTable('workflow', {
  id: text('id').primaryKey(),
  name: text('name').notNull(),
  createdAt: created(),
  version: integer('version').notNull().default(1),
  ownerId: uuid('owner_id'),
});

export const workflowVersion = pgTable('workflow_version', {
  workflowId: text('workflow_id').notNull(),
  version: integer('version').notNull(),
  steps: jsonb('steps').$type<WorkflowDefinition['steps']>().notNull(),
  timeframes: jsonb('timeframes').$type<WorkflowDefinition['timeframes']>().notNull(),
  analyst: text('analyst').$type<WorkflowDefinition['analyst']>().notNull(),
  gates: jsonb('gates').$type<WorkflowDefinition['gates']>().notNull(),
  limits: jsonb('limits').$type<WorkflowDefinition['limits']>().notNull(),
  createdBy: text('created_by').notNull(),
  createdAt: created(),
});

export const strategy = pgTable('strategy', {
  id: text('id').primaryKey(),
  name: text('name').notNull(),
  mode: modeColumn(),
  active: boolean('active').notNull().default(true),
  version: integer('version').notNull(),
  createdAt: created(),
  ownerId: uuid('owner_id'),
});

export const strategyVersion = pgTable('strategy_version', {
  strategyId: text('strategy_id').notNull(),
  version: integer('version').notNull(),
  mode: modeColumn(),
  workflowId: text('workflow_id').notNull(),
  settings: jsonb('settings').$type<StrategySettings>().notNull(),
  createdBy: text('created_by').notNull(),
  createdAt: created(),
  workflowVersion: integer('workflow_version').notNull().default(1),
});

export const run = pgTable('run', {
  id: text('id').primaryKey(),
  workflowId: text('workflow_id').notNull(),
  mode: modeColumn(),
  strategyId: text('strategy_id').notNull(),
  strategyVersion: integer('strategy_version').notNull(),
  symbol: text('symbol').notNull(),
  session: date('session', { mode: 'string' }).notNull(),
  slot: text('slot').notNull(),
  status: text('status').$type<RunStatus>().notNull().default('running'),
  outcome: text('outcome').$type<RunOutcome>(),
  code: text('code'),
  message: text('message'),
  waitingFor: instant('waiting_for'),
  startedAt: created('started_at'),
  endedAt: instant('ended_at'),
  restoredAt: instant('restored_at'),
  ownerId: uuid('owner_id'),
  definitionId: text('definition_id'),
  definitionVersion: integer('definition_version'),
});

export const runCancel = pgTable('run_cancel', {
  runId: text('run_id').primaryKey(),
  mode: modeColumn(),
  actor: text('actor').notNull(),
  askedAt: created('asked_at'),
});

export const runStep = pgTable('run_step', {
  runId: text('run_id').notNull(),
  position: integer('position').notNull(),
  mode: modeColumn(),
  name: text('name').$type<StepName>().notNull(),
  startedAt: instant('started_at').notNull(),
  ms: integer('ms'),
});

export const marketData = pgTable('market_data', {
  runId: text('run_id').notNull(),
  timeframe: text('timeframe').$type<Timeframe>().notNull(),
  mode: modeColumn(),
  ...objectColumns(),
  barCount: integer('bar_count').notNull(),
  firstBar: instant('first_bar').notNull(),
  lastBar: instant('last_bar').notNull(),
  source: text('source').notNull(),
  createdAt: created(),
});

export const chart = pgTable('chart', {
  runId: text('run_id').notNull(),
  timeframe: text('timeframe').$type<Timeframe>().notNull(),
  mode: modeColumn(),
  ...objectColumns(),
  width: integer('width').notNull(),
  height: integer('height').notNull(),
  createdAt: created(),
});

export const analysis = pgTable('analysis', {
  runId: text('run_id').notNull(),
  timeframe: text('timeframe').$type<Timeframe>().notNull(),
  mode: modeColumn(),
  analyst: text('analyst').notNull(),
  score: doublePrecision('score').notNull(),
  parts: jsonb('parts').$type<Analysis['parts']>().notNull(),
  close: doublePrecision('close').notNull(),
  atr: doublePrecision('atr'),
  support: doublePrecision('support'),
  resistance: doublePrecision('resistance'),
  lastBar: instant('last_bar').notNull(),
  barCount: integer('bar_count').notNull(),
  reasons: jsonb('reasons').$type<readonly string[]>().notNull(),
  createdAt: created(),
  reading: jsonb('reading').$type<Reading>(),
  regime: jsonb('regime').$type<Regime>(),
  reversal: jsonb('reversal').$type<Reversal>(),
});

export const decision = pgTable('decision', {
  runId: text('run_id').primaryKey(),
  mode: modeColumn(),
  action: text('action').$type<Action>().notNull(),
  entry: numeric('entry'),
  stop: numeric('stop'),
  target: numeric('target'),
  rCoefficient: numeric('r_coefficient'),
  profitMargin: numeric('profit_margin'),
  rationale: text('rationale').notNull(),
  analyst: text('analyst').notNull(),
  sources: jsonb('sources').$type<Decision['sources']>().notNull(),
  inputKey: text('input_key').notNull(),
  inputSha256: text('input_sha256').notNull(),
  inputBytes: bigint('input_bytes', { mode: 'number' }).notNull(),
  createdAt: created(),
  review: jsonb('review').$type<DecisionReview>(),
});

export const proposedDecision = pgTable('proposed_decision', {
  runId: text('run_id').primaryKey(),
  mode: modeColumn(),
  ...objectColumns(),
  inputKey: text('input_key').notNull(),
  inputSha256: text('input_sha256').notNull(),
  inputBytes: bigint('input_bytes', { mode: 'number' }).notNull(),
  createdAt: created(),
});

export const riskEvaluation = pgTable('risk_evaluation', {
  runId: text('run_id').notNull(),
  stage: text('stage').$type<'proposal' | 'admission'>().notNull(),
  mode: modeColumn(),
  approved: boolean('approved').notNull(),
  code: text('code').notNull(),
  quantity: numeric('quantity').notNull(),
  riskAmount: numeric('risk_amount').notNull(),
  limitedBy: text('limited_by').$type<RiskVerdict['limitedBy']>().notNull(),
  checks: jsonb('checks').$type<readonly RiskCheck[]>().notNull(),
  proposedOrder: jsonb('proposed_order').$type<
    Omit<ProposedOrder, 'limit'> & Partial<Pick<ProposedOrder, 'limit'>>
  >(),
  factsKey: text('facts_key').notNull(),
  factsSha256: text('facts_sha256').notNull(),
  factsBytes: bigint('facts_bytes', { mode: 'number' }).notNull(),
  createdAt: created(),
});
