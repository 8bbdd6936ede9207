// Who is logged in at the gateway, and the end of the login. Called by desk.ts.
import { z } from 'zod';
import type { IbkrClient } from './client.js';
import { anyObjectSchema } from './schemas.js';
import type { IbkrSession } from './session.js';

const validateEndpoint = { method: 'GET', path: '/sso/validate', gate: 'validate' } as const;
const logoutEndpoint = { method: 'POST', path: '/logout' } as const;

const validateSchema = z.object({
  RESULT: z.boolean(),
  USER_NAME: z.string().nullish(),
  /** 1 live, 2 paper; not every build says it. */
  LOGIN_TYPE: z.union([z.number(), z.string()]).nullish(),
  /** Milliseconds. */
  EXPIRES: z.number().nullish(),
});

export interface LoginFacts {
  readonly valid: boolean;
  readonly userName: string | null;
  /** Null where the gateway does not say. */
  readonly paper: boolean | null;
  readonly expiresInMs: number | null;
}

export async function validate(client: IbkrClient): Promise<LoginFacts> {
  const found = await client.call(validateEndpoint, {}, validateSchema);
  const type = String(found.LOGIN_TYPE ?? '');
  return {
    valid: found.RESULT,
    userName: found.USER_NAME ?? null,
    paper: type === '2' ? true : type === '1' ? false : null,
    expiresInMs: found.EXPIRES ?? null,
  };
}

export async function logOut(client: IbkrClient, session: Pick<IbkrSession, 'lost'>): Promise<void> {
  session.lost();
  await client.call(logoutEndpoint, {}, anyObjectSchema);
}
