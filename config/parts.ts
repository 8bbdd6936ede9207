// What several sections of the configuration are made of. Used by schema.ts and simulator.ts.
import { z } from 'zod';

export const share = z
  .string()
  .regex(/^0(\.\d+)?$|^1(\.0+)?$/, 'a share is a decimal string from 0 to 1, such as "0.10"');
export const decimal = z.string().regex(/^\d+(\.\d+)?$/, 'a decimal string, such as "1.5"');
export const milliseconds = z.number().int().positive();
export const port = z.number().int().min(0).max(65535);

/** Without user and password: it is shown and logged. */
export const brokerAddress = z
  .string()
  .refine(isBare, 'an https address without user, password and query, such as https://localhost:5000/v1/api');

function isBare(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, username, password, search, hash } = new URL(text);
  return protocol === 'https:' && `${username}${password}${search}${hash}` === '';
}
