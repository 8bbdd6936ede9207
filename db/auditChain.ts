// Checks the chain of the audit trail, without the database's own function for it. Called by `keel audit verify`.
import { createHash } from 'node:crypto';
import type { Database } from './connect.js';
import { statement } from './statement.js';

export interface AuditHead {
  /** Number of rows. */
  readonly position: number;
  /** Of the last row; that of an empty trail is 64 zeros. */
  readonly hash: string;
}

export interface AuditCheck {
  readonly head: AuditHead;
  /** The first row that does not fit, in words; null when the chain is whole. */
  readonly fault: string | null;
}

interface Link {
  readonly position: string;
  readonly previous: string;
  readonly hash: string;
  readonly parts: readonly string[];
}

const page = 1000;

const readPage = statement<Link>(
  'audit_page',
  `select position::text as position, previous_hash as previous, hash,
     array[to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), mode, actor, action, subject, facts::text]
       as parts
   from audit where position > $1 order by audit.position limit ${String(page)}`,
);

/** Each part with its length in bytes before it. */
const hashOf = (parts: readonly string[]): string =>
  createHash('sha256')
    .update(parts.map((part) => `${String(Buffer.byteLength(part))}:${part}`).join(''))
    .digest('hex');

function faultOf(link: Link, before: AuditHead): string | null {
  const expected = before.position + 1;
  if (link.position !== String(expected)) return `row ${String(expected)} is missing`;
  if (link.previous !== before.hash) return `row ${link.position} does not follow the row before it`;
  const hash = hashOf([link.previous, link.position, ...link.parts]);
  return hash === link.hash ? null : `row ${link.position} was changed after it was written`;
}

const start: AuditHead = { position: 0, hash: '0'.repeat(64) };

/**
 * Follows the chain from its first row to its last.
 * @param known a head that was noted before: the chain must go through it. It alone shows that the end was cut off.
 */
export const checkAudit = (db: Database, known: AuditHead | null = null): Promise<AuditCheck> =>
  db.guard(async () => {
    let head = start;
    let through = known === null || known.position === 0;
    for (;;) {
      const links = await readPage(db.pool, [head.position]);
      for (const link of links) {
        const fault = faultOf(link, head);
        if (fault !== null) return { head, fault };
        head = { position: head.position + 1, hash: link.hash };
        if (known?.position === head.position) {
          if (known.hash !== head.hash)
            return { head, fault: `row ${link.position} is not the one that was noted` };
          through = true;
        }
      }
      if (links.length < page) break;
    }
    const fault = through
      ? null
      : `the trail ends at row ${String(head.position)}, before the one that was noted`;
    return { head, fault };
  });
