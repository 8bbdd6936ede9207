// The worker: composition root and process. Runs workflows and activities of one mode until SIGTERM.
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Client, Connection, ServiceError } from '@temporalio/client';
import { NativeConnection, Runtime, Worker, type WorkerOptions } from '@temporalio/worker';
import { createMachineClock } from '../adapters/clocks/machine.js';
import { temporalConnection } from '../adapters/temporal/connection.js';
import { createActivities } from '../activities/activities.js';
import { endLostRuns } from '../activities/lostRuns.js';
import { loadConfig } from '../config/load.js';
import {
  brokerSessionWorkflowId,
  brokerStateWorkflowId,
  notificationsWorkflowId,
  taskQueue,
  workflowTypes,
} from '../contracts/wire/names.js';
import { createRedact } from '../domain/redaction/redact.js';
import { faultInterceptor, parseFault, withFault, type Fault } from './faults.js';
import { createActivityInterceptors } from './interceptors.js';
import { ensureMonitors } from './monitors.js';
import { observe } from './observe.js';
import type { WorkerConfig } from './ports.js';
import { createWorkerPorts, loginOf } from './ports.js';
import { ensureRetention } from './retention.js';
import { ensureSearchAttributes } from './searchAttributes.js';
import { keelVersion } from '../config/version.js';
import { counting } from './watchActivities.js';

/** The bundle that the build made, else the compiled workflows themselves. */
function workflowSource(): Pick<WorkerOptions, 'workflowBundle' | 'workflowsPath'> {
  const bundle = fileURLToPath(new URL('../workflows/bundle.js', import.meta.url));
  return existsSync(bundle) ? { workflowBundle: { codePath: bundle } } : compiledWorkflows();
}

/** Bundled at the start: with tracing on, the bundle holds its interceptors too. */
const compiledWorkflows = (): Pick<WorkerOptions, 'workflowsPath'> => ({
  workflowsPath: fileURLToPath(new URL('../workflows/index.js', import.meta.url)),
});

async function main(): Promise<void> {
  // It never signs a token, so it is not given what could.
  const config = loadConfig(undefined, { without: ['auth'], files: ['broker', 'temporal'] });
  const fault = faultOf(config);
  const watch = await observe(config, keelVersion());
  Runtime.install({ ...watch.runtime, shutdownSignals: [] });
  const { address, namespace, connectTimeoutMs } = config.temporal;
  const reach = temporalConnection(address, config.temporal);
  const connection = await NativeConnection.connect({ ...reach });
  await ensureSearchAttributes(connection, namespace);
  const clientConnection = await Connection.connect({ ...reach, connectTimeout: connectTimeoutMs });
  const client = new Client({ connection: clientConnection, namespace, ...watch.clientOptions });
  const stop = new AbortController();
  const { deps, pool, close } = await createWorkerPorts(config, client, () => stop.signal.aborted);
  // Before it takes work: after a restore such a run could be started anew, and send its order again.
  await endLostRuns(deps);
  const { metrics, watch: watchActivities } = await watch.serve(pool);
  const clock = createMachineClock();
  const counted = counting(deps, metrics, clock);
  const { worker: limits } = config;
  const worker = await Worker.create({
    connection,
    namespace,
    taskQueue: taskQueue(config.mode),
    ...(watch.tracing === null ? workflowSource() : compiledWorkflows()),
    ...watch.sinks,
    activities: createActivities(fault === null ? counted : withFault(counted, fault)),
    interceptors: {
      ...watch.workflowInterceptors,
      activity: [
        ...watch.spans,
        createActivityInterceptors(limits.payloadCapBytes, clock),
        // Inside the one that turns errors into failures, so that it sees them as they were thrown.
        watchActivities,
        ...(fault === null ? [] : [() => ({ inbound: faultInterceptor(fault) })]),
      ],
    },
    maxCachedWorkflows: limits.maxCachedWorkflows,
    maxConcurrentActivityTaskExecutions: limits.maxConcurrentActivities,
    shutdownGraceTime: limits.shutdownGraceMs,
    stickyQueueScheduleToStartTimeout: '3 seconds',
  });
  await startBrokerSession(client, config);
  await startBrokerState(client, config);
  await startNotifications(client, config);
  await ensureMonitors(client, config);
  await ensureRetention(client, config);
  stopOnSignals(worker, stop);
  process.stdout.write(`${JSON.stringify({ ready: true, taskQueue: taskQueue(config.mode) })}\n`);
  await worker.run();
  await close();
  await watch.close();
  await clientConnection.close();
  await connection.close();
}

/** The one owner of the login; another worker may have started it. */
async function startBrokerSession(client: Client, config: WorkerConfig): Promise<void> {
  const login = loginOf(config.broker);
  await client.workflow.start(workflowTypes.brokerSession, {
    taskQueue: taskQueue(config.mode),
    workflowId: brokerSessionWorkflowId(config.mode, login),
    workflowIdConflictPolicy: 'USE_EXISTING',
    staticSummary: `the one owner of the login of ${login}`,
  });
}

/** The one poller of the account; another worker may have started it. */
async function startBrokerState(client: Client, config: WorkerConfig): Promise<void> {
  await client.workflow.start(workflowTypes.brokerState, {
    taskQueue: taskQueue(config.mode),
    workflowId: brokerStateWorkflowId(config.mode, config.broker.accountId),
    workflowIdConflictPolicy: 'USE_EXISTING',
    staticSummary: `the one poller of ${config.broker.accountId}`,
  });
}

/** The one sender of what people are told. */
async function startNotifications(client: Client, { mode }: WorkerConfig): Promise<void> {
  await client.workflow.start(workflowTypes.notifications, {
    taskQueue: taskQueue(mode),
    workflowId: notificationsWorkflowId(mode),
    workflowIdConflictPolicy: 'USE_EXISTING',
    staticSummary: 'the one sender of notifications',
  });
}

function stopOnSignals(worker: Worker, controller: AbortController): void {
  const stop = () => {
    controller.abort();
    if (worker.getState() === 'RUNNING') worker.shutdown();
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
}

function faultOf(config: WorkerConfig): Fault | null {
  const { values } = parseArgs({ options: { fault: { type: 'string' } } });
  if (values.fault === undefined) return null;
  if (config.mode !== 'simulated') throw new Error('--fault is for simulated mode only');
  return parseFault(values.fault);
}

/** Temporal's client says in the error what was asked, and in its cause why it failed. */
const causes = (error: unknown): string => {
  if (error instanceof ServiceError && error.cause instanceof Error)
    return `${error.message}: ${error.cause.message}`;
  return error instanceof Error ? error.message : String(error);
};

main().catch((error: unknown) => {
  process.stderr.write(`worker: ${createRedact()(causes(error))}\n`);
  process.exitCode = 1;
  setTimeout(() => process.exit(1), 1000).unref();
});
