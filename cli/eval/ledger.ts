// The calls of an evaluation in a folder of its own: budget, answers found again by content, and what each cost. A file
// of lines, so that a killed evaluation goes on where it was. Called by model.ts.
import { createHash, randomUUID } from 'node:crypto';
import { appendFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { spentOn } from '../../domain/decision/cost.js';
import type { CallRow, ConversationStore, NewCall } from '../../ports/conversations.js';
import { KeelError } from '../../ports/errors.js';

export type EvalConversations = Pick<
  ConversationStore,
  'reserve' | 'settle' | 'answered' | 'reuse' | 'byRun'
>;

export interface Spent {
  readonly calls: number;
  readonly usd: string;
}

export interface Ledger {
  readonly conversations: EvalConversations;
  /** Of the calls that were asked or answered from the folder since `mark`, whose run id matches. */
  readonly spentBy: (matches: (runId: string) => boolean) => Spent;
}

/** Whom a call belongs to: `SERIES/DATE/plain/0`. The last part tells repeated questions apart. */
export const evalRunId = (series: string, date: string, chart: 'plain' | 'mirrored', turn: number): string =>
  [series, date, chart, turn].join('/');
const repeatOf = (runId: string): string => runId.split('/').at(-1) ?? '';

/**
 * @param recordedOnly no call may be made: a question without a recorded answer fails
 * @throws Error when the file can not be read
 */
export function openLedger(folder: string, recordedOnly: boolean): Ledger {
  const file = path.join(folder, 'calls.jsonl');
  const rows = readRows(file);
  const used = new Map<string, CallRow>();
  const write = (row: CallRow): void => {
    rows.set(row.id, row);
    mkdirSync(folder, { recursive: true });
    appendFileSync(file, `${JSON.stringify(row)}\n`);
  };
  const conversations: EvalConversations = {
    answered: (contentKey, runId) => {
      const found = [...rows.values()].find(
        (row) =>
          row.contentKey === contentKey &&
          row.state === 'answered' &&
          repeatOf(row.runId) === repeatOf(runId),
      );
      if (found !== undefined) used.set(`${runId} ${contentKey}`, { ...found, runId });
      // Under the asker's own id, so that nothing is written again: the folder is the evaluation's alone.
      return Promise.resolve(found === undefined ? null : { ...found, runId });
    },
    reserve: (call, caps) => {
      if (recordedOnly) return Promise.reject(notRecorded(call));
      const spent = spentOn([...rows.values()]);
      if (spent.plus(call.reservedUsd).gt(caps.run)) {
        const refused = { limitUsd: caps.run, spentUsd: spent.toFixed() };
        return Promise.resolve({ kind: 'refused', cap: 'run', ...refused });
      }
      const row = reservedRow(call);
      write(row);
      return Promise.resolve({ kind: 'reserved', id: row.id });
    },
    settle: (id, result) => {
      const row = rows.get(id);
      if (row === undefined) return Promise.reject(new Error(`no call ${id} is reserved`));
      const settled = { ...row, ...result };
      write(settled);
      used.set(`${row.runId} ${row.contentKey}`, settled);
      return Promise.resolve();
    },
    reuse: () => Promise.resolve(),
    byRun: (runId) => Promise.resolve([...rows.values()].filter((row) => row.runId === runId)),
  };
  return {
    conversations,
    spentBy: (matches) => {
      const own = [...used.values()].filter(({ runId }) => matches(runId));
      return { calls: own.length, usd: spentOn(own).toFixed() };
    },
  };
}

const notRecorded = ({ purpose, contentKey }: NewCall): KeelError =>
  new KeelError(
    'ANSWER_NOT_RECORDED',
    `no answer to the ${purpose} question is recorded: bars, prompts or settings are others, or leave --recorded out`,
    { facts: { purpose, contentKey } },
  );

/** The last line of a call counts. */
function readRows(file: string): Map<string, CallRow> {
  if (!existsSync(file)) return new Map();
  const lines = readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '');
  const rows = lines.map((line) => JSON.parse(line) as CallRow);
  return new Map(rows.map((row) => [row.id, row]));
}

const nothingYet = {
  outcome: null,
  code: null,
  down: null,
  message: null,
  modelAnswered: null,
  fingerprint: null,
  responseId: null,
  requestId: null,
  finishReason: null,
  inputTokens: null,
  cachedTokens: null,
  outputTokens: null,
  costUsd: null,
  answer: null,
  ms: null,
  cachedFrom: null,
  startedAt: '',
  endedAt: null,
};

const reservedRow = (call: NewCall): CallRow => ({
  ...call,
  ...nothingYet,
  id: randomUUID(),
  state: 'reserved',
});

export const sha256 = (bytes: Uint8Array | string): string =>
  createHash('sha256').update(bytes).digest('hex');
