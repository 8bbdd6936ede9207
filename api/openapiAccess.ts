// Writes into the OpenAPI document what each call asks of its caller, from the table of routes. Used by api/openapi.ts.
import type { ZodOpenApiOperationObject, ZodOpenApiPathsObject } from 'zod-openapi';
import { routeRules } from '../domain/access/routes.js';
import { isAct } from '../domain/access/secondFactor.js';
import { problems } from './openapiParts.js';

const documented = (path: string): string => path.replace(/[:*](\w+)/g, '{$1}');

/** Adds to every call that is not public the scheme, the role in words, and the answers of the gate (401) and of the limit (429). */
export function withAccess(paths: ZodOpenApiPathsObject): ZodOpenApiPathsObject {
  const result: ZodOpenApiPathsObject = { ...paths };
  for (const rule of routeRules) {
    const { method, path, needs, loginOnly } = rule;
    const item = result[documented(path)];
    const operation = item?.[method];
    if (needs === 'public' || item === undefined || operation === undefined) continue;
    const role = `Needs the role ${needs}${loginOnly ? ', and a login: no API key may do this' : ''}.`;
    const words = isAct(rule) ? `${role} In live mode it needs the second factor.` : role;
    const guarded: ZodOpenApiOperationObject = {
      ...operation,
      description: operation.description === undefined ? words : `${operation.description} ${words}`,
      security: [{ bearer: [] }],
      responses: { ...operation.responses, ...problems('401', '429') },
    };
    result[documented(path)] = { ...item, [method]: guarded };
  }
  return result;
}
