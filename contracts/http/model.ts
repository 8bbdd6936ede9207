// What a model read, proposed and cost, as the HTTP API shows it. Used by run.ts, evidence.ts and routes/analyst.ts.
import { z } from 'zod';
import { decimal, instant, objectRef, objectRefFields, sha256 } from './fields.js';

const confidence = z.int().min(0).max(100).meta({ description: 'Recorded, never used to size.' });
const numbersOnly = z.boolean().meta({ description: 'The model takes no pictures and saw numbers only.' });
const usd = z
  .string()
  .regex(/^\d+(\.\d+)?$/)
  .meta({ description: 'USD as a decimal string.', example: '0.0123' });

const flags = z.array(z.string()).meta({ description: 'Claims that the bars do not bear out.' });

export const reading = z
  .strictObject({
    trend: z.enum(['up', 'down', 'sideways']),
    momentum: z.enum(['rising', 'falling', 'flat']),
    volatility: z.enum(['low', 'normal', 'high']),
    support: z.array(z.number()),
    resistance: z.array(z.number()),
    signals: z.array(
      z.strictObject({
        name: z.string(),
        direction: z.enum(['bullish', 'bearish', 'neutral']),
        evidence: z.string(),
      }),
    ),
    confidence,
    invalidation: z.string(),
    summary: z.string(),
    numbersOnly,
    flags,
  })
  .meta({ id: 'Reading' });

const soundness = z
  .int()
  .min(0)
  .max(100)
  .meta({ description: 'How sound the proposed buy is; counted against the quorum, never used to size.' });

const panelReport = z
  .strictObject({
    stands: z.boolean().meta({ description: 'False: the buy became a hold.' }),
    proposed: z.strictObject({
      ...{ entry: decimal.nullable(), stop: decimal.nullable(), target: decimal.nullable() },
      ...{ rCoefficient: decimal.nullable(), profitMargin: decimal.nullable() },
    }),
    reviews: z.array(
      z.strictObject({
        role: z.enum(['bull', 'bear', 'risk']),
        argument: z.string(),
        points: z.array(z.strictObject({ claim: z.string(), evidence: z.string() })),
        soundness,
        flags,
      }),
    ),
    verdict: z.strictObject({
      verdict: z.enum(['stands', 'hold']),
      soundness,
      reasons: z.array(z.string()),
      strongestObjection: z.string(),
      flags,
    }),
  })
  .meta({ id: 'PanelReport', description: 'What a panel said of a proposed buy.' });

export type PanelReport = z.infer<typeof panelReport>;

export const decisionReview = z
  .strictObject({
    numbersOnly,
    confidence,
    horizonSessions: z.int().nullable(),
    agreements: z.array(z.string()),
    conflicts: z.array(z.string()),
    risks: z.array(z.string()),
    checks: z.array(
      z.strictObject({
        code: z.string().meta({ example: 'R_MINIMUM' }),
        passed: z.boolean(),
        blocking: z.boolean().meta({ description: 'A failed one refuses the decision.' }),
        text: z.string(),
      }),
    ),
    panel: panelReport.optional(),
  })
  .meta({ id: 'DecisionReview' });

const outcome = z.enum([
  'ok',
  'refusal',
  'length',
  'content_filter',
  'empty',
  'invalid_json',
  'schema_invalid',
  'timeout',
  'budget',
]);

const pixels = z.int().positive().meta({ description: 'Pixels; not said by calls of an earlier Keel.' });

export const modelCall = z
  .strictObject({
    id: z.string(),
    runId: z.string(),
    strategyId: z.string(),
    purpose: z.string().meta({ example: 'daily' }),
    turn: z.int().meta({ description: '0, or 1 for the one repair.' }),
    state: z.enum(['reserved', 'answered', 'failed', 'abandoned']),
    outcome: outcome.nullable(),
    code: z.string().nullable(),
    down: z.boolean().nullable().meta({ description: 'The server was down: a fallback may be asked.' }),
    message: z.string().nullable(),
    profile: z.string().meta({ description: 'Whose model was asked, as the settings call it.' }),
    api: z.enum(['responses', 'chat']),
    modelAsked: z.string(),
    modelAnswered: z.string().nullable(),
    fingerprint: z.string().nullable(),
    responseId: z.string().nullable(),
    requestId: z.string().nullable(),
    finishReason: z.string().nullable(),
    prompts: z.array(z.strictObject({ name: z.string(), sha256 })),
    contentKey: sha256.meta({ description: 'Over everything that the answer depends on.' }),
    prompt: objectRef,
    inputSha256: sha256,
    pictures: z.array(
      z.strictObject({
        ...objectRefFields,
        width: pixels.optional(),
        height: pixels.optional(),
      }),
    ),
    parameters: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])),
    numbersOnly,
    inputTokens: z.int().nullable(),
    cachedTokens: z.int().nullable(),
    outputTokens: z.int().nullable(),
    reservedUsd: usd,
    costUsd: usd.nullable(),
    priceDate: z.string(),
    answer: objectRef.nullable().meta({ description: 'The answer as it came.' }),
    cachedFrom: z.string().nullable().meta({ description: 'The call whose answer was taken again.' }),
    ms: z.number().nullable(),
    startedAt: instant,
    endedAt: instant.nullable(),
  })
  .meta({ id: 'ModelCall' });

const spending = z.strictObject({
  calls: z.int(),
  inputTokens: z.int(),
  outputTokens: z.int(),
  usd,
  capUsd: usd,
});

export const spendingQuery = z.strictObject({
  by: z
    .enum(['day', 'month', 'strategy', 'run', 'call'])
    .default('day')
    .meta({ description: 'What a row holds the calls of.' }),
  since: z.iso
    .date()
    .optional()
    .meta({ description: 'First day, UTC. A year ago by month, else 30 days, when left out.' }),
  limit: z.coerce.number().int().min(1).max(500).default(50),
});

const capState = z.strictObject({ capUsd: usd, usd, leftUsd: usd });

/** GET /api/v1/spending. */
export const spendingList = z
  .strictObject({
    by: spendingQuery.shape.by.unwrap(),
    since: z.iso.date(),
    runCapUsd: usd,
    day: capState.meta({ description: 'Today, UTC, of all users: the cap is common.' }),
    month: capState.meta({ description: 'This month, UTC, of all users.' }),
    spending: z.array(
      z.strictObject({
        key: z.string().meta({ description: 'The day, the month, or the id.', example: '2026-01-31' }),
        strategyId: z.string().nullable(),
        runId: z.string().nullable(),
        purpose: z.string().nullable(),
        calls: z.int(),
        reused: z.int().meta({ description: 'Answers taken from the records, free.' }),
        refused: z.int().meta({ description: 'Calls that a cap has stopped.' }),
        inputTokens: z.int(),
        outputTokens: z.int(),
        usd: usd.meta({ description: 'USD, with what is reserved for calls under way or cut off.' }),
        openUsd: usd.meta({ description: 'Of it, what is only reserved.' }),
        leftUsd: usd.nullable().meta({ description: 'Of the cap of the run, of today, or of this month.' }),
      }),
    ),
  })
  .meta({ id: 'Spending' });

/** GET /api/v1/analyst. */
export const analystState = z
  .strictObject({
    analyst: z.enum(['rules', 'openai']).meta({ description: 'Who reads for strategies that say auto.' }),
    model: z.string().nullable(),
    profiles: z
      .array(z.strictObject({ name: z.string(), model: z.string() }))
      .meta({ description: 'Models that a strategy may name, by the names of the settings.' }),
    runCapUsd: usd,
    day: spending.meta({ description: 'Since midnight UTC.' }),
    month: spending,
    priceDate: z.string().meta({ description: 'Date of the price table that costs are reckoned with.' }),
  })
  .meta({ id: 'AnalystState' });
