// What a run found out, as the HTTP API shows it: bars, charts, analyses, decision, verdicts of risk.
import { z } from 'zod';
import { timeframes } from '../../domain/market/bar.js';
import { decimal, instant, objectRef, objectRefFields, timeframe } from './fields.js';
import { decisionReview, reading } from './model.js';

export const barSet = z
  .strictObject({
    timeframe,
    count: z.int().nonnegative(),
    first: instant,
    last: instant,
    source: z.string().meta({ example: 'ibkr' }),
    ...objectRefFields,
  })
  .meta({ id: 'BarSet' });

export const chart = z
  .strictObject({
    timeframe,
    ...objectRefFields,
    width: z.int().positive(),
    height: z.int().positive(),
    url: z.string().meta({ description: 'Path of the picture on this API.' }),
  })
  .meta({ id: 'Chart' });

const score = z.number().min(-1).max(1);

const regime = z
  .strictObject({
    kind: z.enum(['trending', 'ranging', 'mixed', 'turbulent']),
    direction: z.enum(['up', 'down']).meta({ description: 'Of the larger directional indicator.' }),
    adx: z.number().min(0).max(100),
    volatilityRank: z.number().min(0).max(1).meta({
      description: "Share of the last year's sessions whose range was a smaller share of the price.",
    }),
  })
  .meta({ id: 'Regime' });

const reversal = z
  .strictObject({
    score: score.meta({ description: 'From -1 at the upper edge to 1 at the lower one.' }),
    action: z.enum(['buy', 'sell']).nullable().meta({ description: 'What is due; null between the edges.' }),
    target: z.number().meta({ description: 'The middle of the range.' }),
  })
  .meta({ id: 'Reversal' });

export const analysis = z
  .strictObject({
    timeframe,
    analyst: z.string(),
    score: score.meta({ description: 'From -1 (bearish) to 1 (bullish).' }),
    parts: z.strictObject({ trend: score, momentum: score, volatility: score, levels: score }),
    close: z.number(),
    atr: z.number().nullable(),
    support: z.number().nullable(),
    resistance: z.number().nullable(),
    lastBar: instant,
    barCount: z.int().nonnegative(),
    reasons: z.array(z.string()),
    regime: regime
      .optional()
      .meta({ description: 'The kind of market, of the daily bars that the rules read.' }),
    reversal: reversal.optional().meta({ description: 'The way back to the middle of a ranging market.' }),
    reading: reading.optional().meta({ description: "A model's whole reading." }),
  })
  .meta({ id: 'Analysis' });

export const action = z.enum(['buy', 'sell', 'hold']);
const source = z.enum(['analyst', 'quote', 'code']);

export const decision = z
  .strictObject({
    action,
    entry: decimal.nullable(),
    stop: decimal.nullable(),
    target: decimal.nullable(),
    rCoefficient: decimal
      .nullable()
      .meta({ description: '(target − entry) / (entry − stop) for a long, mirrored for a short.' }),
    profitMargin: decimal.nullable().meta({
      description: '(target − entry) / entry for a long, mirrored for a short, as a fraction.',
    }),
    rationale: z.string(),
    analyst: z.string(),
    sources: z
      .strictObject({ action: source, entry: source, stop: source, target: source })
      .meta({ description: 'Where each figure came from.' }),
    review: decisionReview.optional().meta({ description: "What comes with a model's decision." }),
  })
  .meta({ id: 'Decision' });

export const rulesOpinion = z
  .strictObject({
    part: z.enum([...timeframes, 'decision']),
    version: z.string().meta({ description: 'Of the rules.' }),
    score: score.nullable(),
    action: action.nullable(),
    entry: decimal.nullable(),
    stop: decimal.nullable(),
    target: decimal.nullable(),
    reasons: z.array(z.string()),
  })
  .meta({ id: 'RulesOpinion' });

export const riskVerdict = z
  .strictObject({
    stage: z
      .enum(['proposal', 'admission'])
      .meta({ description: 'proposal: informs · admission: admits, on fresh facts.' }),
    approved: z.boolean(),
    code: z.string(),
    quantity: decimal,
    riskAmount: decimal,
    limitedBy: z.enum(['risk', 'position', 'cash', 'held', 'none']),
    checks: z.array(
      z.strictObject({
        code: z.string(),
        passed: z.boolean(),
        value: z.string(),
        limit: z.string(),
        text: z.string(),
        cause: z
          .string()
          .optional()
          .meta({ description: 'What made it fail, where the decision and the strategy did not.' }),
      }),
    ),
    order: z
      .strictObject({
        side: z.enum(['BUY', 'SELL']),
        quantity: decimal,
        limit: decimal.nullable(),
        stop: decimal.nullable(),
        target: decimal.nullable(),
      })
      .nullable(),
    facts: objectRef,
  })
  .meta({ id: 'RiskVerdict' });
