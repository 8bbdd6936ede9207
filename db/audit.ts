// The audit trail: who did what to what. Appended by activities and the API; the database chains the rows by hashes and
// refuses every change. db/auditChain.ts checks it. Read by the API and by `keel audit list`.
import { and, desc, eq, lt, or, sql } from 'drizzle-orm';
import type { Mode } from '../contracts/wire/names.js';
import type { AuditPage, AuditQuery, AuditStore } from '../ports/audit.js';
import type { Database } from './connect.js';
import { audit } from './schemaOrders.js';
import { columnsBut, placeholders } from './statement.js';

const columns = columnsBut(audit, 'id', 'mode', 'previousHash');

/** One more than is asked for tells whether there is more. Also called by `keel audit list`, which knows no mode. */
export const listAudit = (db: Database, query: AuditQuery): Promise<AuditPage> =>
  db.guard(async () => {
    const { before, actor, action, limit } = query;
    const rows = await db.orm
      .select(columns)
      .from(audit)
      .where(
        and(
          before === null ? undefined : lt(audit.position, before),
          actor === null
            ? undefined
            : or(eq(audit.actor, actor), sql`starts_with(${audit.actor}, ${`${actor}/`})`),
          action === null ? undefined : eq(audit.action, action),
        ),
      )
      .orderBy(desc(audit.position))
      .limit(limit + 1);
    const entries = rows.slice(0, limit);
    return { entries, next: rows.length > limit ? (entries.at(-1)?.position ?? null) : null };
  });

export function createAuditStore(db: Database, mode: Mode): AuditStore {
  const append = db.orm
    .insert(audit)
    .values({ mode, ...placeholders('actor', 'action', 'subject', 'facts') })
    .prepare('audit_append');
  return {
    append: (entry) =>
      db.guard(async () => {
        await append.execute({ ...entry });
      }),
    list: (query) => listAudit(db, query),
  };
}
