// The account's lock: one transaction in which admission reads the broker's state and the open intents, decides, and
// stores its intent. Called by the intent store.
import { createHash } from 'node:crypto';
import { drizzle } from 'drizzle-orm/node-postgres';
import type { PoolClient } from 'pg';
import type { Mode } from '../contracts/wire/names.js';
import { KeelError } from '../ports/errors.js';
import type { AdmissionTransaction } from '../ports/stores.js';
import { createSnapshotQuery } from './brokerState.js';
import type { Database } from './connect.js';
import { databaseError } from './errors.js';
import { createIntentQueries } from './intentQueries.js';
import { createQueue } from './queue.js';
import { createRiskQueries } from './risk.js';
import { statement } from './statement.js';

/** 64 bits of a hash as PostgreSQL's bigint: one lock per mode and account. */
const lockKey = (mode: Mode, accountId: string): bigint =>
  createHash('sha256')
    .update(JSON.stringify(['account', mode, accountId]))
    .digest()
    .readBigInt64BE(0);

const ownerMayTrade = statement(
  'run_owner_may_trade',
  `select from run r left join keel_user u on u.id = r.owner_id
   where r.id = $1 and (r.owner_id is null or (u.active and u.role in ('trader', 'admin')))`,
);

const busy = (accountId: string, cause?: unknown): KeelError =>
  new KeelError(
    'ACCOUNT_BUSY',
    `Another order of account ${accountId} is being admitted and did not end in time. Try again.`,
    { errorClass: 'retryable', facts: { accountId }, cause },
  );

/** Statements stay with their connection, because the pool gives the same few connections again and again. */
function transactionOn(client: PoolClient, mode: Mode, accountId: string) {
  const orm = drizzle(client);
  const snapshot = createSnapshotQuery(orm);
  const intents = createIntentQueries(orm);
  const risk = createRiskQueries(orm, mode);
  return (guard: Database['guard']): AdmissionTransaction => ({
    snapshot: () => guard(() => snapshot(mode, accountId)),
    openIntents: () => guard(() => intents.open(mode, accountId)),
    intent: (clientOrderId) => guard(() => intents.get(clientOrderId)),
    ownerMayTrade: (runId) => guard(async () => (await ownerMayTrade(client, [runId])).length === 1),
    insertIntent: (intent) => guard(() => intents.insert(intent)),
    putRisk: (row) => guard(() => risk.put(row)),
  });
}

type Prepared = ReturnType<typeof transactionOn>;

export function createAccountLock(db: Database) {
  const enter = createQueue();
  const prepared = new WeakMap<PoolClient, Map<string, Prepared>>();

  function on(client: PoolClient, mode: Mode, accountId: string): Prepared {
    const known = prepared.get(client) ?? new Map<string, Prepared>();
    prepared.set(client, known);
    const key = `${mode}/${accountId}`;
    const made = known.get(key) ?? transactionOn(client, mode, accountId);
    known.set(key, made);
    return made;
  }

  return async function withAccountLock<T>(
    mode: Mode,
    accountId: string,
    work: (tx: AdmissionTransaction) => Promise<T>,
  ): Promise<T> {
    // First in line within this process, so that waiting costs no connection of the pool.
    const leave = await enter(`${mode}/${accountId}`, db.lockTimeoutMs, () => busy(accountId));
    try {
      return await db.guard(() =>
        inTransaction(db, lockKey(mode, accountId), accountId, (client) =>
          work(on(client, mode, accountId)((statement) => db.guard(statement))),
        ),
      );
    } finally {
      leave();
    }
  };
}

async function inTransaction<T>(
  db: Database,
  key: bigint,
  accountId: string,
  work: (client: PoolClient) => Promise<T>,
): Promise<T> {
  const client = await db.pool.connect();
  let fail: (error: Error) => void = () => undefined;
  const lost = new Promise<never>((_resolve, reject) => {
    fail = reject;
  });
  lost.catch(() => undefined);
  client.on('error', fail);
  let broken = true;
  try {
    await begin(client, key, accountId);
    // The server ends a transaction that idles too long; then the work is over too, whatever it waits for.
    const result = await Promise.race([work(client), lost]);
    const { command } = await client.query('commit');
    broken = false;
    if (command !== 'COMMIT') {
      throw new KeelError('DATABASE_ERROR', `The admission for account ${accountId} was rolled back.`);
    }
    return result;
  } catch (error) {
    if (broken && databaseError(error, db.where).code !== 'DATABASE_AWAY') {
      broken = await client.query('rollback').then(
        () => false,
        () => true,
      );
    }
    throw error;
  } finally {
    client.off('error', fail);
    client.release(broken);
  }
}

async function begin(client: PoolClient, key: bigint, accountId: string): Promise<void> {
  try {
    // One round trip for both.
    await client.query(`begin; select pg_advisory_xact_lock(${key.toString()})`);
  } catch (error) {
    if ((error as { code?: unknown }).code === '55P03') throw busy(accountId, error);
    throw error;
  }
}
