// Which objects the rows name. Keys are found wherever they stand, in any column of any table, so that a table that comes
// later is not forgotten. Called by `keel backup` and the sweep of orphans.
import type { ClientBase, Pool } from 'pg';

/** `<folder>/<sha256>.<extension>`, as every stored object is named. */
const pattern = '[a-z][a-z0-9-]*/[0-9a-f]{64}\\.[a-z0-9]+';

export async function namedObjectKeys(client: ClientBase | Pool): Promise<ReadonlySet<string>> {
  const { rows: tables } = await client.query<{ name: string }>(
    `select quote_ident(relname) as name from pg_class
     where relkind = 'r' and relnamespace = 'public'::regnamespace order by relname`,
  );
  const keys = new Set<string>();
  for (const { name } of tables) {
    const { rows } = await client.query<{ key: string }>(
      `select distinct found[1] as key from ${name} as t, regexp_matches(t::text, $1, 'g') as found`,
      [pattern],
    );
    for (const { key } of rows) keys.add(key);
  }
  return keys;
}
