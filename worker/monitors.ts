// Keeps the monitors' Temporal Schedules as the configuration wants them: made, changed or taken away when a worker
// starts, by however many workers. Called by main.ts and retention.ts.
import {
  ScheduleAlreadyRunning,
  ScheduleNotFoundError,
  ScheduleOverlapPolicy,
  type Client,
  type ScheduleOptions,
} from '@temporalio/client';
import { whenBusyAgain } from './whenBusyAgain.js';
import type { Config } from '../config/schema.js';
import { monitorNames, type LookName } from '../contracts/wire/monitor.js';
import { monitorScheduleId, taskQueue, workflowTypes, type Mode } from '../contracts/wire/names.js';

interface Wanted {
  readonly name: LookName;
  readonly mode: Mode;
  /** Null takes the schedule away. */
  readonly everyMs: number | null;
  readonly catchUpMs: number;
}

function scheduleOf({ name, mode, catchUpMs }: Wanted, everyMs: number) {
  return {
    scheduleId: monitorScheduleId(mode, name),
    spec: { intervals: [{ every: everyMs }] },
    policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: catchUpMs },
    action: {
      type: 'startWorkflow' as const,
      workflowType: workflowTypes.monitor,
      workflowId: monitorScheduleId(mode, name),
      taskQueue: taskQueue(mode),
      args: [{ name }],
      staticSummary: name === 'retention' ? 'deletes what is old' : `a look of the monitor ${name}`,
    },
    state: { note: 'made by the worker from the configuration' },
  } satisfies ScheduleOptions;
}
type MonitorSchedule = ReturnType<typeof scheduleOf>;

/** Two workers may do this at once: who comes second finds it done. */
export async function ensureSchedule(client: Client, wanted: Wanted): Promise<void> {
  const { everyMs } = wanted;
  if (everyMs === null) {
    await whenBusyAgain(() => remove(client, monitorScheduleId(wanted.mode, wanted.name)));
    return;
  }
  const options = scheduleOf(wanted, everyMs);
  await whenBusyAgain(async () => {
    if (!(await create(client, options))) await change(client, options);
  });
}

export async function ensureMonitors(
  client: Client,
  { mode, monitors }: Pick<Config, 'mode' | 'monitors'>,
): Promise<void> {
  const { state, everyMs, catchUpMs } = monitors;
  for (const name of monitorNames) {
    await ensureSchedule(client, { name, mode, catchUpMs, everyMs: state === 'off' ? null : everyMs[name] });
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
