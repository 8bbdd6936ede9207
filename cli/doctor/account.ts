// The account as the worker's poller reads it: how old the last read that is stored is, and why the last try failed. It asks
// PostgreSQL, and Temporal whether a worker is up: the poller is the one who asks the broker. Called by examine.ts.
import { createBrokerStateStore } from '../../db/brokerState.js';
import { connect } from '../../db/connect.js';
import { unreadMs, type BrokerTrouble } from '../../domain/brokerSession/trouble.js';
import { hasWorker } from './temporal.js';
import type { Finding, Patient } from './types.js';
import { askMs, notGiven } from './types.js';

const check = 'account';

export async function checkAccount(patient: Patient): Promise<readonly Finding[]> {
  const { broker, database } = patient.sections;
  if (broker === undefined || database === undefined) return notGiven(check, patient);
  const reading = await readingOf(database.url, patient.mode, broker.accountId);
  if (reading === null) {
    const found = 'could not be looked up: put PostgreSQL and its migrations right first';
    return [{ check, status: 'skipped', found }];
  }
  const isUp = patient.running !== null || (await hasWorker(patient));
  return [readingFinding(reading, { now: patient.now(), isUp })];
}

export interface Reading {
  readonly accountId: string;
  /** When the last read that is stored began, ISO 8601 UTC; null where there is none. */
  readonly readAt: string | null;
  /** Why a later try failed. */
  readonly trouble: BrokerTrouble | null;
}

/** @returns null where the database has no answer; its own check says why */
async function readingOf(url: string, mode: Patient['mode'], accountId: string): Promise<Reading | null> {
  const limits = { poolSize: 1, connectTimeoutMs: askMs, statementTimeoutMs: askMs, lockTimeoutMs: askMs };
  const db = connect({ ...limits, url });
  try {
    const store = createBrokerStateStore(db, mode);
    const [readAt, trouble] = await Promise.all([store.lastReadAt(accountId), store.trouble(accountId)]);
    return { accountId, readAt, trouble };
  } catch {
    return null;
  } finally {
    await db.close();
  }
}

/** @param facts the time, milliseconds since 1970, and whether a Keel runs on the data directory or a worker elsewhere */
export function readingFinding(
  { accountId, readAt, trouble }: Reading,
  { now, isUp }: { readonly now: number; readonly isUp: boolean },
): Finding {
  const ageOf = (at: string): number => now - Date.parse(at);
  const ago = (at: string): string => `${String(Math.max(0, Math.round(ageOf(at) / 1000)))} s ago`;
  const last = readAt === null ? 'was never read' : `was last read ${ago(readAt)}, at ${readAt}`;
  const found = `${accountId} ${last}${trouble === null ? '' : `; a try failed ${ago(trouble.at)}`}`;
  const cause = trouble === null ? null : `${trouble.code}: ${trouble.message}`;
  if (readAt !== null && ageOf(readAt) <= unreadMs) {
    if (cause === null) return { check, status: 'ok', found };
    const fix = 'nothing yet: the worker tries again by itself; where it stays so, do what the cause says';
    return { check, status: 'warning', found, cause, fix };
  }
  if (cause !== null && trouble !== null && ageOf(trouble.at) <= unreadMs) {
    const fix = `do what the cause says: until the account is read, no order goes out; ${logOfTries}`;
    return { check, status: 'fault', found, cause, fix };
  }
  // A Keel that is stopped reads nothing, and no order of it can go out; one that starts just now has not read yet.
  if (!isUp) return { check, status: 'skipped', found: `${found}; no worker is up, which would read it` };
  const silent = 'nobody tries any more: its poller hangs, or the worker has gone a moment ago';
  return {
    check,
    status: readAt === null ? 'warning' : 'fault',
    found,
    cause: cause === null ? silent : `${cause} Since then ${silent}`,
    fix: `start the worker again (npm start, or node dist/worker/main.js); ${logOfTries}`,
  };
}

const logOfTries =
  'the worker\'s log ("the broker cannot be watched") and the workflow brokerState in Temporal have each try';
