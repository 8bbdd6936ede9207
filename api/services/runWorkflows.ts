// What the API needs of Temporal, in words of our own; api/temporal.ts implements it with the Temporal client.
// Every call may throw KeelError TEMPORAL_AWAY (retryable).
import type { RunProgress, StrategyRunInput } from '../../contracts/wire/run.js';
import type { RunExecutionStatus } from '../../ports/monitors.js';

export interface RunExecution {
  readonly status: RunExecutionStatus;
  /** Of its memo; null where it has none. */
  readonly runId: string | null;
  /** ISO 8601 UTC, wall clock. */
  readonly startedAt: string;
  readonly endedAt: string | null;
  /** Why somebody wanted another run of the session; null for an ordinary one. */
  readonly reason: string | null;
}

export interface RunWorkflows {
  /** Starts the run, or finds that its workflow id was used already, ever. */
  start(input: StrategyRunInput, reason: string | null): Promise<'started' | 'existing'>;
  /** Asks a run to stop; not-open when it has ended or never was. */
  cancel(workflowId: string): Promise<'requested' | 'not-open'>;
  /** The run's own progress; null when nobody answers: no worker, or a workflow that is gone. Never throws. */
  progress(workflowId: string): Promise<RunProgress | null>;
  describe(workflowId: string): Promise<RunExecution | null>;
}
