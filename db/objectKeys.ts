// Which objects the rows name. Keys are found wherever they stand, in any column of any table, so that a table that comes
// later is not forgotten. Called by `keel backup` and the sweep of orphans.
import type { ClientBase, Pool } from 'pg';

/** What people write there is theirs: a text that looks like a key names nothing. */
const without = ['notification_setting'];

/** `<folder>/<sha256>.<extension>`, as every stored object is named. */
const pattern = '[a-z][a-z0-9-]*/[0-9a-f]{64}\\.[a-z0-9]+';

/** @param queryTimeoutMs the client's own deadline of each table's scan, in place of the connection's */
export async function namedObjectKeys(
  client: ClientBase | Pool,
  queryTimeoutMs?: number,
): Promise<ReadonlySet<string>> {
  const { rows: tables } = await client.query<{ name: string }>(
    `select quote_ident(relname) as name from pg_class
     where relkind = 'r' and relnamespace = 'public'::regnamespace
       and relname <> all ($1::text[]) order by relname`,
    [without],
  );
  const keys = new Set<string>();
  for (const { name } of tables) {
    const scan = {
      // Names with a space, which no column of any table has.
      text: `select distinct "of row".match[1] as key from (
          select regexp_matches("the row"::text, $1, 'g') as match from ${name} as "the row"
        ) as "of row"`,
      values: [pattern],
      query_timeout: queryTimeoutMs,
    };
    const { rows } = await client.query<{ key: string }>(scan);
    for (const { key } of rows) keys.add(key);
  }
  return keys;
}
