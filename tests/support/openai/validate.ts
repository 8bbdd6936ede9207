// What OpenAI's two APIs accept, as strictly as they do, where Keel uses them. Used by the stub; gives the error body's
// message and parameter for what is wrong.
import { createHash } from 'node:crypto';
import { z } from 'zod';

export interface Problem {
  readonly message: string;
  readonly param: string | null;
}

const dataUrl = z.string().regex(/^data:image\/(png|jpeg|webp|gif);base64,[A-Za-z0-9+/]+={0,2}$/);
const detail = z.enum(['low', 'high', 'auto']);
const format = z.strictObject({
  name: z.string().regex(/^[a-zA-Z0-9_-]{1,64}$/),
  strict: z.literal(true),
  schema: z.record(z.string(), z.unknown()),
});

const responsesRequest = z.strictObject({
  model: z.string().min(1),
  instructions: z.string(),
  input: z
    .array(
      z.union([
        z.strictObject({
          role: z.literal('user'),
          content: z.array(
            z.discriminatedUnion('type', [
              z.strictObject({ type: z.literal('input_text'), text: z.string() }),
              z.strictObject({ type: z.literal('input_image'), image_url: dataUrl, detail }),
            ]),
          ),
        }),
        z.strictObject({ role: z.literal('assistant'), content: z.string() }),
      ]),
    )
    .min(1),
  text: z.strictObject({ format: format.extend({ type: z.literal('json_schema') }) }),
  max_output_tokens: z.int().min(16),
  store: z.literal(false),
  stream: z.literal(false),
});

const chatRequest = z.strictObject({
  model: z.string().min(1),
  messages: z
    .array(
      z.union([
        z.strictObject({ role: z.enum(['system', 'assistant', 'user']), content: z.string() }),
        z.strictObject({
          role: z.literal('user'),
          content: z.array(
            z.discriminatedUnion('type', [
              z.strictObject({ type: z.literal('text'), text: z.string() }),
              z.strictObject({
                type: z.literal('image_url'),
                image_url: z.strictObject({ url: dataUrl, detail }),
              }),
            ]),
          ),
        }),
      ]),
    )
    .min(2),
  response_format: z.strictObject({ type: z.literal('json_schema'), json_schema: format }),
  max_tokens: z.int().min(1),
  stream: z.literal(false),
});

export interface Asked {
  readonly model: string;
  readonly schemaName: string;
  /** Everything said to the model as text, in order. */
  readonly text: string;
  /** Of the decoded pictures, in order. */
  readonly pictures: readonly string[];
  /** Answers of the assistant that were sent back. */
  readonly turns: number;
}

const sha256 = (bytes: Uint8Array | string): string => createHash('sha256').update(bytes).digest('hex');
const pictureHash = (url: string): string => sha256(Buffer.from(url.slice(url.indexOf(',') + 1), 'base64'));

/** The content of a request: what a second one with the same hash would ask again. */
export const contentHash = (body: unknown): string => sha256(JSON.stringify(body));

/** Strict mode's demands on a schema, at every depth. */
export function schemaProblem(node: unknown, at = 'schema'): string | null {
  if (typeof node !== 'object' || node === null) return null;
  const allowed = [
    'type',
    'properties',
    'required',
    'additionalProperties',
    'items',
    'enum',
    'anyOf',
    'description',
  ];
  const { type, properties, required, additionalProperties, items, anyOf } = node as Record<string, unknown>;
  const unknown = Object.keys(node).find((key) => !allowed.includes(key));
  if (unknown !== undefined) return `In ${at}: '${unknown}' is not permitted.`;
  if (type === 'object') {
    const keys = Object.keys(properties as object).sort();
    if (additionalProperties !== false) return `In ${at}: 'additionalProperties' is required to be false.`;
    if (JSON.stringify([...(required as string[])].sort()) !== JSON.stringify(keys)) {
      return `In ${at}: 'required' is required to include every key in properties.`;
    }
    for (const key of keys) {
      const problem = schemaProblem((properties as Record<string, unknown>)[key], `${at}.${key}`);
      if (problem !== null) return problem;
    }
  }
  if (type === 'array') return schemaProblem(items, `${at}[]`);
  if (type === undefined && anyOf === undefined) return `In ${at}: schema must have a 'type' key.`;
  for (const each of (anyOf as unknown[] | undefined) ?? []) {
    const problem = schemaProblem(each, `${at}|`);
    if (problem !== null) return problem;
  }
  return null;
}

export function readRequest(api: 'responses' | 'chat', body: unknown): Asked | Problem {
  const parsed = api === 'responses' ? responsesRequest.safeParse(body) : chatRequest.safeParse(body);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    return {
      message: issue?.message ?? 'Invalid request.',
      param: issue?.path.map(String).join('.') ?? null,
    };
  }
  const asked = 'input' in parsed.data ? readResponses(parsed.data) : readChat(parsed.data);
  const problem = schemaProblem(asked.schema);
  if (problem !== null) {
    return {
      message: `Invalid schema for response_format '${asked.schemaName}': ${problem}`,
      param: 'text.format.schema',
    };
  }
  return asked;
}

type WithSchema = Asked & { readonly schema: unknown };

function readResponses({ model, instructions, input, text }: z.infer<typeof responsesRequest>): WithSchema {
  const parts = input.flatMap(({ content }) =>
    typeof content === 'string' ? [{ type: 'input_text' as const, text: content }] : content,
  );
  return {
    model,
    schemaName: text.format.name,
    schema: text.format.schema,
    text: [instructions, ...parts.map((part) => (part.type === 'input_text' ? part.text : ''))].join('\n'),
    pictures: parts.flatMap((part) => (part.type === 'input_image' ? [pictureHash(part.image_url)] : [])),
    turns: input.filter(({ role }) => role === 'assistant').length,
  };
}

function readChat({ model, messages, response_format }: z.infer<typeof chatRequest>): WithSchema {
  const parts = messages.flatMap(({ content }) =>
    typeof content === 'string' ? [{ type: 'text' as const, text: content }] : content,
  );
  return {
    model,
    schemaName: response_format.json_schema.name,
    schema: response_format.json_schema.schema,
    text: parts.map((part) => (part.type === 'text' ? part.text : '')).join('\n'),
    pictures: parts.flatMap((part) => (part.type === 'image_url' ? [pictureHash(part.image_url.url)] : [])),
    turns: messages.filter(({ role }) => role === 'assistant').length,
  };
}
