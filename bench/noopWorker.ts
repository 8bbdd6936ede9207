// The worker of the no-op workflows: a process with the SDK's worker and nothing of Keel's. Its limits are those of
// Keel's own worker. Started by noop.ts: noopWorker.js <address> <bundle> <task queue>.
import { NativeConnection, Runtime, Worker } from '@temporalio/worker';
import pino from 'pino';
import { createLog } from '../adapters/telemetry/log.js';
import { loadConfig } from '../config/load.js';
import { temporalLogger } from '../worker/log.js';

async function main([address = '', codePath = '', taskQueue = '']: readonly string[]): Promise<void> {
  const { worker: limits } = loadConfig(undefined, { need: ['worker'] });
  Runtime.install({
    logger: temporalLogger(createLog('warn', pino.destination(2)), 'warn'),
    shutdownSignals: [],
  });
  const connection = await NativeConnection.connect({ address });
  const worker = await Worker.create({
    connection,
    taskQueue,
    workflowBundle: { codePath },
    activities: { nothing: () => Promise.resolve() },
    maxCachedWorkflows: limits.maxCachedWorkflows,
    maxConcurrentActivityTaskExecutions: limits.maxConcurrentActivities,
    shutdownGraceTime: limits.shutdownGraceMs,
    stickyQueueScheduleToStartTimeout: '3 seconds',
  });
  process.on('SIGTERM', () => {
    worker.shutdown();
  });
  process.stdout.write(`${JSON.stringify({ ready: true })}\n`);
  await worker.run();
  await connection.close();
}

await main(process.argv.slice(2));
