// Keeps the retention's Temporal Schedule as the configuration wants it. Called by main.ts, beside the monitors.
import type { Client } from '@temporalio/client';
import { keepsAll } from '../activities/retention.js';
import type { Config } from '../config/schema.js';
import { ensureSchedule } from './monitors.js';

/** Without a rule there is no schedule: what is not told to go stays. */
export const ensureRetention = (
  client: Client,
  { mode, retention, monitors }: Pick<Config, 'mode' | 'retention' | 'monitors'>,
): Promise<void> =>
  ensureSchedule(client, {
    name: 'retention',
    mode,
    everyMs: keepsAll(retention) ? null : retention.everyMs,
    catchUpMs: monitors.catchUpMs,
  });
