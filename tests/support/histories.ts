// Histories of finished and open workflows as files: figures, scrubbing, and the recorder. Used by the tests of runs and
// of replay; tests/support/stack.ts records every workflow of a test when RECORD_HISTORIES is set.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Client } from '@temporalio/client';
import type { History } from '@temporalio/common/lib/proto-utils.js';
import { runWorkflowId, workflowTypes, type RunIdentity } from '../../contracts/wire/names.js';
import { historyFromJson, historyToJson } from './historyJson.js';

const folder = fileURLToPath(new URL('../../workflows/histories/', import.meta.url));

export interface RecordedHistory {
  /** Name of the file without `.json`: workflow type, then the run. */
  readonly name: string;
  readonly workflowType: string;
  /** As it stands in the file. */
  readonly text: string;
  readonly history: History;
}

/** All committed histories, by name. */
export const recordedHistories = (): readonly RecordedHistory[] =>
  readdirSync(folder)
    .filter((file) => file.endsWith('.json'))
    .sort()
    .map((file) => {
      const text = readFileSync(path.join(folder, file), 'utf8');
      const name = path.basename(file, '.json');
      return {
        name,
        workflowType: name.split('.')[0] ?? '',
        text,
        history: historyFromJson(JSON.parse(text)),
      };
    });

export interface Figures {
  readonly events: number;
  readonly largestPayloadBytes: number;
}

export const figuresOf = (history: History): Figures => ({
  events: history.events?.length ?? 0,
  largestPayloadBytes: Math.max(0, ...payloadSizes(history)),
});

/** A payload is whatever has metadata and data, wherever it stands. */
function payloadSizes(value: unknown): number[] {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return [];
  const { data, metadata } = value as { data?: unknown; metadata?: unknown };
  if (data instanceof Uint8Array && typeof metadata === 'object') return [data.length];
  return Object.values(value).flatMap(payloadSizes);
}

/** What names the machine and its folders, and no replay reads. */
const unneeded = new Set(['identity', 'stackTrace']);

/** Takes out who ran a task on which machine; everything a replay compares stays as the server gave it. */
function scrub(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(scrub);
  if (typeof value !== 'object' || value === null) return value;
  const { kind } = value as { kind?: unknown };
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => !unneeded.has(key))
      .map(([key, part]) => [
        key,
        kind === 'TASK_QUEUE_KIND_STICKY' && key === 'name' ? 'sticky' : scrub(part),
      ]),
  );
}

/** Long activities that go from worker to worker. */
const pollers: readonly string[] = [
  workflowTypes.brokerSession,
  workflowTypes.brokerState,
  workflowTypes.notifications,
];

/** The first argument of a workflow, or null. */
function inputOf(history: History): (RunIdentity & { runId: string }) | null {
  const started = history.events?.[0]?.workflowExecutionStartedEventAttributes;
  const data = started?.input?.payloads?.[0]?.data;
  return data ? (JSON.parse(Buffer.from(data).toString('utf8')) as RunIdentity & { runId: string }) : null;
}

/** Runs that the API started have a hash as id, which tells nobody anything. */
const labelOf = (input: RunIdentity | null, run: string): string =>
  /-20\d\d-/.test(run) || input === null ? run : `${input.strategyId}-${input.session}`;

/** Of a workflow that belongs to no run. */
function kindOf(type: string, input: RunIdentity | null): string {
  if (type === workflowTypes.brokerPrice && input !== null) return input.symbol;
  return input !== null && 'name' in input ? String(input.name) : 'changed-hands';
}

/**
 * Writes the histories of the runs of these strategies and of their orders, one file a workflow, and that of a poller
 * that has changed hands at least once.
 */
export async function recordHistories(client: Client, strategyIds: readonly string[]): Promise<void> {
  mkdirSync(folder, { recursive: true });
  for await (const { workflowId, runId, type } of client.workflow.list()) {
    const history = await client.workflow.getHandle(workflowId, runId).fetchHistory();
    const input = inputOf(history);
    // A second run of a slot was refused; its name belongs to the first.
    if (input !== null && type === workflowTypes.strategyRun && workflowId !== runWorkflowId(input)) continue;
    const run = input?.runId ?? null;
    const changedHands = history.events?.some((event) => event.activityTaskCompletedEventAttributes) ?? false;
    const wanted =
      run === null
        ? type === workflowTypes.monitor ||
          type === workflowTypes.brokerPrice ||
          (changedHands && pollers.includes(type))
        : strategyIds.some((id) => run.startsWith(`${id}-20`) || input?.strategyId === id);
    if (!wanted) continue;
    const kind = kindOf(type, input);
    const name = `${type}.${run === null ? kind : labelOf(input, run)}`;
    const text = JSON.stringify(scrub(historyToJson(history)));
    writeFileSync(path.join(folder, `${name}.json`), `${text}\n`);
  }
}
