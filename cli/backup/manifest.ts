// The manifest of a backup: what is in it, with a SHA-256 of every file. Written last, so that a backup without one is no
// backup. Used by write.ts, check.ts and restore.ts.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { StartError } from '../supervisor/dataDir.js';

/** Raised when the files change their form, so that an older Keel refuses what it can not read. */
export const backupFormat = 1;
export const manifestName = 'manifest.json';
/** Holds the SHA-256 of the manifest itself. */
export const sealName = 'manifest.sha256';

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const name = z.string().regex(/^[a-z][a-z0-9_]*$/);
const file = z.strictObject({
  path: z
    .string()
    .regex(/^(tables|objects)\/[A-Za-z0-9][A-Za-z0-9._/-]*$|^config\.json$/)
    .refine((path) => !path.includes('..')),
  sha256,
  bytes: z.int().nonnegative(),
});

const manifestSchema = z.strictObject({
  format: z.literal(backupFormat),
  keel: z.string(),
  /** ISO 8601 UTC, of the snapshot. */
  at: z.string(),
  mode: z.enum(['simulated', 'paper', 'live']),
  migrations: z.array(z.strictObject({ name: z.string(), sha256 })),
  tables: z.array(z.strictObject({ name, columns: z.array(name), rows: z.int().nonnegative(), file })),
  objects: z.array(z.strictObject({ key: z.string(), file })),
  /** Keys that rows name and the object store did not have. */
  missing: z.array(z.string()).default([]),
  /** Settings without secrets, for people. */
  config: file,
  audit: z.strictObject({ position: z.int().nonnegative(), hash: sha256 }),
});

export type Manifest = z.infer<typeof manifestSchema>;
export type BackupFile = z.infer<typeof file>;

export const sha256Of = (bytes: Uint8Array | string): string =>
  createHash('sha256').update(bytes).digest('hex');

export const damaged = (directory: string, what: string): StartError =>
  new StartError(
    `the backup ${directory} is not whole: ${what}. Nothing was changed; take another backup of it`,
  );

/** @throws StartError when it is not there, damaged, or made by a newer Keel */
export function readManifest(directory: string): Manifest {
  const read = (fileName: string): string => {
    try {
      return readFileSync(join(directory, fileName), 'utf8');
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code ?? 'error';
      throw damaged(directory, `${fileName} cannot be read (${code})`);
    }
  };
  const text = read(manifestName);
  if (sha256Of(text) !== read(sealName).trim()) throw damaged(directory, `${manifestName} has changed`);
  const value = JSON.parse(text) as { format?: unknown; keel?: unknown };
  if (typeof value.format === 'number' && value.format > backupFormat) {
    throw new StartError(
      `the backup ${directory} has format ${String(value.format)}, of Keel ${String(value.keel)}; this Keel reads up to ${String(backupFormat)}. Restore it with that Keel`,
    );
  }
  const parsed = manifestSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw damaged(
    directory,
    `${manifestName} cannot be understood (${parsed.error.issues[0]?.path.join('.') ?? '?'})`,
  );
}
