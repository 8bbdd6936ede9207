// What the socket's topics tell: whole rows first, then of each row only the fields that changed. Called by connection.ts.
import type { Portal } from '../clientPortal/portal.js';
import { isHidden } from '../clientPortal/portal.js';
import { isListed, statusIn } from '../clientPortal/liveOrders.js';
import { orderRow, tradeRow } from '../clientPortal/orderRows.js';
import { historyOf, liveFields } from '../clientPortal/marketData.js';
import { profitsOf } from '../clientPortal/accounts.js';

export type Row = Readonly<Record<string, unknown>>;

export interface Topic {
  /** The frames that are due: everything at first, then what changed; none where nothing did. */
  due(): readonly Row[];
}

const DAY_MS = 86_400_000;
/** As far back as the broker's list of trades goes. */
const MOST_DAYS = 7;

/** The fields of `after` that are not the same in `before`. */
const changes = (before: Row, after: Row): readonly (readonly [string, unknown])[] =>
  Object.entries(after).filter(([key, value]) => JSON.stringify(before[key]) !== JSON.stringify(value));

/** Of each row that is new all fields; of others the ids and what changed. */
function deltas(
  seen: Map<string, Row>,
  rows: readonly Row[],
  id: string,
  ids: readonly string[],
): readonly Row[] {
  const listed = new Set(rows.map((row) => String(row[id])));
  // A row that is listed no more comes whole if it ever comes again.
  for (const key of seen.keys()) if (!listed.has(key)) seen.delete(key);
  return rows.flatMap((row) => {
    const key = String(row[id]);
    const before = seen.get(key);
    seen.set(key, row);
    if (before === undefined) return [row];
    const changed = changes(before, row);
    if (changed.length === 0) return [];
    return [{ ...Object.fromEntries(ids.map((name) => [name, row[name]])), ...Object.fromEntries(changed) }];
  });
}

/** `sor`: the orders of the selected account. A filter that sticks to the list of orders silences it, as at the broker. */
export function ordersTopic(portal: Portal): Topic {
  const seen = new Map<string, Row>();
  const { engine, session } = portal;
  return {
    due() {
      if (session.filters.length > 0) return [];
      const rows = [...engine.state.orders.values()]
        .filter((order) => order.account === session.account && isListed(portal, order))
        .map((order) => orderRow(order, engine, statusIn(portal, order)) as Row);
      const args = deltas(seen, rows, 'orderId', ['acct', 'orderId']);
      return args.length === 0 ? [] : [{ topic: 'sor', args }];
    },
  };
}

/** `str`: executions; those of the last days too unless only new ones are wanted. */
export function tradesTopic(portal: Portal, wish: Row): Topic {
  const { engine, session } = portal;
  const seen = new Set<string>();
  const days = typeof wish['days'] === 'number' ? Math.min(Math.max(wish['days'], 0), MOST_DAYS) : 1;
  const since = new Date(Date.parse(engine.state.now) - days * DAY_MS).toISOString();
  const rows = () =>
    engine.state.executions.filter(
      (execution) =>
        execution.account === session.account &&
        !seen.has(execution.executionId) &&
        !isHidden(portal, execution.orderId),
    );
  if (wish['realtimeUpdatesOnly'] === true) for (const { executionId } of rows()) seen.add(executionId);
  return {
    due() {
      const found = rows();
      // What the exchange has forgotten can not come again.
      const known = new Set(engine.state.executions.map(({ executionId }) => executionId));
      for (const id of seen) if (!known.has(id)) seen.delete(id);
      for (const { executionId } of found) seen.add(executionId);
      const args = found.filter(({ at }) => at >= since).map((one) => tradeRow(one, engine.market));
      return args.length === 0 ? [] : [{ topic: 'str', args }];
    },
  };
}

/** `smd`: the fields of one contract that changed. */
export function quoteTopic(portal: Portal, conid: number, wish: Row): Topic {
  const fields = Array.isArray(wish['fields']) ? wish['fields'].map(String) : [];
  let last: Row = {};
  return {
    due() {
      const now = liveFields(portal, conid, fields) ?? last;
      const changed = changes(last, now);
      last = now;
      if (changed.length === 0) return [];
      const head = { topic: `smd+${conid}`, conid, conidEx: String(conid), server_id: 'q0', '6119': 'q0' };
      return [{ ...head, _updated: portal.clock.now(), ...Object.fromEntries(changed) }];
    },
  };
}

/** `spl`: profit and loss of the selected account, whole whenever any of it changed. */
export function profitsTopic(portal: Portal): Topic {
  let last = '';
  return {
    due() {
      const args = profitsOf(portal);
      const text = JSON.stringify(args);
      if (text === last) return [];
      last = text;
      return [{ topic: 'spl', args }];
    },
  };
}

/** `smh`: the bars of a contract, told once. They are ended by the id that they come with. */
export function historyTopic(portal: Portal, conid: number, wish: Row, serverId: string): Topic {
  let isTold = false;
  return {
    due() {
      if (isTold) return [];
      isTold = true;
      const word = (name: string): string | null => (typeof wish[name] === 'string' ? wish[name] : null);
      const asked = { conid: String(conid), period: word('period'), bar: word('bar'), startTime: null };
      return [{ ...historyOf(portal, asked).body, topic: `smh+${conid}`, serverId }];
    },
  };
}
