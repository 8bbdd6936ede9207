// Named locks among processes: PostgreSQL advisory locks, each held by a connection of its own, so that it ends with its
// process. Called by the worker for the orders of one login.
import { setTimeout as sleep } from 'node:timers/promises';
import type { PoolClient } from 'pg';
import { KeelError } from '../ports/errors.js';
import type { HeldLock, LocksPort } from '../ports/locks.js';
import type { Database } from './connect.js';

/** Chosen once: every process must ask for the same lock. The second key is made of the name. */
const lockSpace = 1_263_814_989;
/** Wall milliseconds between two looks at a lock that somebody else has. */
const lookMs = 20;

const away = (name: string, cause: unknown): KeelError =>
  new KeelError('LOCK_AWAY', `The lock "${name}" cannot be had: PostgreSQL does not answer.`, {
    errorClass: 'retryable',
    facts: { lock: name },
    cause,
  });

const busy = (name: string, waitMs: number): KeelError =>
  new KeelError('LOCK_BUSY', `Another process has held the lock "${name}" for ${waitMs} ms. Try later.`, {
    errorClass: 'retryable',
    facts: { lock: name, waitMs },
  });

async function take(client: PoolClient, name: string, waitMs: number): Promise<boolean> {
  const deadline = performance.now() + waitMs;
  for (;;) {
    const text = 'select pg_try_advisory_lock($1, hashtext($2)) as got';
    const { rows } = await client.query<{ got: boolean }>({
      name: 'lock_take',
      text,
      values: [lockSpace, name],
    });
    if (rows[0]?.got === true) return true;
    if (performance.now() >= deadline) return false;
    await sleep(lookMs);
  }
}

/** A connection whose lock was not given back is ended: that gives it back. */
async function giveBack(client: PoolClient, name: string, alive: boolean): Promise<void> {
  const text = 'select pg_advisory_unlock($1, hashtext($2)) as freed';
  const freed = alive
    ? await client
        .query<{ freed: boolean }>({ name: 'lock_give', text, values: [lockSpace, name] })
        .then(({ rows }) => rows[0]?.freed === true)
        .catch(() => false)
    : false;
  client.release(!freed);
}

export function createLocks(db: Database): LocksPort {
  return {
    async withLock(name, waitMs, work) {
      const client = await db.pool.connect().catch((error: unknown) => {
        throw away(name, error);
      });
      let alive = true;
      const lost = (): void => {
        alive = false;
      };
      client.on('error', lost);
      client.on('end', lost);
      const lock: HeldLock = { held: () => alive };
      try {
        const got = await take(client, name, waitMs).catch((error: unknown) => {
          alive = false;
          throw away(name, error);
        });
        if (!got) throw busy(name, waitMs);
        return await work(lock);
      } finally {
        // The listener stays until the pool has its own again: a connection that breaks here must not end the process.
        await giveBack(client, name, alive);
        client.off('error', lost);
        client.off('end', lost);
      }
    },
  };
}
