// Counts attempts to prove who one is, for all APIs on this database together. Called by the API's services of access.
import { createHash } from 'node:crypto';
import type { PoolClient } from 'pg';
import { attemptLimits } from '../domain/access/attempts.js';
import type { AttemptStore } from '../ports/access.js';
import { KeelError } from '../ports/errors.js';
import type { Database } from './connect.js';
import { statement } from './statement.js';
import { inTransaction } from './transaction.js';

/** One line for those with this subject, one for those from this address; always taken in this order. */
const lock = statement(
  'attempt_lock',
  `select pg_advisory_xact_lock(hashtextextended($1 || '/subject/' || $2, 0)),
     pg_advisory_xact_lock(hashtextextended($1 || '/address/' || $3, 0))`,
);

interface Counts {
  readonly bySubject: number;
  readonly byAddress: number;
  /** Seconds until the oldest that counts is out of the window. */
  readonly wait: number;
}

const count = statement<Counts>(
  'attempt_count',
  `select count(*) filter (where subject = $2)::int as "bySubject",
     count(*) filter (where address = $3)::int as "byAddress",
     coalesce(ceil(extract(epoch from min(at) + make_interval(secs => $4) - now())), 0)::int as wait
   from access_attempt
   where kind = $1 and (subject = $2 or address = $3) and at > now() - make_interval(secs => $4)
     and (not succeeded or kind = 'register')`,
);

const insertAttempt = statement<{ id: string }>(
  'attempt_insert',
  `with old as (delete from access_attempt where at < now() - interval '1 day')
   insert into access_attempt (kind, subject, address) values ($1, $2, $3) returning id::text as id`,
);

const markSucceeded = statement(
  'attempt_succeeded',
  `update access_attempt set succeeded = true where id = $1::bigint`,
);

const tooMany = (wait: number): KeelError =>
  new KeelError(
    'TOO_MANY_ATTEMPTS',
    `Too many attempts that failed; wait ${String(Math.ceil(wait / 60))} minutes, then try again.`,
    { facts: { retryAfterSeconds: Math.max(1, wait) } },
  );

export function createAttemptStore(db: Database): AttemptStore {
  return {
    begin: (kind, name, address) =>
      inTransaction(db, async (client: PoolClient) => {
        const limit = attemptLimits[kind];
        const subject = createHash('sha256').update(name).digest('hex');
        await lock(client, [kind, subject, address]);
        const [counts] = await count(client, [kind, subject, address, limit.windowMs / 1000]);
        const { bySubject, byAddress, wait } = counts ?? { bySubject: 0, byAddress: 0, wait: 0 };
        if (bySubject >= limit.perSubject || byAddress >= limit.perAddress) throw tooMany(wait);
        const [made] = await insertAttempt(client, [kind, subject, address]);
        return made?.id ?? '0';
      }),
    succeeded: (id) =>
      db.guard(async () => {
        await markSucceeded(db.pool, [id]);
      }),
  };
}
