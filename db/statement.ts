// Small tools of the stores: named SQL statements, which the server parses and plans once per connection.
import { getTableColumns, sql } from 'drizzle-orm';
import type { Placeholder, SQL } from 'drizzle-orm';
import type { PgTable } from 'drizzle-orm/pg-core';
import type { Pool, PoolClient, QueryResultRow } from 'pg';
import type { Mode } from '../contracts/wire/names.js';
import { KeelError } from '../ports/errors.js';

/** For statements that the query builder can not say, such as an update and its audit row in one round trip. */
export const statement =
  <Row extends QueryResultRow>(name: string, text: string) =>
  async (on: Pool | PoolClient, values: readonly unknown[]): Promise<readonly Row[]> =>
    (await on.query<Row>({ name, text, values: [...values] })).rows;

/** A placeholder for each named column, with the column's own name. */
export const placeholders = <Name extends string>(
  ...names: readonly Name[]
): { [Key in Name]: Placeholder<Key> } =>
  Object.fromEntries(names.map((name) => [name, sql.placeholder(name)])) as {
    [Key in Name]: Placeholder<Key>;
  };

/** The columns of a table but some, for a select. */
export const columnsBut = <Table extends PgTable, Name extends string>(
  table: Table,
  ...names: readonly Name[]
): Omit<Table['_']['columns'], Name> =>
  Object.fromEntries(
    Object.entries(getTableColumns(table)).filter(([name]) => !(names as readonly string[]).includes(name)),
  ) as Omit<Table['_']['columns'], Name>;

/** What ON CONFLICT DO UPDATE sets: every column but the keys and the time of the first write. */
export function overwrite(table: PgTable, keys: readonly string[]): Record<string, SQL> {
  const columns = Object.entries(getTableColumns(table)).filter(
    ([name]) => !keys.includes(name) && name !== 'createdAt',
  );
  return Object.fromEntries(columns.map(([name, column]) => [name, sql.raw(`excluded."${column.name}"`)]));
}

/** @throws KeelError MODE_MISMATCH (final): a store of one mode never writes or reads for another. */
export function sameMode(own: Mode, given: Mode): void {
  if (own === given) return;
  throw new KeelError(
    'MODE_MISMATCH',
    `This process works in mode ${own} and was asked to touch data of mode ${given}. Nothing was done.`,
    { facts: { own, given } },
  );
}
