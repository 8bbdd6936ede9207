// Order intents: stored before the wire, moved by compare-and-set, each change with its audit row in the same
// statement. Called by the activities of the order lifecycle and by brokerState. Triggers refuse illegal changes.
import type { Mode } from '../contracts/wire/names.js';
import { KeelError } from '../ports/errors.js';
import type { IntentStore } from '../ports/stores.js';
import { createAccountLock } from './admission.js';
import type { Database } from './connect.js';
import { createIntentQueries } from './intentQueries.js';
import { sameMode, statement } from './statement.js';

const moveIntent = statement(
  'intent_move',
  `with before as (
     select client_order_id, state from order_intent where client_order_id = $1 for update
   ), moved as (
     update order_intent i
     set state = $3, broker_order_id = coalesce($4, i.broker_order_id), reason = coalesce($5, i.reason),
       updated_at = now()
     from before where i.client_order_id = before.client_order_id and before.state = any ($2::text[])
       and not ($3 = 'SENT' and i.side = 'BUY' and exists (select from run_cancel c where c.run_id = i.run_id))
     returning i.client_order_id, i.mode, before.state as was
   )
   insert into audit (mode, actor, action, subject, facts)
   select mode, $6, 'intent.move', client_order_id, jsonb_strip_nulls(jsonb_build_object(
     'from', was, 'to', $3::text, 'brokerOrderId', $4::text, 'reason', $5::text))
   from moved returning id`,
);

/** An answer that found nothing tells nothing of fills and legs, so it keeps them; fills never shrink. */
const applyFound = statement<{ known: boolean }>(
  'intent_apply',
  `with before as (
     select client_order_id, state, mode from order_intent where client_order_id = $1 for update
   ), moved as (
     update order_intent i
     set state = $2, broker_order_id = coalesce($3, i.broker_order_id),
       filled_quantity = greatest(i.filled_quantity, $4::numeric),
       average_price = coalesce($5::numeric, i.average_price),
       legs = coalesce($6::jsonb, i.legs), reason = coalesce($7, i.reason), updated_at = now()
     from before where i.client_order_id = before.client_order_id and (
       i.state <> $2 or i.filled_quantity < $4::numeric
       or i.broker_order_id is distinct from coalesce($3, i.broker_order_id)
       or i.average_price is distinct from coalesce($5::numeric, i.average_price)
       or i.legs <> coalesce($6::jsonb, i.legs) or i.reason is distinct from coalesce($7, i.reason))
     returning i.client_order_id
   ), noted as (
     insert into audit (mode, actor, action, subject, facts)
     select before.mode, 'brokerState', 'intent.move', client_order_id, jsonb_strip_nulls(jsonb_build_object(
       'from', before.state, 'to', $2::text, 'filledQuantity', $4::text, 'brokerOrderId', $3::text,
       'reason', $7::text))
     from moved join before using (client_order_id) where before.state <> $2
   )
   select exists (select from before) as known`,
);

/** The first request stands. */
const askCancel = statement(
  'run_cancel_ask',
  'insert into run_cancel (run_id, mode, actor) values ($1, $2, $3) on conflict do nothing',
);

const cancelAsked = statement<{ asked: boolean }>(
  'run_cancel_asked',
  'select exists (select from run_cancel where run_id = $1) as asked',
);

export function createIntentStore(db: Database, mode: Mode): IntentStore {
  const query = createIntentQueries(db.orm);
  const withAccountLock = createAccountLock(db);
  return {
    withAccountLock: async (given, accountId, work) => {
      sameMode(mode, given);
      return withAccountLock(given, accountId, work);
    },
    get: (clientOrderId) => db.guard(() => query.get(clientOrderId)),
    byRun: (runId) => db.guard(() => query.byRun(runId)),
    listOpen: (given, accountId) =>
      db.guard(async () => {
        sameMode(mode, given);
        return query.open(given, accountId);
      }),
    listUnstopped: (given, accountId, conids) =>
      db.guard(async () => {
        sameMode(mode, given);
        return query.unstopped(given, accountId, conids);
      }),
    listUnproven: (given, accountId, conid) =>
      db.guard(async () => {
        sameMode(mode, given);
        return query.unproven(given, accountId, conid);
      }),
    move: (clientOrderId, from, to, { brokerOrderId, reason, actor }) =>
      db.guard(async () => {
        const values = [clientOrderId, [...from], to, brokerOrderId ?? null, reason ?? null, actor];
        return (await moveIntent(db.pool, values)).length === 1;
      }),
    askCancel: (runId, actor) =>
      db.guard(async () => {
        await askCancel(db.pool, [runId, mode, actor]);
      }),
    cancelAsked: (runId) => db.guard(async () => (await cancelAsked(db.pool, [runId]))[0]?.asked === true),
    applyState: (clientOrderId, state, next) =>
      db.guard(async () => {
        const found = state.found
          ? [state.brokerOrderId, state.filledQuantity, state.averagePrice, JSON.stringify(state.legs)]
          : [null, '0', null, null];
        const [answer] = await applyFound(db.pool, [clientOrderId, next, ...found, state.reason]);
        if (answer?.known === true) return;
        throw new KeelError('INTENT_MISSING', `There is no order intent ${clientOrderId}.`, {
          facts: { clientOrderId },
        });
      }),
  };
}
