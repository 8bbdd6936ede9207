// `keel retention`: deletes what is old now, or tells what would go. Called by cli/main.ts.
import { describeRetention, keepsAll, retentionBatch, sweepOnce } from '../../activities/retention.js';
import { createMachineClock } from '../../adapters/clocks/machine.js';
import { connect } from '../../db/connect.js';
import { createLocks } from '../../db/locks.js';
import { claimMode } from '../../db/mode.js';
import { createRetentionStore } from '../../db/retention.js';
import { createStores } from '../../db/stores.js';
import { parseArguments } from '../arguments.js';
import { dataDirOf, openPlace } from '../place.js';
import { noProgress, type ShowProgress } from '../progress.js';
import type { Say } from '../say.js';

export const retentionHelp = `Usage: keel retention [--dry-run] [--json] [--data-dir DIR]

Deletes what the settings let go: charts (KEEL_RETENTION_CHART_DAYS), prompts and answers of models
(KEEL_RETENTION_ANSWER_DAYS), rows of logins and notifications (KEEL_RETENTION_ROW_DAYS), and objects that no row names
(KEEL_RETENTION_ORPHAN_HOURS). A worker does it once a day. Runs, orders, bars, decisions and the audit always stay.

  --dry-run   deletes nothing, and tells what would go

Example:
  keel retention --dry-run`;

/** @returns 0 once it is done */
export async function retentionCommand(
  args: readonly string[],
  out: Say,
  env: NodeJS.ProcessEnv,
  progress: ShowProgress = noProgress,
  err: Say = out,
): Promise<number> {
  const { dataDir, dryRun, json } = readArguments(args, env);
  // What a start of the embedded PostgreSQL says is no part of the document.
  const place = await openPlace(dataDir, env, json ? err : out, 'read');
  const limits = { connectTimeoutMs: 10_000, statementTimeoutMs: 300_000, lockTimeoutMs: 5000 };
  const db = connect({ url: place.url, poolSize: 3, ...limits });
  try {
    await claimMode(db, place.mode);
    if (keepsAll(place.retention) && !json)
      out('Everything is kept: no KEEL_RETENTION_ variable says otherwise.');
    const deps = {
      retention: createRetentionStore(db),
      retentionRules: place.retention,
      objects: place.objects,
      locks: createLocks(db),
      audit: createStores(db, place.mode).audit,
      clock: createMachineClock(),
    };
    const report = await sweepOnce(deps, {
      actor: 'keel retention',
      dryRun,
      limit: 1_000_000,
      batch: retentionBatch,
      progress,
    });
    if (json) out(JSON.stringify({ dryRun, ...report }, null, 2));
    else out(`${dryRun ? 'Would delete' : 'Deleted'} ${describeRetention(report)}.`);
    return 0;
  } finally {
    await db.close();
    await place.close();
  }
}

function readArguments(args: readonly string[], env: NodeJS.ProcessEnv) {
  const { values } = parseArguments({
    args: [...args],
    options: { 'data-dir': { type: 'string' }, 'dry-run': { type: 'boolean' }, json: { type: 'boolean' } },
  });
  return {
    dataDir: dataDirOf(values['data-dir'], env),
    dryRun: values['dry-run'] ?? false,
    json: values.json ?? false,
  };
}
