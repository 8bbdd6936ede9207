// Reads and the insert of order intents, on the pool or on one connection. Called by intents.ts and admission.ts.
import { and, asc, desc, eq, sql } from 'drizzle-orm';
import type { NodePgDatabase } from 'drizzle-orm/node-postgres';
import type { Mode } from '../contracts/wire/names.js';
import { KeelError } from '../ports/errors.js';
import type { IntentRow, NewIntent } from '../ports/stores.js';
import { orderIntent } from './schemaOrders.js';
import { columnsBut, placeholders } from './statement.js';

/** Its first two lines are those of the index order_intent_stop_over. */
const stopIsOver = sql`side = 'BUY' and filled_quantity > 0
  and (legs @> '[{"role": "stop", "status": "CANCELLED"}]' or legs @> '[{"role": "stop", "status": "REJECTED"}]')
  and not legs @> '[{"status": "FILLED"}]'`;

/** A sell closes all of the symbol, and has the legs cancelled before. */
const noSellSince = sql`not exists (
  select from order_intent s
  where s.mode = order_intent.mode and s.account_id = order_intent.account_id and s.conid = order_intent.conid
    and s.side = 'SELL' and s.state = 'FILLED' and s.created_at > order_intent.created_at)`;

function prepare(orm: NodePgDatabase) {
  const columns = columnsBut(orderIntent, 'createdAt', 'isOpen');
  const ofAccount = and(
    eq(orderIntent.mode, sql.placeholder('mode')),
    eq(orderIntent.accountId, sql.placeholder('accountId')),
  );
  const select = () => orm.select(columns).from(orderIntent);
  return {
    byId: select()
      .where(eq(orderIntent.clientOrderId, sql.placeholder('clientOrderId')))
      .prepare('intent_get'),
    byRun: select()
      .where(eq(orderIntent.runId, sql.placeholder('runId')))
      .orderBy(desc(orderIntent.createdAt), asc(orderIntent.clientOrderId))
      .limit(1)
      .prepare('intent_by_run'),
    open: select()
      .where(and(ofAccount, eq(orderIntent.isOpen, sql`true`)))
      .orderBy(asc(orderIntent.createdAt), asc(orderIntent.clientOrderId))
      .prepare('intent_open'),
    unstopped: select()
      .where(
        and(
          ofAccount,
          sql`${orderIntent.conid} = any (${sql.placeholder('conids')}::text[])`,
          stopIsOver,
          noSellSince,
        ),
      )
      .orderBy(asc(orderIntent.createdAt), asc(orderIntent.clientOrderId))
      .prepare('intent_unstopped'),
    unproven: select()
      .where(
        and(
          ofAccount,
          eq(orderIntent.conid, sql.placeholder('conid')),
          eq(orderIntent.isOpen, sql`false`),
          sql`${orderIntent.legs} @> '[{"unproven": true}]'`,
          noSellSince,
        ),
      )
      .prepare('intent_unproven'),
    insert: orm
      .insert(orderIntent)
      .values({
        ...placeholders('clientOrderId', 'mode', 'accountId', 'runId', 'symbol', 'conid', 'side'),
        ...placeholders('quantity', 'limit', 'stop', 'target', 'reservedCash', 'validUntil'),
      })
      .onConflictDoNothing()
      .returning({ clientOrderId: orderIntent.clientOrderId })
      .prepare('intent_insert'),
  };
}

const sameTerms = (stored: IntentRow, given: NewIntent): boolean =>
  stored.runId === given.runId &&
  stored.accountId === given.accountId &&
  stored.conid === given.conid &&
  stored.side === given.side &&
  Number(stored.quantity) === Number(given.quantity) &&
  Number(stored.limit) === Number(given.limit);

export function createIntentQueries(orm: NodePgDatabase) {
  const query = prepare(orm);
  const get = async (clientOrderId: string): Promise<IntentRow | null> =>
    (await query.byId.execute({ clientOrderId }))[0] ?? null;
  return {
    get,
    byRun: async (runId: string): Promise<IntentRow | null> =>
      (await query.byRun.execute({ runId }))[0] ?? null,
    open: (mode: Mode, accountId: string): Promise<readonly IntentRow[]> =>
      query.open.execute({ mode, accountId }),
    unstopped: (mode: Mode, accountId: string, conids: readonly string[]): Promise<readonly IntentRow[]> =>
      query.unstopped.execute({ mode, accountId, conids: [...conids] }),
    unproven: (mode: Mode, accountId: string, conid: string): Promise<readonly IntentRow[]> =>
      query.unproven.execute({ mode, accountId, conid }),
    /** @throws KeelError INTENT_EXISTS (final) when the id stands for another order. */
    async insert(intent: NewIntent): Promise<void> {
      const inserted = await query.insert.execute({ ...intent });
      if (inserted.length > 0) return;
      const stored = await get(intent.clientOrderId);
      if (stored !== null && sameTerms(stored, intent)) return;
      throw new KeelError(
        'INTENT_EXISTS',
        `Client order id ${intent.clientOrderId} belongs to another order. An id is used once, for ever.`,
        { facts: { clientOrderId: intent.clientOrderId, runId: stored?.runId ?? null } },
      );
    },
  };
}
