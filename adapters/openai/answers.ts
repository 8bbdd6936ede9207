// The shapes of answers: the schema that the model is given, and the parse that nothing escapes. A server may ignore the
// schema, so what it constrains is never trusted.
import { z } from 'zod';
import { cleanText } from './untrusted.js';

const sentence = (most: number) => z.string().max(most);
const price = z.number().positive();
const confidence = z.int().min(0).max(100);

export const readingAnswer = z.strictObject({
  trend: z.enum(['up', 'down', 'sideways']),
  momentum: z.enum(['rising', 'falling', 'flat']),
  volatility: z.enum(['low', 'normal', 'high']),
  support: z.array(price).max(5),
  resistance: z.array(price).max(5),
  signals: z
    .array(
      z.strictObject({
        name: sentence(80),
        direction: z.enum(['bullish', 'bearish', 'neutral']),
        evidence: sentence(400),
      }),
    )
    .max(6),
  confidence,
  invalidation: sentence(500),
  summary: sentence(800),
});

const list = z.array(sentence(300)).max(6);

export const decisionAnswer = z.strictObject({
  consolidation: z.strictObject({ agreements: list, conflicts: list }),
  decision: z.strictObject({
    action: z.enum(['buy', 'sell', 'hold']),
    entry: price.nullable(),
    stop: price.nullable(),
    target: price.nullable(),
    horizonSessions: z.int().min(1).max(500).nullable(),
    confidence,
    rationale: sentence(1500),
    risks: list,
  }),
});

export const reviewAnswer = z.strictObject({
  argument: sentence(800),
  points: z.array(z.strictObject({ claim: sentence(300), evidence: sentence(300) })).max(4),
  soundness: confidence,
});

export const verdictAnswer = z.strictObject({
  strongestObjection: sentence(400),
  reasons: list,
  verdict: z.enum(['stands', 'hold']),
  soundness: confidence,
});

export type ReadingAnswer = z.infer<typeof readingAnswer>;
export type DecisionAnswer = z.infer<typeof decisionAnswer>;

export type Parsed<T> =
  | { readonly kind: 'ok'; readonly value: T }
  | {
      readonly kind: 'bad';
      readonly outcome: 'invalid_json' | 'schema_invalid';
      /** Exactly what is wrong, for the repair turn and for people. */
      readonly complaints: readonly string[];
    };

/** Longer than any answer within the schema; more is not parsed. */
const longestText = 64 * 1024;

/** Parses the model's text; every string in it comes out without control and direction characters. */
export function parseAnswer<T>(schema: z.ZodType<T>, text: string): Parsed<T> {
  if (text.length > longestText) {
    const complaint = `the answer has ${text.length} characters; at most ${longestText} are read`;
    return { kind: 'bad', outcome: 'schema_invalid', complaints: [complaint] };
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    // V8 quotes the text in its message; only the kind of mistake may travel.
    const where = /position \d+/.exec(String(error))?.[0] ?? 'its end';
    return {
      kind: 'bad',
      outcome: 'invalid_json',
      complaints: [`the answer is no JSON: it breaks at ${where}`],
    };
  }
  const result = schema.safeParse(cleaned(value));
  if (result.success) return { kind: 'ok', value: result.data };
  const complaints = result.error.issues
    .slice(0, 12)
    .map(({ path, message }) => `${path.map(String).join('.') || 'the answer'}: ${message}`.slice(0, 200));
  return { kind: 'bad', outcome: 'schema_invalid', complaints };
}

/** Strings cleaned, at any depth that an answer may have; deeper ones are no answers. */
function cleaned(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return cleanText(value, longestText);
  if (depth > 8 || typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((part) => cleaned(part, depth + 1));
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, cleaned(part, depth + 1)]));
}

/** Keywords that the strict mode of every server knows; limits stay with zod. */
const known = new Set(['type', 'properties', 'required', 'additionalProperties', 'items', 'enum', 'anyOf']);

export type JsonSchema = Record<string, unknown>;

/**
 * The strict JSON schema of an answer: every key required, nothing additional, null where a value may be missing, and no
 * keyword that a server could refuse.
 */
export const strictSchema = (schema: z.ZodType): JsonSchema =>
  stripped(z.toJSONSchema(schema, { io: 'input' })) as JsonSchema;

function stripped(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(stripped);
  if (typeof node !== 'object' || node === null) return node;
  const entries = Object.entries(node).filter(([key]) => known.has(key));
  return Object.fromEntries(
    entries.map(([key, part]) => [
      key,
      key === 'properties'
        ? Object.fromEntries(Object.entries(part as object).map(([name, sub]) => [name, stripped(sub)]))
        : stripped(part),
    ]),
  );
}
