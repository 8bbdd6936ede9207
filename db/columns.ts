// Columns that many tables share. Used by schema.ts and schemaOrders.ts.
import { sql } from 'drizzle-orm';
import { bigint, customType, text } from 'drizzle-orm/pg-core';
import type { Mode } from '../contracts/wire/names.js';

/** timestamptz as ISO 8601 UTC with milliseconds. */
export const instant = customType<{ data: string; driverData: string }>({
  dataType: () => 'timestamp(3) with time zone',
  fromDriver: (value) => new Date(value).toISOString(),
});

export const modeColumn = () => text('mode').$type<Mode>().notNull();

/** Set by the database's own clock. */
export const created = (name = 'created_at') =>
  instant(name)
    .notNull()
    .default(sql`now()`);

/** An object of the object store; sha256 is lower-case hex. */
export const objectColumns = () => ({
  objectKey: text('object_key').notNull(),
  objectSha256: text('object_sha256').notNull(),
  objectBytes: bigint('object_bytes', { mode: 'number' }).notNull(),
});
