// Monitors as they cross processes: their names, and what one look of a monitor found.

export const monitorNames = ['prices', 'portfolioSync', 'reconciliation', 'kpis', 'health'] as const;
export type MonitorName = (typeof monitorNames)[number];
/** And the look that deletes what is old, which nobody misses when it is switched off. */
export type LookName = MonitorName | 'retention';

export interface MonitorInput {
  readonly name: LookName;
}

/** So many looks may be missed before a monitor is late: a worker that restarts misses one or two. */
export const missedLooks = 3;

/** ok · warning: a person should look · failed: it could not look. */
export type MonitorStatus = 'ok' | 'warning' | 'failed';

export interface MonitorResult {
  readonly status: MonitorStatus;
  /** One sentence for people. */
  readonly message: string;
  readonly facts: Readonly<Record<string, string | number | boolean | null | readonly string[]>>;
}
