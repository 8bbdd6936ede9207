// Runs on the HTTP API: execute, list, read, cancel and follow.
// Used by api/routes/{strategies,runs,progress}.ts and the OpenAPI document.
import { z } from 'zod';
import { definitionRef, definitionVersion } from './definition.js';
import { action, analysis, barSet, chart, decision, riskVerdict, rulesOpinion } from './evidence.js';
import {
  decimal,
  instant,
  mode,
  objectRef,
  runId,
  sentence,
  session,
  slot,
  strategyId,
  symbol,
} from './fields.js';
import { modelCall } from './model.js';
import { execution, orderIntent, orderReport } from './order.js';

/** POST /api/v1/strategies/{id}/execute. */
export const executeRequest = z
  .strictObject({
    symbol: symbol.optional().meta({ description: 'Needed when the strategy has several.' }),
    reason: sentence(500)
      .optional()
      .meta({
        description:
          'Asks for another run of the same session on purpose. It takes the next free slot, such as ' +
          'after-close-2, and is written to the audit. The same reason again answers with the same run.',
      }),
  })
  .extend({
    again: z
      .boolean()
      .optional()
      .meta({
        description:
          'True: another run of a session whose runs have all ended without an order that may have gone out, in the ' +
          'next free slot; one that is open is found. Refused (RUN_NOT_REPEATABLE) where an order may live. No reason beside it.',
      }),
    wait: z.boolean().optional().meta({
      description:
        'False: where the market is shut the run ends as REFUSED with MARKET_SHUT. True when left out.',
    }),
  })
  .refine(({ again, reason }) => again !== true || reason === undefined, {
    path: ['again'],
    message: 'is not given together with a reason',
  })
  .meta({ id: 'ExecuteRequest', example: { symbol: 'AAPL' } });

const identity = { mode, strategyId, symbol, session, slot };

export const executeAnswer = z
  .strictObject({
    runId,
    workflowId: z.string().meta({ example: 'run/simulated/demo-aapl/AAPL/2014-07-07/after-close' }),
    temporalUrl: z.string().nullable().meta({ description: 'The run in the Temporal Web UI.' }),
    ...identity,
    existing: z.boolean().meta({ description: 'True when the run was there already.' }),
  })
  .meta({ id: 'ExecuteAnswer' });

const status = z.enum(['running', 'waiting', 'ended', 'failed', 'cancelled']);
const outcome = z.enum([
  'FILLED',
  'NOT_FILLED',
  'HOLD',
  'NOTHING_TO_SELL',
  'REFUSED',
  'REJECTED',
  'NOT_SENT',
  'UNPROTECTED',
  'SENT_NOT_FOUND_EXPIRED',
  'FAILED',
  'CANCELLED',
]);

const summary = {
  id: runId,
  workflowId: z.string(),
  temporalUrl: z.string().nullable(),
  ...identity,
  strategyVersion: z.int().positive(),
  definition: definitionRef.nullable().meta({
    description: 'The version of the workflow definition that it takes; null for a run of an older Keel.',
  }),
  status,
  outcome: outcome.nullable(),
  code: z.string().nullable(),
  message: z.string().nullable(),
  waitingFor: instant.nullable().meta({ description: 'The market instant waited for.' }),
  startedAt: instant,
  endedAt: instant.nullable(),
};

export const run = z.strictObject(summary).meta({ id: 'Run' });
export const runList = z.strictObject({ runs: z.array(run) }).meta({ id: 'RunList' });

const step = z
  .strictObject({
    name: z.string().meta({ example: 'fetchBars daily' }),
    startedAt: instant,
    ms: z.number().nonnegative().nullable().meta({ description: 'Milliseconds; null while it runs.' }),
  })
  .meta({ id: 'RunStep' });

const heldUpBy = z
  .string()
  .optional()
  .meta({ description: 'Why the broker cannot be read now, so that a step that needs it waits.' });

export const runDetail = z
  .strictObject({
    ...summary,
    heldUpBy,
    definition: definitionVersion.nullable(),
    steps: z.array(step),
    bars: z.array(barSet),
    charts: z.array(chart),
    analyses: z.array(analysis),
    decision: decision.nullable(),
    decisionInput: objectRef.nullable().meta({ description: 'What the decision was computed from.' }),
    risk: z.array(riskVerdict),
    order: orderIntent.nullable(),
    executions: z.array(execution),
    calls: z.array(modelCall).meta({ description: 'Calls to a model, oldest first.' }),
    rulesOpinions: z
      .array(rulesOpinion)
      .meta({ description: 'What the rules said beside a model; empty where they decided.' }),
  })
  .meta({ id: 'RunDetail' });

export const runQuery = z.strictObject({
  strategyId: strategyId.optional(),
  symbol: symbol.optional(),
  limit: z.coerce.number().int().min(1).max(200).default(50),
});

export const cancelAnswer = z
  .strictObject({ runId, workflowId: z.string(), cancelRequested: z.literal(true) })
  .meta({ id: 'CancelAnswer' });

/** Data of the server-sent events `progress` and `end`. */
export const runProgress = z
  .strictObject({
    ...identity,
    runId,
    status,
    steps: z.array(step),
    waitingFor: instant.nullable(),
    heldUpBy,
    decision: z.strictObject({ action, rCoefficient: decimal.nullable(), rationale: z.string() }).nullable(),
    order: orderReport.nullable(),
    outcome: outcome.nullable(),
    code: z.string().nullable(),
    message: z.string().nullable(),
  })
  .meta({ id: 'RunProgress' });

export type RunSummary = z.infer<typeof run>;
