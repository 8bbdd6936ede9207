// What the paths of the OpenAPI document are made of. Used by openapi.ts, openapiAccess.ts and openapiPlatform.ts.
import { z, type ZodType } from 'zod';
import type { ZodOpenApiResponsesObject } from 'zod-openapi';
import { problem } from '../contracts/http/problem.js';

/** Of what a UUID names. */
export const idPath = { path: z.object({ id: z.uuid() }) };

/** An answer of JSON. */
export const json = (description: string, schema: ZodType) => ({
  description,
  content: { 'application/json': { schema } },
});

const texts = {
  '400': 'Not readable: JSON, URL or headers.',
  '401': 'Nobody who is known: no token, or one that is not good.',
  '403': 'Asked under a foreign host, by a page of another origin, or without the right to it.',
  '404': 'There is no such thing.',
  '409': 'The state of the thing does not allow it.',
  '413': 'The body is too large.',
  '415': 'The body is not JSON.',
  '429': 'Too many calls or attempts; Retry-After says when.',
  '422': 'Fields that can not be used; every one is named.',
  '500': 'A fault of Keel; the log tells more under the request id.',
  '502': 'The source of the answer refuses the request.',
  '503': 'PostgreSQL, Temporal or the market clock is away; ask again.',
} as const;

/** Problems of one endpoint; every endpoint may also answer 403 and 500. */
export const problems = (...statuses: (keyof typeof texts)[]): ZodOpenApiResponsesObject =>
  Object.fromEntries(
    [...statuses, '403' as const, '500' as const].map((status) => [
      status,
      { description: texts[status], content: { 'application/problem+json': { schema: problem } } },
    ]),
  );

export const body = (schema: ZodType) => ({ content: { 'application/json': { schema } } });
export const badBody = ['400', '413', '415', '422'] as const;
