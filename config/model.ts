// The settings of the model that analyses, and the prices that its calls are reckoned with. Part of config/schema.ts.
import { z } from 'zod';

const usd = z.string().regex(/^\d+(\.\d{1,6})?$/, 'a decimal string of USD, such as "0.25"');
const tokenPrice = z.strictObject({ input: usd, output: usd });

const profile = z.strictObject({
  /** Base of the API with its /v1; empty for OpenAI itself. */
  baseUrl: z.string().default(''),
  model: z.string().min(1),
  /** Empty: responses at OpenAI itself, chat elsewhere. */
  api: z.enum(['', 'responses', 'chat']).default(''),
  /** Where the key is, never the key itself; empty for a server without keys. */
  key: z
    .string()
    .regex(/^(env:[A-Za-z_][A-Za-z0-9_]*|file:.+)?$/, 'env:NAME, file:PATH, or empty; never the key itself')
    .default(''),
  /** Put there from where `key` points (config/modelKeys.ts). */
  apiKey: z.string().default(''),
  vision: z.boolean().default(true),
  /** USD for a million tokens; without it the price table counts. */
  price: tokenPrice.optional(),
});

/** A model is configured where a key or a base URL is set. */
export const modelSchema = z.strictObject({
  apiKey: z.string(),
  /** Base of the API with its /v1; empty for OpenAI itself. */
  baseUrl: z.string(),
  model: z.string(),
  /** Empty: responses at OpenAI itself, chat elsewhere. */
  api: z.enum(['', 'responses', 'chat']),
  /** False for a model that takes no pictures; what refuses them is given numbers only anyhow. */
  vision: z.boolean(),
  /** Wall milliseconds for one call; two of them and a little more have to fit into a step. */
  timeoutMs: z.number().int().positive().max(80_000),
  /** Wall milliseconds after which a step that asks a model gives up its tries. */
  stepDeadlineMs: z.number().int().positive(),
  maxOutputTokens: z.number().int().min(200).max(100_000),
  pictureMaxBytes: z.number().int().positive(),
  pictureDetail: z.enum(['low', 'high', 'auto']),
  /** Further models by name; a strategy names who reads, who decides, and who stands in. `default` is the one above. */
  profiles: z.record(
    z
      .string()
      .regex(/^(?!default$)[a-z][a-z0-9-]{0,31}$/, 'lower-case letters, digits and dashes; default is taken'),
    profile,
  ),
  /** USD; a call that could pass one of them is not made. */
  budget: z.strictObject({ run: usd, day: usd, month: usd }),
  /** USD for a million tokens, as the providers' lists said on that date. */
  prices: z.strictObject({
    date: z.string().regex(/^\d{4}-\d{2}-\d{2}$/),
    /** For a model that is not listed. */
    other: tokenPrice,
    models: z.record(z.string(), tokenPrice),
  }),
});

export type ModelConfig = z.infer<typeof modelSchema>;

export const modelConfigured = ({ apiKey, baseUrl }: Pick<ModelConfig, 'apiKey' | 'baseUrl'>): boolean =>
  apiKey !== '' || baseUrl !== '';

/** What the API shows of it. */
export const modelState = ({ budget, prices, profiles, ...config }: ModelConfig) => ({
  model: modelConfigured(config) ? config.model : null,
  profiles: modelConfigured(config)
    ? [
        { name: 'default', model: config.model },
        ...Object.entries(profiles).map(([name, { model }]) => ({ name, model })),
      ]
    : [],
  caps: budget,
  priceDate: prices.date,
});
