// What every router does the same way: parse a part of the request, answer with a schema's shape, refuse a method.
import type { Request, RequestHandler, Response } from 'express';
import type { z } from 'zod';
import { KeelError } from '../../ports/errors.js';
import { invalidInput } from '../errors.js';

/** Services give readonly values; zod's types are mutable. */
type ReadonlyDeep<T> = T extends readonly (infer Item)[]
  ? readonly ReadonlyDeep<Item>[]
  : T extends object
    ? { readonly [Key in keyof T]: ReadonlyDeep<T[Key]> }
    : T;

/** Answers with JSON that has the shape of a schema, checked by the compiler here and by the schema in tests. */
export function answer<Schema extends z.ZodType>(
  response: Response,
  status: number,
  _schema: Schema,
  body: ReadonlyDeep<z.input<Schema>>,
): void {
  response.status(status).json(body);
}

/** @throws InvalidInputError with every field at fault */
export function parse<Schema extends z.ZodType>(
  schema: Schema,
  where: 'body' | 'query' | 'path',
  value: unknown,
): z.output<Schema> {
  const result = schema.safeParse(value);
  if (!result.success) throw invalidInput(where, result.error);
  return result.data;
}

/** The JSON body; an absent one counts as {}. @throws InvalidInputError, KeelError UNSUPPORTED_MEDIA_TYPE */
export function parseBody<Schema extends z.ZodType>(schema: Schema, request: Request): z.output<Schema> {
  // Clients say Content-Length: 0 when they send none; `is` gives false where there is a body of another type.
  const empty = request.get('content-length') === '0';
  if (!empty && request.is('application/json') === false) {
    throw new KeelError('UNSUPPORTED_MEDIA_TYPE', 'Send the body as application/json.');
  }
  return parse(schema, 'body', (request.body as unknown) ?? {});
}

/** A parameter of the path as one text; a wildcard's segments are joined by slashes. @throws KeelError ROUTE_NOT_FOUND */
export function pathParameter(request: Request, name: string): string {
  const value: unknown = request.params[name];
  const text = Array.isArray(value) ? value.join('/') : String(value);
  // No row can have it, and PostgreSQL refuses to look.
  if (text.includes('\0'))
    throw new KeelError('ROUTE_NOT_FOUND', 'There is nothing of a name with a NUL character.');
  return text;
}

/** The last handler of a path: answers 405 and names the methods that there are. */
export const onlyMethods =
  (...methods: readonly string[]): RequestHandler =>
  (request, response) => {
    const allowed = methods.flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method])).join(', ');
    response.setHeader('Allow', allowed);
    throw new KeelError('METHOD_NOT_ALLOWED', `${request.method} is not possible here; use ${allowed}.`);
  };
