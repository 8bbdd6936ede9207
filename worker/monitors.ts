// Keeps the monitors' Temporal Schedules as the configuration wants them: made, changed or taken away when a worker
// starts, by however many workers. Called by main.ts.
import {
  ScheduleAlreadyRunning,
  ScheduleNotFoundError,
  ScheduleOverlapPolicy,
  type Client,
  type ScheduleOptions,
} from '@temporalio/client';
import type { Config } from '../config/schema.js';
import { monitorNames, type MonitorName } from '../contracts/wire/monitor.js';
import { monitorScheduleId, taskQueue, workflowTypes } from '../contracts/wire/names.js';

type Settings = Pick<Config, 'mode' | 'monitors'>;

function scheduleOf(name: MonitorName, { mode, monitors }: Settings) {
  return {
    scheduleId: monitorScheduleId(mode, name),
    spec: { intervals: [{ every: monitors.everyMs[name] }] },
    policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: monitors.catchUpMs },
    action: {
      type: 'startWorkflow' as const,
      workflowType: workflowTypes.monitor,
      workflowId: monitorScheduleId(mode, name),
      taskQueue: taskQueue(mode),
      args: [{ name }],
      staticSummary: `a look of the monitor ${name}`,
    },
    state: { note: 'made by the worker from monitors.* of the configuration' },
  } satisfies ScheduleOptions;
}
type MonitorSchedule = ReturnType<typeof scheduleOf>;

/** Two workers may do this at once: who comes second finds it done. */
export async function ensureMonitors(client: Client, config: Settings): Promise<void> {
  for (const name of monitorNames) {
    const options = scheduleOf(name, config);
    if (config.monitors.state === 'off') await remove(client, options.scheduleId);
    else if (!(await create(client, options))) await change(client, options);
  }
}

async function create(client: Client, options: MonitorSchedule): Promise<boolean> {
  try {
    await client.schedule.create(options);
    return true;
  } catch (error) {
    if (error instanceof ScheduleAlreadyRunning) return false;
    throw error;
  }
}

/** A schedule that a person has paused stays paused. */
async function change(client: Client, wanted: MonitorSchedule): Promise<void> {
  const { scheduleId, spec, policies, action } = wanted;
  const handle = client.schedule.getHandle(scheduleId);
  const known = await handle.describe();
  const every = (known.spec.intervals ?? []).map((interval) => interval.every);
  const same =
    every.length === 1 &&
    every[0] === spec.intervals[0]?.every &&
    known.policies.catchupWindow === policies.catchupWindow &&
    known.policies.overlap === policies.overlap &&
    known.action.taskQueue === action.taskQueue &&
    known.action.workflowType === action.workflowType;
  if (same) return;
  await handle.update(({ state }) => ({ spec, policies, action, state }));
}

async function remove(client: Client, scheduleId: string): Promise<void> {
  try {
    await client.schedule.getHandle(scheduleId).delete();
  } catch (error) {
    if (!(error instanceof ScheduleNotFoundError)) throw error;
  }
}
