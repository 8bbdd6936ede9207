// Reading executions. Called by broker.ts.
import { z } from 'zod';
import type { BrokerExecution, BrokerExecutions, UnreadableOrder } from '../../ports/broker.js';
import type { IbkrClient } from './client.js';
import { clean } from './errors.js';
import { positiveId } from './orders.js';
import { brokenTradeSchema, tradeSchema } from './schemas.js';
import type { TradeRow } from './schemas.js';
import type { SessionMemory } from './session.js';

const tradesEndpoint = { method: 'GET', path: '/iserver/account/trades', gate: 'trades' } as const;

/**
 * Executions of the last seven days. The first list of a session can be empty whatever there is: it is read twice. A row that
 * cannot be read is told of beside the others, as an order of which something is not known.
 */
export async function readExecutions(
  client: IbkrClient,
  memory: SessionMemory,
  accountId: string,
): Promise<BrokerExecutions> {
  const read = () => client.call(tradesEndpoint, { query: { days: '7' } }, z.array(z.unknown()));
  const first = await read();
  const rows = first.length === 0 && !memory.tradesRead ? await read() : first;
  memory.tradesRead = true;
  const readings = rows.filter((row) => !isElsewhere(accountId, row)).map(readRow);
  return {
    executions: lastOfEach(readings.flatMap((reading) => ('execution' in reading ? [reading] : []))),
    unreadable: readings.flatMap((reading) => ('unreadable' in reading ? [reading.unreadable] : [])),
  };
}

/** A fill counts only where neither name is another's: it moves what the account is said to hold. Another's need not be readable. */
function isElsewhere(accountId: string, given: unknown): boolean {
  const names = brokenTradeSchema.safeParse(given).data;
  return [names?.account, names?.accountCode].some((name) => Boolean(name) && name !== accountId);
}

interface Revision {
  readonly execution: BrokerExecution;
  /** 1 of what is told first; what corrects it counts on. */
  readonly number: number;
}

type RowReading = Revision | { readonly unreadable: UnreadableOrder };

function readRow(given: unknown): RowReading {
  const read = tradeSchema.safeParse(given);
  const time = read.success ? timeOf(read.data) : null;
  if (!read.success || time === null) {
    const [issue] = read.error?.issues ?? [];
    return { unreadable: unreadableOf(given, issue === undefined ? 'no time' : words(issue)) };
  }
  const row = read.data;
  const { executionId, number } = revisionOf(row.execution_id);
  return {
    number,
    execution: {
      executionId,
      brokerOrderId: positiveId(row.order_id),
      clientOrderId: row.order_ref || null,
      conid: row.conid,
      symbol: row.symbol || row.contract_description_1 || `conid ${row.conid}`,
      side: row.side,
      quantity: row.size,
      price: row.price,
      // It may come later than the execution.
      commission: row.commission ?? '0',
      time,
    },
  };
}

const words = ({ path, message }: z.core.$ZodIssue): string => `${path.map(String).join('.')}: ${message}`;

function unreadableOf(given: unknown, problem: string): UnreadableOrder {
  const row = brokenTradeSchema.safeParse(given).data;
  return {
    brokerOrderId: positiveId(row?.order_id),
    clientOrderId: row?.order_ref || null,
    conid: row?.conid ?? null,
    // That of a protective leg is not the entry's, and what is left of the order may still fill.
    side: null,
    status: null,
    problem: clean(`its execution ${row?.execution_id ?? 'of no id'}: ${problem}`),
  };
}

/**
 * IBKR corrects an execution by another one whose id differs behind the last dot alone: `….01.01`, `….01.02`. Both are named
 * by the first.
 */
function revisionOf(given: string): { executionId: string; number: number } {
  const [, execution, revision] = /^([^.]+\.[^.]+\.[^.]+)\.(\d{1,6})$/.exec(given) ?? [];
  if (execution === undefined || revision === undefined) return { executionId: given, number: 1 };
  return { executionId: `${execution}.${'1'.padStart(revision.length, '0')}`, number: Number(revision) };
}

/** The list may hold an execution twice, beside what corrects it, and in any order. */
function lastOfEach(revisions: readonly Revision[]): BrokerExecution[] {
  const last = new Map<string, Revision>();
  for (const revision of revisions) {
    const { executionId } = revision.execution;
    if (revision.number >= (last.get(executionId)?.number ?? 0)) last.set(executionId, revision);
  }
  // One that was taken back filled nothing.
  return [...last.values()].map(({ execution }) => execution).filter(({ quantity }) => quantity !== '0');
}

/** Null where a fill tells no time: without one it belongs to no session. */
function timeOf({ trade_time_r: ms, trade_time: wire }: TradeRow): string | null {
  const [, year, month, day, time] = /^(\d{4})(\d\d)(\d\d)-(\d\d:\d\d:\d\d)$/.exec(wire ?? '') ?? [];
  const at = ms ?? Date.parse(`${year ?? ''}-${month ?? ''}-${day ?? ''}T${time ?? ''}Z`);
  return Number.isFinite(at) ? new Date(at).toISOString() : null;
}
