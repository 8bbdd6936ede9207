// Fields that several nouns of the HTTP API share: names, instants, exact amounts, references to objects.
// Used by the schemas beside it, by the routes that parse with them and by the OpenAPI document.
import { z } from 'zod';
import { timeframes } from '../../domain/market/bar.js';

/** No control characters: they break logs, and PostgreSQL refuses NUL. */
const printable = /^[^\u0000-\u001f\u007f]*$/;

/** Text that a person writes, trimmed, within a length. */
export const sentence = (maximum: number) =>
  z
    .string()
    .trim()
    .min(1)
    .max(maximum)
    .regex(printable, 'holds a control character; write it on one line without them');

export const mode = z.enum(['simulated', 'paper', 'live']).meta({
  description: 'Fixed when the process starts. Two modes never share a database.',
  example: 'simulated',
});

export const timeframe = z.enum(timeframes);

export const unique = (list: readonly string[]): boolean => new Set(list).size === list.length;

/** Those that a strategy or a definition looks at. */
export const timeframeList = z
  .array(timeframe)
  .min(1)
  .max(timeframes.length)
  .refine(unique, 'holds the same timeframe twice');

export const strategyId = z
  .string()
  .max(48)
  .regex(/^[a-z0-9]+(-[a-z0-9]+)*$/, 'lower-case letters and digits, joined by single dashes')
  .meta({ description: 'Names the strategy for ever.', example: 'demo-aapl' });

export const definitionId = z
  .string()
  .max(48)
  .regex(/^[a-z0-9]+(-[a-z0-9]+)*$/, 'lower-case letters and digits, joined by single dashes')
  .meta({ description: 'Names the workflow definition for ever.', example: 'standard' });

export const symbol = z
  .string()
  .regex(
    /^[A-Z0-9][A-Z0-9._/-]{0,19}$/,
    'upper-case letters, digits, dots, dashes, slashes or underscores, at most 20, the first a letter or a digit',
  )
  .meta({ description: 'Symbol as the broker names it.', example: 'AAPL' });

export const slot = z
  .string()
  .regex(/^[a-z0-9-]{1,32}$/, 'lower-case letters, digits and dashes, at most 32')
  .meta({ description: 'Names the decision within the session.', example: 'after-close' });

export const session = z
  .string()
  .regex(/^\d{4}-\d{2}-\d{2}$/)
  .meta({ description: "Date of the session in the exchange's zone.", example: '2014-07-07' });

export const runId = z
  .string()
  .regex(/^[a-z2-7]{26}$/, '26 characters of lower-case base32')
  .meta({
    description: 'Made from mode, strategy, symbol, session and slot.',
    example: 'k3v5x2a7mq4zj6w2b5c7d3e4fg',
  });

export const instant = z
  .string()
  .regex(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/)
  .meta({ description: 'ISO 8601 UTC with milliseconds.', example: '2014-07-07T20:00:00.000Z' });

/** A signed exact number. */
export const decimal = z
  .string()
  .regex(/^-?\d+(\.\d+)?$/)
  .meta({ description: 'Exact number as a decimal string.', example: '95.97' });

export const sha256 = z
  .string()
  .regex(/^[0-9a-f]{64}$/)
  .meta({ description: 'SHA-256 of the bytes, lower-case hex.' });

/** Fields of a reference to an object of the object store. */
export const objectRefFields = {
  key: z.string().meta({ description: 'Content-addressed key in the object store.' }),
  sha256,
  bytes: z.int().nonnegative(),
};

export const objectRef = z.strictObject(objectRefFields).meta({ id: 'ObjectRef' });
