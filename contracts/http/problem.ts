// How every error of the HTTP API looks: RFC 9457 problem details with a code and, for bad input, every field at fault.
import { z } from 'zod';

export const fieldProblem = z
  .strictObject({
    in: z.enum(['body', 'query', 'path', 'header']),
    field: z
      .string()
      .meta({ description: 'Path of the field; empty for the whole.', example: 'settings.symbols.0' }),
    message: z.string(),
  })
  .meta({ id: 'FieldProblem' });

export const problem = z
  .strictObject({
    type: z.string().meta({ example: 'urn:keel:problem:strategy-not-found' }),
    title: z.string().meta({ example: 'Not Found' }),
    status: z.int().min(400).max(599),
    detail: z.string().meta({ description: 'What happened, to what, and what to do.' }),
    code: z
      .string()
      .regex(/^[A-Z0-9_]+$/)
      .meta({ example: 'STRATEGY_NOT_FOUND' }),
    instance: z
      .string()
      .meta({ description: 'Names this one occurrence.', example: 'urn:keel:request:4f0c' }),
    requestId: z.string().meta({ description: 'The same as the header X-Request-Id, and in the log.' }),
    errors: z
      .array(fieldProblem)
      .optional()
      .meta({ description: 'Every field at fault, when the input was bad.' }),
  })
  .meta({ id: 'Problem', description: 'RFC 9457 problem details.' });

export type FieldProblem = z.infer<typeof fieldProblem>;
export type Problem = z.infer<typeof problem>;
