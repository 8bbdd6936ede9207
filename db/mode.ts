// Binds a database to one mode for ever. Called by the composition roots before anything else is written.
import type { Mode } from '../contracts/wire/names.js';
import { KeelError } from '../ports/errors.js';
import type { Database } from './connect.js';

/**
 * The first process to call it decides; every later one must agree.
 * @throws KeelError MODE_MISMATCH (final) when the database belongs to another mode.
 */
export const claimMode = (db: Database, mode: Mode): Promise<void> =>
  db.guard(async () => {
    await db.pool.query('insert into database_mode (mode) values ($1) on conflict do nothing', [mode]);
    const { rows } = await db.pool.query<{ mode: Mode }>('select mode from database_mode');
    const claimed = rows[0]?.mode;
    if (claimed === mode) return;
    throw new KeelError(
      'MODE_MISMATCH',
      `The database at ${db.where} belongs to mode ${claimed ?? 'unknown'} and can not serve ${mode}. Give each mode a database of its own.`,
      { facts: { own: claimed ?? null, given: mode } },
    );
  });
