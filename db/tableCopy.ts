// Reads and writes whole tables as lines of text, exact to the last digit: each line is a JSON array of the columns' own
// texts. For `keel backup` and `keel restore`, which are the callers.
import type { ClientBase } from 'pg';

export interface TableShape {
  readonly name: string;
  /** Those that are stored: generated ones are computed again. */
  readonly columns: readonly string[];
}

const pageRows = 500;
const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/**
 * Every table of the schema, parents before those that refer to them. Of two that refer to each other the first by name comes
 * first, and `withoutTriggers` has its reference checked at the end.
 * @throws Error when more than two refer to each other in a ring
 */
export async function readShapes(client: ClientBase): Promise<readonly TableShape[]> {
  const { rows } = await client.query<{ name: string; columns: string[] }>(`
    select c.relname as name, array_agg(a.attname::text order by a.attnum) as columns
    from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    where c.relkind = 'r' and c.relnamespace = 'public'::regnamespace and a.attgenerated = ''
    group by c.relname order by c.relname`);
  const { rows: links } = await client.query<{ child: string; parent: string }>(`
    select distinct c.relname as child, p.relname as parent
    from pg_constraint k join pg_class c on c.oid = k.conrelid join pg_class p on p.oid = k.confrelid
    where k.contype = 'f' and k.connamespace = 'public'::regnamespace and c.oid <> p.oid`);
  const sorted: TableShape[] = [];
  let left = rows;
  while (left.length > 0) {
    const waits = ({ name }: TableShape): boolean =>
      links.some(({ child, parent }) => child === name && left.some((table) => table.name === parent));
    const refers = (from: string, to: string): boolean =>
      links.some(({ child, parent }) => child === from && parent === to);
    const mutual = left.filter(({ name }) =>
      left.some((other) => refers(name, other.name) && refers(other.name, name)),
    );
    const ready = left.filter((table) => !waits(table));
    const free = ready.length > 0 ? ready : mutual.slice(0, 1);
    if (free.length === 0)
      throw new Error(`tables refer to each other: ${left.map(({ name }) => name).join(', ')}`);
    sorted.push(...free);
    left = left.filter((table) => !free.includes(table));
  }
  return sorted;
}

/** The rows of a table, a page of lines at a time, in a transaction of the caller. */
export async function* readRows(
  client: ClientBase,
  { name, columns }: TableShape,
): AsyncGenerator<readonly string[]> {
  const texts = columns.map((column) => `${quoted(column)}::text`).join(', ');
  await client.query(
    `declare table_copy no scroll cursor for select array[${texts}] as row from ${quoted(name)}`,
  );
  try {
    for (;;) {
      const { rows } = await client.query<{ row: (string | null)[] }>(
        `fetch ${String(pageRows)} from table_copy`,
      );
      if (rows.length === 0) return;
      yield rows.map(({ row }) => asLine(row));
    }
  } finally {
    await client.query('close table_copy').catch(() => undefined);
  }
}

/** Readers of lines take two more characters for line ends than JSON does. */
const asLine = (row: readonly (string | null)[]): string =>
  JSON.stringify(row).replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029');

/** Puts lines into a table whose own triggers are off. @throws the database's error; the caller takes all of it back */
export async function writeRows(
  client: ClientBase,
  { name, columns }: TableShape,
  lines: readonly string[],
): Promise<void> {
  if (lines.length === 0) return;
  const types = await typesOf(client, name);
  const values = columns.map(
    (column, index) => `(line ->> ${String(index)})::${types.get(column) ?? 'text'}`,
  );
  await client.query(
    `insert into ${quoted(name)} (${columns.map(quoted).join(', ')}) overriding system value
     select ${values.join(', ')} from json_array_elements($1::json) as line`,
    [`[${lines.join(',')}]`],
  );
}

async function typesOf(client: ClientBase, table: string): Promise<ReadonlyMap<string, string>> {
  const { rows } = await client.query<{ name: string; type: string }>(
    `select attname as name, format_type(atttypid, atttypmod) as type from pg_attribute
     where attrelid = $1::regclass and attnum > 0 and not attisdropped`,
    [quoted(table)],
  );
  return new Map(rows.map(({ name, type }) => [name, type]));
}

/** The start of an alter statement for each reference to a table that is filled later. */
async function earlyReferences(
  client: ClientBase,
  tables: readonly TableShape[],
): Promise<readonly string[]> {
  const { rows } = await client.query<{ name: string; child: string; parent: string }>(`
    select k.conname as name, c.relname as child, p.relname as parent
    from pg_constraint k join pg_class c on c.oid = k.conrelid join pg_class p on p.oid = k.confrelid
    where k.contype = 'f' and k.connamespace = 'public'::regnamespace and not k.condeferrable`);
  const place = (table: string): number => tables.findIndex(({ name }) => name === table);
  return rows
    .filter(({ child, parent }) => place(child) < place(parent))
    .map(({ child, name }) => `alter table ${quoted(child)} alter constraint ${quoted(name)}`);
}

/** Off while rows are put back that were guarded and chained when they were first written. */
export async function withoutTriggers<T>(
  client: ClientBase,
  tables: readonly TableShape[],
  work: () => Promise<T>,
): Promise<T> {
  for (const { name } of tables) await client.query(`alter table ${quoted(name)} disable trigger user`);
  const early = await earlyReferences(client, tables);
  for (const constraint of early) await client.query(`${constraint} deferrable initially deferred`);
  const result = await work();
  await client.query('set constraints all immediate');
  for (const constraint of early) await client.query(`${constraint} not deferrable`);
  for (const { name } of tables) await client.query(`alter table ${quoted(name)} enable trigger user`);
  return result;
}

/** Counts of numbered columns go on behind the largest number that was put back. */
export async function advanceSequences(client: ClientBase): Promise<void> {
  const { rows } = await client.query<{ table: string; column: string }>(`
    select c.relname as table, a.attname as column
    from pg_attribute a join pg_class c on c.oid = a.attrelid
    where c.relkind = 'r' and c.relnamespace = 'public'::regnamespace and a.attidentity <> ''`);
  for (const { table, column } of rows) {
    await client.query(
      `select setval(pg_get_serial_sequence($1, $2), coalesce(max(${quoted(column)}), 0) + 1, false) from ${quoted(table)}`,
      [quoted(table), column],
    );
  }
}

/** Of all rows, in a transaction of the caller. */
export async function countRows(client: ClientBase, name: string): Promise<number> {
  const { rows } = await client.query<{ count: string }>(`select count(*) as count from ${quoted(name)}`);
  return Number(rows[0]?.count);
}
