// Asks an API process over HTTP and reads its answers by their schemas. Used by tests.
import type { z } from 'zod';

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: unknown;
}

/** @param bearer a token or a key. @param url of the API, without /api/v1 */
export async function askApi(
  url: string,
  method: string,
  path: string,
  bearer: string | null,
  body?: unknown,
): Promise<Answer> {
  const response = await fetch(`${url}/api/v1${path}`, {
    method,
    redirect: 'manual',
    headers: {
      ...(bearer === null ? {} : { authorization: `Bearer ${bearer}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: text === '' ? null : JSON.parse(text) };
}

export const codeOf = ({ status, body }: Answer): string =>
  `${status} ${(body as { code?: string } | null)?.code ?? ''}`.trim();

/** The body of an answer of a schema. @throws Error when it is none */
export async function good<S extends z.ZodType>(schema: S, work: Promise<Answer>): Promise<z.output<S>> {
  const { status, body } = await work;
  if (status >= 300) throw new Error(`${status} ${JSON.stringify(body)}`);
  return schema.parse(body);
}
