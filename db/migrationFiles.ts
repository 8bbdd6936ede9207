// Reads the migration files: NNNN_name.sql with NNNN_name.down.sql beside it. Called by migrate.ts and `keel restore`.
import { createHash } from 'node:crypto';
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { KeelError } from '../ports/errors.js';

export interface MigrationFile {
  /** File name without `.sql`. */
  readonly name: string;
  readonly up: string;
  readonly down: string;
  /** Of both texts: a way back that was changed is as wrong as a changed way up. */
  readonly sha256: string;
}

const pattern = /^\d{4}_[a-z0-9_]+(\.down)?\.sql$/;

export const committedMigrations = (): string => fileURLToPath(new URL('./migrations', import.meta.url));

/**
 * Ways back that were mended after somebody may have applied their files: the hashes of before, of the same way up. Where they
 * are stored, the way back of today is taken. A way up never changes.
 */
const mended: Readonly<Record<string, readonly string[]>> = {
  // It was refused once a run had read months.
  '0105_monthly': ['2114d28078804808f8cc298188a2c526561703abce3ccbe75c7ee711ade702cd'],
};

/** Whether what was applied under this hash is this file. */
export const isSame = ({ name, sha256 }: MigrationFile, applied: string): boolean =>
  sha256 === applied || (mended[name]?.includes(applied) ?? false);

/** In order of their numbers. @throws KeelError MIGRATION_FILES when one is misnamed, doubled or has no way back. */
export async function readMigrations(directory: string): Promise<readonly MigrationFile[]> {
  const names = (await readdir(directory).catch(() => [])).filter((name) => name.endsWith('.sql')).sort();
  const ups = names.filter((name) => !name.endsWith('.down.sql'));
  const numbers = new Set(ups.map((name) => name.slice(0, 4)));
  const misnamed = names.find((name) => !pattern.test(name));
  if (ups.length === 0) throw wrongFiles(`there are no .sql files in ${directory}`);
  if (misnamed !== undefined) throw wrongFiles(`${misnamed} is not named like 0001_name.sql`);
  if (numbers.size !== ups.length) throw wrongFiles('two files have the same number');
  return Promise.all(
    ups.map(async (fileName) => {
      const name = fileName.slice(0, -'.sql'.length);
      if (!names.includes(`${name}.down.sql`)) throw wrongFiles(`${name}.down.sql is missing`);
      const up = await readFile(join(directory, fileName), 'utf8');
      const down = await readFile(join(directory, `${name}.down.sql`), 'utf8');
      return { name, up, down, sha256: hash(up, down) };
    }),
  );
}

/** Line ends do not count, so that a checkout on Windows agrees. */
const hash = (up: string, down: string): string =>
  createHash('sha256')
    .update(JSON.stringify([up.replaceAll('\r\n', '\n'), down.replaceAll('\r\n', '\n')]))
    .digest('hex');

const wrongFiles = (what: string): KeelError =>
  new KeelError('MIGRATION_FILES', `The migration files are not whole: ${what}.`);
