// The name of the login's session, by which the WebSocket knows whose it is. Called by feed.ts, through gateway.ts.
import { z } from 'zod';
import type { IbkrClient } from '../client.js';
import { tickleEndpoint } from '../sessionEndpoints.js';

/** It becomes part of a header. */
const schema = z.object({ session: z.string().regex(/^[A-Za-z0-9._~+/=-]{1,256}$/) });

/** @throws KeelError of errors.ts; IBKR_BAD_SHAPE where there is no name. */
export const readSessionId = async (client: IbkrClient): Promise<string> =>
  (await client.call(tickleEndpoint, {}, schema)).session;
