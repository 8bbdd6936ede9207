// Deletes what is old or belongs to nothing: charts, raw answers, rows, orphaned objects. Called by the look `retention`, which
// a schedule starts, and by `keel retention`. One at a time, and never beside a backup.
import type { MonitorResult } from '../contracts/wire/monitor.js';
import type { Clock } from '../ports/clocks.js';
import { KeelError } from '../ports/errors.js';
import type { HeldLock, LocksPort } from '../ports/locks.js';
import type { ObjectStorePort, StoredObject } from '../ports/objectStore.js';
import type { PurgeKind, RetentionRules, RetentionStore } from '../ports/retention.js';
import type { AuditStore } from '../ports/audit.js';

export interface RetentionDeps {
  readonly retention: RetentionStore;
  readonly retentionRules: RetentionRules;
  readonly objects: Pick<ObjectStorePort, 'delete' | 'list' | 'stat'>;
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
  /** After so many deleted objects the rows are asked again, which may name one since. */
  readonly batch: number;
  /** No deletion is begun after this, wall milliseconds since 1970; the next look takes the rest. */
  readonly until?: number;
  /** Told how far each kind of object is, where somebody watches. */
  readonly progress?: (kind: string) => (done: number, of: number) => void;
}

export const retentionBatch = 50;

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

/** @throws LOCK_BUSY beside a backup or another one, LOCK_LOST when a backup may have begun beside it, ORPHANS_TOO_MANY, and what stores throw; what was deleted stays so, and is audited */
export const sweepOnce = (deps: RetentionDeps, options: RetentionOptions): Promise<RetentionReport> =>
  deps.locks.withLock(retentionLock, 0, async (lock) => {
    const done: Done = { charts: tally(), answers: tally(), orphans: tally(), rows: {} };
    try {
      await sweepParts(deps, { ...options, lock }, done);
    } finally {
      await record(deps, options, reportOf(done));
    }
    return reportOf(done);
  });

interface Tally {
  count: number;
  bytes: number;
}

/** Grows as things go, so that what went before a failure is known. */
interface Done {
  readonly charts: Tally;
  readonly answers: Tally;
  readonly orphans: Tally;
  rows: Readonly<Record<string, number>>;
}

const tally = (): Tally => ({ count: 0, bytes: 0 });

function add(sum: Tally, { bytes }: { readonly bytes: number }): void {
  sum.count += 1;
  sum.bytes += bytes;
}

/** A sweep that has its lock. */
interface Sweep extends RetentionOptions {
  readonly lock: HeldLock;
}

/** Asked before each deletion. @returns false when the time is over. @throws KeelError LOCK_LOST */
function mayGoOn({ clock }: RetentionDeps, { lock, until = Infinity }: Sweep): boolean {
  if (lock.held()) return clock.now() < until;
  throw new KeelError(
    'LOCK_LOST',
    'The connection that held the lock of the retention broke, so a backup may have begun: nothing more was deleted.',
    { errorClass: 'retryable', facts: { lock: retentionLock } },
  );
}

async function sweepParts(deps: RetentionDeps, options: Sweep, done: Done): Promise<void> {
  const { rowDays, orphanHours, chartDays, answerDays } = deps.retentionRules;
  if (chartDays > 0) await purge(deps, 'chart', options, done.charts);
  if (answerDays > 0) await purge(deps, 'answer', options, done.answers);
  if (rowDays > 0) done.rows = await sweepRows(deps, options, rowDays);
  if (orphanHours > 0) await sweepOrphans(deps, options, done.orphans);
}

async function sweepRows(
  deps: RetentionDeps,
  options: Sweep,
  rowDays: number,
): Promise<RetentionReport['rows']> {
  const counted = await deps.retention.deleteRows(rowDays, true);
  if (options.dryRun || Object.values(counted).every((count) => count === 0)) return counted;
  if (!mayGoOn(deps, options)) return {};
  await announce(deps, options, { kind: 'rows', olderThanDays: rowDays });
  return deps.retention.deleteRows(rowDays, false);
}

const reportOf = ({ charts, answers, orphans, rows }: Done): RetentionReport => ({
  charts: charts.count,
  answers: answers.count,
  orphans: orphans.count,
  bytes: charts.bytes + answers.bytes + orphans.bytes,
  rows,
});

/** In the audit before it goes: a process that is killed in the middle has said what it was about to delete. */
const announce = (
  { audit }: RetentionDeps,
  { actor }: RetentionOptions,
  facts: Readonly<Record<string, unknown>>,
): Promise<void> => audit.append({ actor, action: 'retention.begin', subject: 'retention', facts });

/** The beginnings of their hashes: a whole key in a row would name the object, and keep it. */
const shortNames = (objects: readonly { readonly key: string }[]): readonly string[] =>
  objects.map(({ key }) => (key.split('/').at(-1) ?? '').slice(0, 16));

async function record(
  deps: RetentionDeps,
  { actor, dryRun }: RetentionOptions,
  report: RetentionReport,
): Promise<void> {
  if (dryRun || total(report) === 0) return;
  await deps.audit.append({
    actor,
    action: 'retention.delete',
    subject: 'retention',
    facts: { ...report, rules: deps.retentionRules },
  });
}

const total = ({ charts, answers, orphans, rows }: RetentionReport): number =>
  charts + answers + orphans + Object.values(rows).reduce((sum, count) => sum + count, 0);

function* batches<T>(items: readonly T[], size: number): Generator<readonly T[]> {
  for (let at = 0; at < items.length; at += size) yield items.slice(at, at + size);
}

/** Marked first: a crash in between leaves an object that is asked for by nobody, and the next look deletes it. */
async function purge(deps: RetentionDeps, kind: PurgeKind, options: Sweep, done: Tally): Promise<void> {
  const { dryRun, limit, batch } = options;
  const { retention, retentionRules, objects } = deps;
  const expired = await retention.expired(kind, retentionRules, limit);
  if (dryRun) {
    for (const object of expired) add(done, object);
    return;
  }
  const told = options.progress?.(`${kind}s`);
  for (const some of batches(expired, batch)) {
    if (!mayGoOn(deps, options)) return;
    const keys = some.map(({ key }) => key);
    // A run that names one of them may have begun meanwhile.
    const still = await retention.expired(kind, retentionRules, keys.length, keys);
    if (still.length > 0) await announce(deps, options, { kind, objects: shortNames(still) });
    for (const object of still) {
      if (!mayGoOn(deps, options)) return;
      await retention.markPurged(kind, object, false);
      await objects.delete(object.key);
      await retention.markPurged(kind, object, true);
      add(done, object);
      told?.(done.count, expired.length);
    }
  }
}

/** As every object of Keel is named; whatever else lies there is not ours. */
const ours = /^[a-z][a-z0-9-]*\/[0-9a-f]{64}\.[a-z0-9]+$/;
/** More orphans than this, and than this share of all: most likely objects of another database lie here too. */
const suspicious = { count: 50, share: 0.1 };

async function sweepOrphans(deps: RetentionDeps, options: Sweep, done: Tally): Promise<void> {
  const { dryRun, limit, batch } = options;
  const latest = new Date(deps.clock.now() - deps.retentionRules.orphanHours * 3_600_000).toISOString();
  const all: StoredObject[] = [];
  for await (const object of deps.objects.list()) if (ours.test(object.key)) all.push(object);
  // Asked after the objects were listed: a row that was written meanwhile is seen.
  const named = await deps.retention.namedKeys();
  const orphans = all.filter(({ key, modifiedAt }) => modifiedAt < latest && !named.has(key));
  if (orphans.length > suspicious.count && orphans.length > all.length * suspicious.share) {
    throw new KeelError(
      'ORPHANS_TOO_MANY',
      `${orphans.length} of ${all.length} objects are named by no row, which looks like the objects of another database: nothing of them was deleted. Give each Keel a bucket of its own, or delete them by hand.`,
      { facts: { orphans: orphans.length, objects: all.length } },
    );
  }
  const taken = orphans.slice(0, limit);
  if (dryRun) {
    for (const object of taken) add(done, object);
    return;
  }
  const told = options.progress?.('orphans');
  for (const some of batches(taken, batch)) {
    if (!mayGoOn(deps, options)) return;
    await deleteUnnamed(deps, options, some, latest, done);
    told?.(done.count, taken.length);
  }
}

/** What was put again or is named since it was listed stays. */
async function deleteUnnamed(
  deps: RetentionDeps,
  options: Sweep,
  orphans: readonly StoredObject[],
  latest: string,
  done: Tally,
): Promise<void> {
  const { retention, objects } = deps;
  const named = await retention.namedKeys();
  const still = orphans.filter((each) => !named.has(each.key));
  if (still.length > 0) await announce(deps, options, { kind: 'orphan', objects: shortNames(still) });
  for (const { key } of still) {
    // An object is put before its row is written, so one that was put just now may have its row soon.
    const now = await objects.stat(key);
    if (now === null || now.modifiedAt >= latest) continue;
    if (!mayGoOn(deps, options)) return;
    await objects.delete(key);
    add(done, now);
  }
}

/** In one go of a look. Of its two hours the second is left for the statement that is under way when the first ends. */
const lookLimit = 2000;
const lookMs = 60 * 60_000;

/** The scheduled look. */
export async function lookAtRetention(deps: RetentionDeps): Promise<MonitorResult> {
  const report = await sweepOnce(deps, {
    actor: 'retention',
    dryRun: false,
    limit: lookLimit,
    batch: retentionBatch,
    until: deps.clock.now() + lookMs,
  });
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
