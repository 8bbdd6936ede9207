// Reading executions. Called by broker.ts.
import { z } from 'zod';
import type { BrokerExecution } from '../../ports/broker.js';
import { KeelError } from '../../ports/errors.js';
import type { IbkrClient } from './client.js';
import { labelOf, parseShape } from './client.js';
import { clean } from './errors.js';
import { positiveId } from './orders.js';
import { tradeAccountSchema, tradeSchema } from './schemas.js';
import type { TradeRow } from './schemas.js';
import type { SessionMemory } from './session.js';

const tradesEndpoint = { method: 'GET', path: '/iserver/account/trades', gate: 'trades' } as const;

/** Executions of the last seven days. The first list of a session can be empty whatever there is: it is read twice. */
export async function readExecutions(
  client: IbkrClient,
  memory: SessionMemory,
  accountId: string,
): Promise<readonly BrokerExecution[]> {
  const read = () => client.call(tradesEndpoint, { query: { days: '7' } }, z.array(z.unknown()));
  const first = await read();
  const rows = first.length === 0 && !memory.tradesRead ? await read() : first;
  memory.tradesRead = true;
  return rows
    .filter((row) => !isElsewhere(accountId, row))
    .map((given) => {
      const row = parseShape(labelOf(tradesEndpoint), tradeSchema, given);
      return {
        executionId: row.execution_id,
        brokerOrderId: positiveId(row.order_id),
        clientOrderId: row.order_ref || null,
        conid: row.conid,
        symbol: row.symbol || row.contract_description_1 || `conid ${row.conid}`,
        side: row.side,
        quantity: row.size,
        price: row.price,
        // It may come later than the execution.
        commission: row.commission ?? '0',
        time: timeOf(row),
      };
    });
}

/** A fill counts only where neither name is another's: it moves what the account is said to hold. Another's need not be readable. */
function isElsewhere(accountId: string, given: unknown): boolean {
  const names = tradeAccountSchema.safeParse(given).data;
  return [names?.account, names?.accountCode].some((name) => Boolean(name) && name !== accountId);
}

/** @throws KeelError IBKR_BAD_SHAPE (final) where a fill tells no time: without one it belongs to no session. */
function timeOf({ trade_time_r: ms, trade_time: wire, execution_id: executionId }: TradeRow): string {
  const [, year, month, day, time] = /^(\d{4})(\d\d)(\d\d)-(\d\d:\d\d:\d\d)$/.exec(wire ?? '') ?? [];
  const at = ms ?? Date.parse(`${year ?? ''}-${month ?? ''}-${day ?? ''}T${time ?? ''}Z`);
  if (Number.isFinite(at)) return new Date(at).toISOString();
  throw new KeelError('IBKR_BAD_SHAPE', `IBKR says no time of the execution ${clean(executionId)}.`, {
    facts: { executionId: clean(executionId) },
  });
}
