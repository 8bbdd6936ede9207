// API keys on the HTTP API. Used by api/routes/apiKeys.ts and the OpenAPI document.
import { z } from 'zod';
import { isLocalKey } from '../../domain/access/localKey.js';
import { scopes } from '../../domain/access/roles.js';
import { instant, sentence } from './fields.js';

const scope = z.enum(scopes).meta({
  description: 'read: look · trade: make and run strategies · admin: users · live: act in live mode.',
});

export const newApiKey = z
  .strictObject({
    name: sentence(60).refine((name) => !isLocalKey(name), 'is a name of the keel command; take another'),
    scopes: z
      .array(scope)
      .min(1)
      .refine((list) => new Set(list).size === list.length, 'holds the same scope twice'),
    expiresInDays: z.int().min(1).max(366).default(90),
  })
  .meta({ id: 'NewApiKey', example: { name: 'nightly report', scopes: ['read'], expiresInDays: 90 } });

const fields = {
  id: z.uuid(),
  name: z.string(),
  prefix: z.string().meta({ description: 'The visible part: the key is keel_<prefix>_<secret>.' }),
  scopes: z.array(scope),
  createdAt: instant,
  expiresAt: instant,
  lastUsedAt: instant.nullable().meta({ description: 'To the minute.' }),
  revokedAt: instant.nullable(),
};

export const apiKeyList = z
  .strictObject({ keys: z.array(z.strictObject(fields).meta({ id: 'ApiKey' })) })
  .meta({ id: 'ApiKeyList' });

export const madeApiKey = z
  .strictObject({ ...fields, key: z.string().meta({ description: 'Shown this once.' }) })
  .meta({ id: 'MadeApiKey' });

export type NewApiKeyRequest = z.output<typeof newApiKey>;
