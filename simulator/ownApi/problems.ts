// Errors of the simulator's own API as problem+json. Called by the files of this folder and users.ts.
import { STATUS_CODES } from 'node:http';
import type { Response } from 'express';
import type { z } from 'zod';

/** Code and words for a body or a URL that is none. */
export const malformed = ['MALFORMED_JSON', 'The request is no readable JSON or URL.'] as const;

/** Answers with problem details: what happened, to what, and what to do. */
export function sendProblem(response: Response, status: number, code: string, detail: string): void {
  response
    .status(status)
    .type('application/problem+json')
    .send(
      JSON.stringify({
        type: `urn:keel:problem:${code.toLowerCase().replaceAll('_', '-')}`,
        title: STATUS_CODES[status] ?? 'Error',
        status,
        code,
        detail,
      }),
    );
}

/** All that is wrong with a body, in one line. */
export const wordsOf = (error: z.ZodError): string =>
  error.issues
    .map(({ path, message }) => `${path.map(String).join('.') || 'the body'}: ${message}`)
    .join('; ');
