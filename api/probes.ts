// How the API's process reaches the parts that Keel stands on. Called by api/main.ts.
import type { Connection } from '@temporalio/client';
import type { Mode } from '../contracts/wire/names.js';
import type { Database } from '../db/connect.js';
import type { CachePort } from '../ports/cache.js';
import type { Clock } from '../ports/clocks.js';
import { KeelError } from '../ports/errors.js';
import type { HealthProbe, PartState } from '../ports/health.js';
import type { BrokerStateStore } from '../ports/stores.js';
import { troubleWords, unreadMs } from '../domain/brokerSession/trouble.js';
import type { ObjectStorePort } from '../ports/objectStore.js';

export interface ProbeParts {
  readonly mode: Mode;
  readonly db: Database;
  readonly connection: Connection;
  readonly namespace: string;
  readonly taskQueue: string;
  readonly objects: Pick<ObjectStorePort, 'has'>;
  readonly cache: Pick<CachePort, 'check'>;
  readonly brokerState: Pick<BrokerStateStore, 'trouble'>;
  readonly clock: Clock;
  /** For one call to Temporal, milliseconds. */
  readonly timeoutMs: number;
}

/** A worker's poll lasts a minute; one that died is listed for five. */
const pollerAgeMs = 75_000;
/** Its owner looks every 15 s. */
const loginAgeMs = 60_000;

export function createProbes(parts: ProbeParts): readonly HealthProbe[] {
  return [
    { name: 'postgres', vital: true, look: () => lookAtPostgres(parts) },
    { name: 'temporal', vital: true, look: () => lookAtTemporal(parts) },
    { name: 'worker', vital: true, look: () => lookAtWorkers(parts) },
    { name: 'objectStore', vital: true, look: () => lookAtObjects(parts) },
    { name: 'broker', vital: false, look: () => lookAtBroker(parts) },
    { name: 'brokerLogin', vital: false, look: () => lookAtLogin(parts) },
    { name: 'cache', vital: false, look: () => lookAtCache(parts) },
  ];
}

const lookAtPostgres = ({ db }: ProbeParts): Promise<PartState> =>
  db.guard(async () => {
    const { rows } = await db.pool.query<{ version: string }>(
      `select current_setting('server_version') as version`,
    );
    const version = rows[0]?.version ?? 'unknown';
    return { ok: true, detail: `answers at ${db.where}`, version };
  });

async function temporalCall<T>(
  { connection, clock, timeoutMs }: ProbeParts,
  call: () => Promise<T>,
): Promise<T> {
  try {
    return await connection.withDeadline(clock.now() + timeoutMs, call);
  } catch (cause) {
    throw new KeelError(
      'TEMPORAL_AWAY',
      'Temporal does not answer: see that it runs, or correct TEMPORAL_ADDRESS.',
      {
        errorClass: 'retryable',
        cause,
      },
    );
  }
}

async function lookAtTemporal(parts: ProbeParts): Promise<PartState> {
  const { connection, namespace } = parts;
  const { serverVersion } = await temporalCall(parts, () => connection.workflowService.getSystemInfo({}));
  return { ok: true, detail: `answers for namespace ${namespace}`, version: serverVersion || 'unknown' };
}

async function lookAtWorkers(parts: ProbeParts): Promise<PartState> {
  const { connection, namespace, taskQueue, clock } = parts;
  // Without a type the server tells of workflow tasks.
  const { pollers } = await temporalCall(parts, () =>
    connection.workflowService.describeTaskQueue({
      namespace,
      taskQueue: { name: taskQueue },
    }),
  );
  const now = clock.now();
  const awake = pollers.filter(
    ({ lastAccessTime }) => now - Number(lastAccessTime?.seconds ?? 0) * 1000 < pollerAgeMs,
  );
  return awake.length > 0
    ? { ok: true, detail: `${awake.length} on ${taskQueue}` }
    : { ok: false, detail: `nobody works on ${taskQueue}: start a worker` };
}

/** Asks for a key that nobody has: the answer is what counts. */
async function lookAtObjects({ objects }: ProbeParts): Promise<PartState> {
  await objects.has('health/none');
  return { ok: true, detail: 'answers' };
}

/** The API has no session of its own: the age of what the one poller read tells. */
const lookAtBroker = ({ db, brokerState, clock }: ProbeParts): Promise<PartState> =>
  db.guard(async () => {
    const { rows } = await db.pool.query<{ at: string }>(
      'select max(read_started_at) as at from broker_snapshot having max(read_started_at) is not null',
    );
    const at = rows[0]?.at;
    const why = troubleWords(await brokerState.trouble(null), clock.now());
    if (at === undefined)
      return { ok: false, detail: `its state was never read: ${why ?? 'see that a worker runs'}` };
    const seconds = Math.round((clock.now() - Date.parse(at)) / 1000);
    return seconds * 1000 <= unreadMs
      ? { ok: true, detail: `its state was read ${seconds} s ago`, lookedAt: at }
      : {
          ok: false,
          lookedAt: at,
          detail: `its state was last read ${seconds} s ago: ${why ?? 'see that its session stands and that a worker runs'}`,
        };
  });

interface LoginRow {
  readonly phase: string;
  readonly reason: string | null;
  readonly since: string;
  readonly checkedAt: string;
}

/** The login as its one owner, the workflow brokerSession, saw it last. */
export const lookAtLogin = ({
  db,
  mode,
  clock,
}: Pick<ProbeParts, 'db' | 'mode' | 'clock'>): Promise<PartState> =>
  db.guard(async () => {
    const { rows } = await db.pool.query<LoginRow>(
      `select phase, reason, since, checked_at as "checkedAt" from broker_session where mode = $1
       order by checked_at desc limit 1`,
      [mode],
    );
    const [row] = rows;
    if (row === undefined) return { ok: false, detail: 'nobody has looked at it: see that a worker runs' };
    const { phase, reason, since, checkedAt } = row;
    const seconds = Math.round((clock.now() - Date.parse(checkedAt)) / 1000);
    if (seconds * 1000 > loginAgeMs)
      return {
        ok: false,
        lookedAt: checkedAt,
        detail: `nobody has looked at it for ${seconds} s: see that a worker runs`,
      };
    return phase === 'up'
      ? { ok: true, lookedAt: checkedAt, detail: `up since ${since}` }
      : {
          ok: false,
          lookedAt: checkedAt,
          detail: `${phase} since ${since}: ${reason ?? 'it is being looked at'}`,
        };
  });

async function lookAtCache({ cache }: ProbeParts): Promise<PartState> {
  const { kind, ok, reason } = await cache.check();
  const detail = reason ?? (kind === 'redis' ? 'Redis answers' : 'in the memory of each process');
  return { ok, detail };
}
