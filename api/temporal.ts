// Starts, cancels and asks runs through the Temporal client: the API's RunWorkflows. Made by api/main.ts.
import type { Client, WorkflowExecutionDescription } from '@temporalio/client';
import {
  ServiceError,
  WorkflowExecutionAlreadyStartedError,
  WorkflowNotFoundError,
  isGrpcServiceError,
} from '@temporalio/client';
import { SearchAttributeType, defineSearchAttributeKey } from '@temporalio/common';
import type { RunIdentity } from '../contracts/wire/names.js';
import { queryNames, runWorkflowId, taskQueue, workflowTypes } from '../contracts/wire/names.js';
import type { RunProgress, StrategyRunInput } from '../contracts/wire/run.js';
import type { Clock } from '../ports/clocks.js';
import { KeelError } from '../ports/errors.js';
import type { RunWorkflowsPort } from '../ports/monitors.js';
import type { RunExecution, RunWorkflows } from './services/runWorkflows.js';

export interface TemporalDeps {
  readonly client: Client;
  readonly clock: Clock;
  /** Milliseconds that one call may take, its connection included. */
  readonly callTimeoutMs: number;
  /** Milliseconds that a worker has to answer a query. */
  readonly queryTimeoutMs: number;
}

const keyword = (name: string) => defineSearchAttributeKey(name, SearchAttributeType.KEYWORD);

const attributesOf = (run: RunIdentity) => [
  { key: keyword('KeelStrategy'), value: run.strategyId },
  { key: keyword('KeelSymbol'), value: run.symbol },
  { key: keyword('KeelMode'), value: run.mode },
  { key: keyword('KeelStatus'), value: 'running' },
];

/** What failed, in words for people; texts of the server stay in the cause. */
function temporalError(error: unknown, what: string): unknown {
  if (!(error instanceof ServiceError) && !isGrpcServiceError(error)) return error;
  const grpc = error instanceof ServiceError ? error.cause : error;
  const details = isGrpcServiceError(grpc) ? grpc.details : '';
  if (/search attribute/i.test(details)) {
    const message = `Temporal refused to ${what}: Keel's search attributes are not registered; start the worker, which registers them.`;
    return new KeelError('TEMPORAL_NOT_READY', message, { errorClass: 'retryable', cause: error });
  }
  if (/namespace/i.test(details) && /not found/i.test(details)) {
    const message = `Temporal refused to ${what}: the configured namespace does not exist; create it or correct temporal.namespace.`;
    return new KeelError('TEMPORAL_NOT_READY', message, { errorClass: 'retryable', cause: error });
  }
  const message =
    `Temporal could not be asked to ${what}; see that it runs at the configured address. ` +
    'Asking again is safe: a run that was started is found.';
  return new KeelError('TEMPORAL_AWAY', message, { errorClass: 'retryable', cause: error });
}

function executionOf(described: WorkflowExecutionDescription): RunExecution {
  const names: Readonly<Record<string, RunExecution['status']>> = {
    RUNNING: 'open',
    PAUSED: 'open',
    CONTINUED_AS_NEW: 'open',
    COMPLETED: 'closed',
    CANCELLED: 'cancelled',
    TERMINATED: 'cancelled',
    FAILED: 'failed',
    TIMED_OUT: 'failed',
  };
  const { runId, reason } = described.memo ?? {};
  return {
    // A word of a newer server ends nothing.
    status: names[described.status.name] ?? 'open',
    runId: typeof runId === 'string' ? runId : null,
    startedAt: described.startTime.toISOString(),
    endedAt: described.closeTime?.toISOString() ?? null,
    reason: typeof reason === 'string' ? reason : null,
  };
}

export function createRunWorkflows(deps: TemporalDeps): RunWorkflows & RunWorkflowsPort {
  const { client } = deps;
  const within = async <T>(ms: number, what: string, call: () => Promise<T>): Promise<T> => {
    try {
      return await client.connection.withDeadline(deps.clock.now() + ms, call);
    } catch (error) {
      throw temporalError(error, what);
    }
  };

  return {
    start: (input, reason) =>
      within(deps.callTimeoutMs, 'start a run', async () => {
        try {
          await client.workflow.start(workflowTypes.strategyRun, startOptions(input, reason));
          return 'started';
        } catch (error) {
          if (error instanceof WorkflowExecutionAlreadyStartedError) return 'existing';
          throw error;
        }
      }),
    cancel: (workflowId) =>
      within(deps.callTimeoutMs, 'cancel a run', async () => {
        try {
          await client.workflow.getHandle(workflowId).cancel();
          return 'requested';
        } catch (error) {
          if (error instanceof WorkflowNotFoundError) return 'not-open';
          throw error;
        }
      }),
    progress: async (workflowId) => {
      try {
        return await within(deps.queryTimeoutMs, 'ask a run', () =>
          client.workflow.getHandle(workflowId).query<RunProgress>(queryNames.progress),
        );
      } catch {
        // Whatever the cause, the database is asked next, and the caller of that hears of errors.
        return null;
      }
    },
    listOpen: () =>
      within(deps.callTimeoutMs, 'list the open runs', async () => {
        const query = `WorkflowType = '${workflowTypes.strategyRun}' AND ExecutionStatus = 'Running'`;
        const ids = new Set<string>();
        for await (const { workflowId } of client.workflow.list({ query, pageSize: 1000 }))
          ids.add(workflowId);
        return ids;
      }),
    describe: (workflowId) =>
      within(deps.callTimeoutMs, 'describe a run', async () => {
        try {
          return executionOf(await client.workflow.getHandle(workflowId).describe());
        } catch (error) {
          if (error instanceof WorkflowNotFoundError) return null;
          throw error;
        }
      }),
  };
}

function startOptions(input: StrategyRunInput, reason: string | null) {
  const summary = `${input.symbol} · ${input.strategyId} · ${input.session} ${input.slot}`;
  return {
    workflowId: runWorkflowId(input),
    taskQueue: taskQueue(input.mode),
    args: [input],
    // Both together: one id is used once, whether its run is open or ended.
    workflowIdReusePolicy: 'REJECT_DUPLICATE' as const,
    workflowIdConflictPolicy: 'FAIL' as const,
    memo: { runId: input.runId, ...(reason !== null && { reason }) },
    staticSummary: summary,
    typedSearchAttributes: attributesOf(input),
  };
}
