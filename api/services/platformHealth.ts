// The state of all parts and monitors at one moment. Called by api/routes/status.ts.
import pTimeout from 'p-timeout';
import type { LookName, MonitorName } from '../../contracts/wire/monitor.js';
import { missedLooks, monitorNames } from '../../contracts/wire/monitor.js';
import type { Mode } from '../../contracts/wire/names.js';
import type { Clock } from '../../ports/clocks.js';
import { KeelError } from '../../ports/errors.js';
import type { HealthProbe, PartState } from '../../ports/health.js';
import type { MonitorRow, MonitorStore } from '../../ports/monitors.js';
import type { PricesPort } from '../../ports/prices.js';

export interface PlatformHealthDeps {
  readonly mode: Mode;
  readonly version: string;
  readonly nodeVersion: string;
  readonly probes: readonly HealthProbe[];
  /** For the look at one part, milliseconds. */
  readonly probeTimeoutMs: number;
  readonly monitors: Pick<MonitorStore, 'list'>;
  /** Milliseconds between the looks of each monitor; null where they are switched off. */
  readonly monitorsEveryMs: Readonly<Record<MonitorName, number>> | null;
  /** The look that deletes what is old, and whether this process knows a rule for it. */
  readonly retention: { readonly everyMs: number; readonly on: boolean };
  readonly prices: Pick<PricesPort, 'memory'>;
  readonly clock: Clock;
}

async function lookAt(deps: PlatformHealthDeps, { name, vital, look }: HealthProbe) {
  const begunAt = deps.clock.now();
  const milliseconds = deps.probeTimeoutMs;
  const late = (): PartState => ({ ok: false, detail: `no answer within ${milliseconds} ms` });
  const looking = (async () => look())();
  const state = await pTimeout(looking, { milliseconds, fallback: late }).catch(wordsOf);
  return {
    name,
    vital,
    status: state.ok ? ('ok' as const) : ('down' as const),
    detail: state.detail,
    version: state.version ?? null,
    lookedAt: state.lookedAt ?? null,
    ms: deps.clock.now() - begunAt,
  };
}

/** Only our own errors have words that were checked for secrets. */
const wordsOf = (error: unknown): PartState => ({
  ok: false,
  detail: error instanceof KeelError ? error.message : 'it does not answer; the log of its process says more',
});

function monitorOf(name: LookName, everyMs: number, row: MonitorRow | undefined, now: number) {
  const everySeconds = everyMs / 1000;
  if (row === undefined) {
    const message = 'it has never looked: see that a worker runs';
    const none = { at: null, ageSeconds: null, facts: {} };
    return { name, status: 'never' as const, message, everySeconds, late: true, ...none };
  }
  const ageMs = Math.max(0, now - Date.parse(row.at));
  return {
    name,
    status: row.status,
    message: row.message,
    at: row.at,
    ageSeconds: Math.floor(ageMs / 1000),
    everySeconds,
    late: ageMs > missedLooks * everyMs,
    facts: row.facts,
  };
}

/** It looks once a day, so one that has never looked is nothing to worry about; one that was switched off is forgotten. */
function retentionOf(deps: PlatformHealthDeps, rows: readonly MonitorRow[], now: number) {
  const { everyMs, on } = deps.retention;
  const row = rows.find(({ name }) => name === 'retention');
  if (row === undefined) return [];
  const look = monitorOf('retention', everyMs, row, now);
  return look.late && !on ? [] : [look];
}

export async function readPlatformHealth(deps: PlatformHealthDeps) {
  const { mode, version, nodeVersion, monitorsEveryMs } = deps;
  const [parts, rows] = await Promise.all([
    Promise.all(deps.probes.map((probe) => lookAt(deps, probe))),
    // Without PostgreSQL the parts tell why nothing is known of the monitors.
    deps.monitors.list().catch(() => []),
  ]);
  const now = deps.clock.now();
  const looks =
    monitorsEveryMs === null
      ? []
      : monitorNames.map((name) =>
          monitorOf(
            name,
            monitorsEveryMs[name],
            rows.find((row) => row.name === name),
            now,
          ),
        );
  const monitors = [...looks, ...retentionOf(deps, rows, now)];
  const down = parts.filter(({ status }) => status === 'down');
  const troubled = monitors.some(({ status, late }) => status !== 'ok' || late);
  const status = down.some(({ vital }) => vital)
    ? ('down' as const)
    : down.length > 0 || troubled
      ? ('degraded' as const)
      : ('ok' as const);
  const priceSources = deps.prices.memory();
  const at = new Date(now).toISOString();
  return { status, mode, at, parts, monitors, priceSources, versions: { keel: version, node: nodeVersion } };
}
