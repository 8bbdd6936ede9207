// Strategies on the HTTP API: what an operator sends to make one, and how one is shown.
// Used by api/routes/strategies.ts, api/services/strategies.ts and the OpenAPI document.
import { z } from 'zod';
import {
  definitionId,
  instant,
  mode,
  sentence,
  slot,
  strategyId,
  symbol,
  timeframeList,
  unique,
} from './fields.js';

const period = (most: number) => z.int().min(2).max(most);
const periods = z
  .array(period(1000))
  .max(6)
  .refine((list) => new Set(list).size === list.length, 'holds the same period twice');

const indicatorFields = {
  sma: periods.meta({ description: 'Periods of simple moving averages.', example: [20, 50, 200] }),
  ema: periods.meta({ description: 'Periods of exponential moving averages.', example: [12, 26] }),
  rsi: period(250),
  macd: z
    .strictObject({ fast: period(250), slow: period(500), signal: period(250) })
    .refine((macd) => macd.fast < macd.slow, { path: ['fast'], error: 'fast must be smaller than slow' }),
  bollinger: z.strictObject({ period: period(500), deviations: z.number().positive().max(10) }),
  atr: period(250),
  superTrend: z.strictObject({ period: period(250), multiplier: z.number().positive().max(20) }),
  volumeAverage: period(500),
};
const indicatorParameters = z.strictObject(indicatorFields).meta({ id: 'IndicatorParameters' });

const positive = (value: string): boolean => /[1-9]/.test(value);
const share = z
  .string()
  .regex(/^(0(\.\d{1,8})?|1(\.0{1,8})?)$/, 'a share is a decimal string from 0 to 1, such as "0.10"');
const positiveShare = share.refine(positive, 'must be more than 0');

/** Also the bounds that a workflow definition may set (contracts/http/definition.ts). */
export const riskFields = {
  riskPerTrade: positiveShare.meta({
    description: 'Share of equity lost when the stop is hit.',
    example: '0.01',
  }),
  maximumPositionShare: positiveShare.meta({
    description: 'Largest share of equity in one symbol.',
    example: '0.10',
  }),
  minimumRCoefficient: z
    .string()
    .regex(/^\d{1,4}(\.\d{1,8})?$/, 'a decimal string, such as "1.5"')
    .refine(positive, 'must be more than 0')
    .meta({ description: 'Smallest reward per unit of risk that may trade.', example: '1.5' }),
  priceCollar: positiveShare.meta({
    description: "Largest distance of the quote from the decision's entry, as a share of the entry.",
    example: '0.05',
  }),
  cashReserve: share.meta({
    description: "Cash kept aside for costs, as a share of the order's value.",
    example: '0.02',
  }),
  shortsAllowed: z.boolean(),
  pyramiding: z.boolean().meta({ description: 'Whether a buy may add to a position.' }),
  entryType: z.enum(['MKT', 'LMT']).meta({
    description: "MKT buys at the market; LMT at the decision's entry or better, for the session.",
    example: 'MKT',
  }),
};
const riskProfile = z
  .strictObject({ ...riskFields, entryType: riskFields.entryType.optional() })
  .meta({ id: 'RiskProfile' });

const symbols = z.array(symbol).min(1).max(50).refine(unique, 'holds the same symbol twice');
const workflowId = definitionId.meta({ description: 'The workflow definition whose steps the runs take.' });
const workflowVersion = z.int().positive().meta({ description: "The definition's version." });

const analyst = z.enum(['auto', 'rules', 'openai']).meta({
  description: 'auto: the model where one is configured, else the rules.',
});

const panel = z.boolean().meta({
  description:
    'Whether a bull, a bear, a reviewer of risk and a judge, all of the model, look at a proposed buy. They can only take ' +
    'it back. Needs a model; up to four more calls.',
});
const profileName = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,31}$/, 'the name of a model profile, such as default');
const models = z
  .strictObject({
    reader: profileName.optional().meta({ description: 'Reads the timeframes.' }),
    decider: profileName.optional().meta({ description: 'Consolidates and decides.' }),
    fallback: profileName.optional().meta({ description: 'Asked in place of one that is down.' }),
  })
  .meta({
    id: 'ModelRoles',
    description: 'Names of model profiles; default is the one that the environment names.',
    example: { reader: 'cheap', decider: 'strong', fallback: 'default' },
  });

const strategySettings = z
  .strictObject({
    symbols,
    timeframes: timeframeList,
    indicators: indicatorParameters,
    analyst,
    panel: panel.optional(),
    models: models.optional(),
    risk: riskProfile,
    slot,
    workflowId,
    workflowVersion,
  })
  .meta({ id: 'StrategySettings' });

const newSettings = z
  .strictObject({
    symbols,
    timeframes: timeframeList.optional(),
    indicators: z.strictObject(indicatorFields).partial().optional(),
    analyst: analyst.optional(),
    panel: panel.optional(),
    models: models.optional(),
    risk: z.strictObject(riskFields).partial().optional(),
    slot: slot.optional(),
    workflowId: workflowId.optional(),
    workflowVersion: workflowVersion
      .optional()
      .meta({ description: 'The current one of the definition that workflowId names when left out.' }),
  })
  .meta({ id: 'NewStrategySettings' });

/** POST /api/v1/strategies. Whatever is left out takes the platform's default. */
export const newStrategy = z
  .strictObject({
    id: strategyId.optional().meta({ description: 'Made from the name when left out.' }),
    name: sentence(80),
    settings: newSettings,
  })
  .meta({
    id: 'NewStrategy',
    example: { id: 'demo-aapl', name: 'Demo AAPL', settings: { symbols: ['AAPL'] } },
  });

/** POST /api/v1/strategies/{id}/versions. What is left out, single limits too, is taken from the version before. */
export const newStrategyVersion = z
  .strictObject({ settings: newSettings })
  .meta({ id: 'NewStrategyVersion', example: { settings: { symbols: ['AAPL'], workflowId: 'standard' } } });

export const strategy = z
  .strictObject({
    id: strategyId,
    name: z.string(),
    mode,
    active: z.boolean(),
    version: z.int().positive(),
    settings: strategySettings,
    createdAt: instant,
    ownerId: z.uuid().nullable().meta({ description: 'The user whose it is.' }),
  })
  .meta({ id: 'Strategy' });

export const strategyList = z.strictObject({ strategies: z.array(strategy) }).meta({ id: 'StrategyList' });

export type NewStrategy = z.infer<typeof newStrategy>;
export type NewStrategyVersion = z.infer<typeof newStrategyVersion>;
