// The audit trail: who did what to what. Appended by activities and the API; the database chains the rows by hashes and
// refuses every change. db/auditChain.ts checks it.
import type { Mode } from '../contracts/wire/names.js';
import type { AuditStore } from '../ports/stores.js';
import type { Database } from './connect.js';
import { audit } from './schemaOrders.js';
import { placeholders } from './statement.js';

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
  };
}
