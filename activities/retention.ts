// Deletes what is old or belongs to nothing: charts, raw answers, rows, orphaned objects. Called by the look `retention`, which
// a schedule starts, and by `keel retention`. One at a time, and never beside a backup.
import type { MonitorResult } from '../contracts/wire/monitor.js';
import type { Clock } from '../ports/clocks.js';
import { KeelError } from '../ports/errors.js';
import type { LocksPort } from '../ports/locks.js';
import type { ObjectStorePort } from '../ports/objectStore.js';
import type { PurgeKind, RetentionRules, RetentionStore } from '../ports/retention.js';
import type { AuditStore } from '../ports/stores.js';

export interface RetentionDeps {
  readonly retention: RetentionStore;
  readonly retentionRules: RetentionRules;
  readonly objects: Pick<ObjectStorePort, 'delete' | 'list'>;
  readonly locks: LocksPort;
  readonly audit: Pick<AuditStore, 'append'>;
  readonly clock: Clock;
}

export interface RetentionOptions {
  /** Who asked, for the audit. */
  readonly actor: string;
  /** Counts and deletes nothing. */
  readonly dryRun: boolean;
  /** Objects of one kind in one go; the next look takes the rest. */
  readonly limit: number;
}

export interface RetentionReport {
  readonly charts: number;
  readonly answers: number;
  readonly orphans: number;
  /** Of the objects together. */
  readonly bytes: number;
  /** By table. */
  readonly rows: Readonly<Record<string, number>>;
}

/** A backup holds it too, so that no object goes while one is written. */
export const retentionLock = 'retention';

export const keepsAll = ({ chartDays, answerDays, rowDays, orphanHours }: RetentionRules): boolean =>
  chartDays + answerDays + rowDays + orphanHours === 0;

/** @throws LOCK_BUSY beside a backup or another one, ORPHANS_TOO_MANY, and what stores throw; what was deleted stays so */
export const sweepOnce = (deps: RetentionDeps, options: RetentionOptions): Promise<RetentionReport> =>
  deps.locks.withLock(retentionLock, 0, async () => {
    const { rowDays, orphanHours, chartDays, answerDays } = deps.retentionRules;
    const none = { count: 0, bytes: 0 };
    const charts = chartDays === 0 ? none : await purge(deps, 'chart', options);
    const answers = answerDays === 0 ? none : await purge(deps, 'answer', options);
    const rows = rowDays === 0 ? {} : await deps.retention.deleteRows(rowDays, options.dryRun);
    const orphans = orphanHours === 0 ? none : await sweepOrphans(deps, options);
    const report = {
      charts: charts.count,
      answers: answers.count,
      orphans: orphans.count,
      bytes: charts.bytes + answers.bytes + orphans.bytes,
      rows,
    };
    if (!options.dryRun && total(report) > 0) {
      await deps.audit.append({
        actor: options.actor,
        action: 'retention.delete',
        subject: 'retention',
        facts: { ...report, rules: deps.retentionRules },
      });
    }
    return report;
  });

const total = ({ charts, answers, orphans, rows }: RetentionReport): number =>
  charts + answers + orphans + Object.values(rows).reduce((sum, count) => sum + count, 0);

interface Swept {
  readonly count: number;
  readonly bytes: number;
}

const sweptOf = (objects: readonly { readonly bytes: number }[]): Swept => ({
  count: objects.length,
  bytes: objects.reduce((sum, { bytes }) => sum + bytes, 0),
});

/** Marked first: a crash in between leaves an object that is asked for by nobody, and the next look deletes it. */
async function purge(
  deps: RetentionDeps,
  kind: PurgeKind,
  { dryRun, limit }: RetentionOptions,
): Promise<Swept> {
  const expired = await deps.retention.expired(kind, deps.retentionRules, limit);
  for (const object of dryRun ? [] : expired) {
    await deps.retention.markPurged(kind, object, false);
    await deps.objects.delete(object.key);
    await deps.retention.markPurged(kind, object, true);
  }
  return sweptOf(expired);
}

/** As every object of Keel is named; whatever else lies there is not ours. */
const ours = /^[a-z][a-z0-9-]*\/[0-9a-f]{64}\.[a-z0-9]+$/;
/** More orphans than this, and more than objects with rows: most likely this is not the database of these objects. */
const suspicious = 50;

async function sweepOrphans(deps: RetentionDeps, { dryRun, limit }: RetentionOptions): Promise<Swept> {
  const latest = new Date(deps.clock.now() - deps.retentionRules.orphanHours * 3_600_000).toISOString();
  const all = [];
  for await (const object of deps.objects.list()) if (ours.test(object.key)) all.push(object);
  // Asked after the objects were listed: a row that was written meanwhile is seen.
  const named = await deps.retention.namedKeys();
  const orphans = all.filter(({ key, modifiedAt }) => modifiedAt < latest && !named.has(key));
  if (orphans.length > suspicious && orphans.length > all.length / 2) {
    throw new KeelError(
      'ORPHANS_TOO_MANY',
      `${orphans.length} of ${all.length} objects are named by no row, which looks like the objects of another database: nothing of them was deleted. Give each Keel a bucket of its own, or delete them by hand.`,
      { facts: { orphans: orphans.length, objects: all.length } },
    );
  }
  const taken = orphans.slice(0, limit);
  for (const { key } of dryRun ? [] : taken) await deps.objects.delete(key);
  return sweptOf(taken);
}

/** In one go of a look, which has minutes. */
const lookLimit = 2000;

/** The scheduled look. */
export async function lookAtRetention(deps: RetentionDeps): Promise<MonitorResult> {
  const report = await sweepOnce(deps, { actor: 'retention', dryRun: false, limit: lookLimit });
  return { status: 'ok', message: `deleted ${describeRetention(report)}`, facts: factsOf(report) };
}

const factsOf = ({ rows, ...counts }: RetentionReport): MonitorResult['facts'] => ({
  ...counts,
  ...Object.fromEntries(Object.entries(rows).map(([table, count]) => [`rows_${table}`, count])),
});

export function describeRetention({ charts, answers, orphans, bytes, rows }: RetentionReport): string {
  const old = Object.values(rows).reduce((sum, count) => sum + count, 0);
  return `${charts} charts, ${answers} prompts and answers, ${old} rows, ${orphans} orphans (${(bytes / 1e6).toFixed(1)} MB)`;
}
