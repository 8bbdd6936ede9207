// The audit trail on the HTTP API. Used by api/routes/audit.ts and the OpenAPI document.
import { z } from 'zod';
import { instant, sentence } from './fields.js';

/** How many rows one answer may have. */
export const auditPage = { most: 500, usual: 50 } as const;

export const auditEntry = z
  .strictObject({
    position: z.int().positive().meta({ description: 'Its place in the chain, from 1 on, without a hole.' }),
    at: instant,
    actor: z.string().meta({ description: 'Who did it.', example: 'user:maria/key:abcdefgh' }),
    action: z.string().meta({ example: 'user.create' }),
    subject: z.string().meta({ description: 'What it was done to.', example: 'user:anna' }),
    facts: z.record(z.string(), z.unknown()),
    hash: z.string().meta({ description: 'Of this row and the one before it, SHA-256 in hex.' }),
  })
  .meta({ id: 'AuditEntry' });

export const auditList = z
  .strictObject({
    entries: z.array(auditEntry),
    next: z
      .int()
      .positive()
      .nullable()
      .meta({ description: 'Where older rows go on: give it as `before`. Null at the beginning.' }),
  })
  .meta({ id: 'AuditList' });

const name = sentence(200);

export const auditQuery = z.strictObject({
  before: z.coerce
    .number()
    .int()
    .positive()
    .optional()
    .meta({ description: 'Only rows before this position.' }),
  limit: z.coerce.number().int().min(1).max(auditPage.most).default(auditPage.usual),
  actor: name.optional().meta({ description: 'Of this actor, and of his keys.', example: 'user:maria' }),
  action: name.optional().meta({ description: 'Of this action alone.', example: 'user.change' }),
});
