// The state of the platform over HTTP: its parts, its monitors, its configuration, its migrations. Used by
// api/routes/status.ts and the OpenAPI document.
import { z } from 'zod';
import { instant, mode, sha256 } from './fields.js';

const part = z
  .strictObject({
    name: z.enum(['postgres', 'temporal', 'worker', 'objectStore', 'broker', 'brokerLogin', 'cache']),
    status: z.enum(['ok', 'down']),
    vital: z.boolean().meta({ description: 'Without a vital part no run can go on, and the answer is 503.' }),
    detail: z.string(),
    version: z.string().nullable(),
    lookedAt: instant.nullable().meta({
      description:
        'Of broker and brokerLogin: when the worker looked last. null where it never has, and of the other parts.',
    }),
    ms: z.int().nonnegative().meta({ description: 'How long the look took.' }),
  })
  .meta({ id: 'PartHealth' });

const monitor = z
  .strictObject({
    name: z.string().meta({ example: 'reconciliation' }),
    status: z.enum(['ok', 'warning', 'failed', 'never']),
    message: z.string(),
    at: instant.nullable(),
    ageSeconds: z.int().nonnegative().nullable(),
    everySeconds: z.number().positive(),
    late: z.boolean().meta({ description: 'It has missed three looks and more.' }),
    facts: z.record(z.string(), z.unknown()),
  })
  .meta({ id: 'MonitorHealth' });

const source = z
  .strictObject({
    source: z.string(),
    answeredAt: instant.nullable(),
    failedAt: instant.nullable(),
    failure: z.string().nullable(),
    restsUntil: instant.nullable(),
  })
  .meta({ id: 'PriceSource', description: 'What this process remembers of a source of prices.' });

export const detailedHealth = z
  .strictObject({
    status: z.enum(['ok', 'degraded', 'down']).meta({
      description:
        'down: a vital part is away. degraded: another part is away, or a monitor warns, fails or is late.',
    }),
    mode,
    at: instant,
    parts: z.array(part),
    monitors: z.array(monitor),
    priceSources: z.array(source),
    versions: z.strictObject({ keel: z.string(), node: z.string() }),
  })
  .meta({ id: 'DetailedHealth' });

export const configStatus = z
  .strictObject({
    mode,
    environment: z.string(),
    config: z
      .record(z.string(), z.unknown())
      .meta({ description: 'What this process runs with, secrets masked.' }),
  })
  .meta({ id: 'ConfigStatus' });

export const migrationsStatus = z
  .strictObject({
    migrations: z.array(z.strictObject({ name: z.string(), sha256, appliedAt: instant.nullable() })),
    pending: z.int().nonnegative(),
  })
  .meta({ id: 'MigrationsStatus' });

export const migrationsRun = z
  .strictObject({
    applied: z.array(z.string()).meta({ description: 'Applied now; empty when nothing was pending.' }),
  })
  .meta({ id: 'MigrationsRun' });
