// Errors of the simulator's own API as problem+json. Called by the files of this folder.
import { STATUS_CODES } from 'node:http';
import type { Response } from 'express';

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
