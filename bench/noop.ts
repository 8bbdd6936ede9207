// The yardstick: no-op workflows on the same server, with a worker process of the same limits. Called by the runner,
// before the strategy runs and after them, because what a CPU millisecond is worth changes on a busy machine.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';
import type { Usage } from './cpu.js';
import { measured } from './cpu.js';
import type { Servers } from './servers.js';

const taskQueue = 'keel-bench-noop';
const warmUps = 10;

const here = (file: string): string => fileURLToPath(new URL(file, import.meta.url));

/**
 * Runs `count` of them at once, after some that warm the worker up.
 * @param name begins the workflow ids; another one each time
 */
export async function benchNoop(servers: Servers, name: string, count: number): Promise<Usage> {
  const { client, temporal, folder } = servers;
  const { code } = await bundleWorkflowCode({
    workflowsPath: here('./noopWorkflow.js'),
    logger: new DefaultLogger('ERROR'),
  });
  const bundle = join(folder, 'noop.js');
  await writeFile(bundle, code);
  const args = [temporal.address, bundle, taskQueue];
  const env = { ...process.env, KEEL_ENV: 'testing' };
  const worker = await servers.startNode('worker', here('./noopWorker.js'), args, env);
  const batch = async (kind: string, size: number): Promise<void> => {
    const ids = Array.from({ length: size }, (_, index) => `${name}-${kind}-${String(index + 1)}`);
    await Promise.all(ids.map((workflowId) => client.workflow.execute('noop', { workflowId, taskQueue })));
  };
  try {
    await batch('warm-up', warmUps);
    const trees = { worker: worker.pid, temporal: temporal.pid };
    return (await measured(trees, () => batch('measured', count))).usage;
  } finally {
    await worker.stop();
  }
}
