// The list of live orders with its quirks: the first read and each forced one only prime a cache, filters stick, and a login of
// several accounts that names none sees nothing. Called by orders.ts.
import type { RequestHandler } from 'express';
import type { Order } from '../exchange/types.js';
import { orderRow, statusOf } from './orderRows.js';
import type { Portal } from './portal.js';
import { isHidden, isOn, query } from './portal.js';

const DAY_MS = 86_400_000;
/** The broker's lists go back this many market days; what is still open is always there. */
const DAYS_KEPT = 7;
const MOST_ROWS = 1000;
/** The broker's words for a filter, in whatever case and with or without underscores. */
const filterWords = new Set(
  'inactive pendingsubmit presubmitted submitted filled pendingcancel precancelled cancelled warnstate sortbytime'.split(
    ' ',
  ),
);
const plain = (word: string): string => word.replaceAll('_', '').toLowerCase();
/** After every instant: nothing that has ended is known. */
const never = '9999';

export const isOpen = (order: Order): boolean => order.state === 'HELD' || order.state === 'WORKING';

/** Since when orders that have ended are still known. */
const keptSince = ({ engine }: Portal): string =>
  new Date(Date.parse(engine.state.now) - DAYS_KEPT * DAY_MS).toISOString();

/** True for orders of an account that the broker still lists. */
export function isListed(portal: Portal, order: Order, since = keptSince(portal)): boolean {
  return (isOpen(order) || order.changedAt >= since) && !isHidden(portal, order.orderId);
}

/** The broker's status of an order; one whose cancel is on its way is PendingCancel. */
export function statusIn(portal: Portal, order: Order): string {
  const { engine, cancelling } = portal;
  if (isOpen(order) && cancelling.has(order.orderId)) return 'PendingCancel';
  return statusOf(order, engine.market.calendarOf(order.conid).openAt(engine.state.now) !== null);
}

export const liveOrders =
  (portal: Portal): RequestHandler =>
  (request, response) => {
    const { session, engine, accounts, faults } = portal;
    const named = query(request, 'accountId');
    if (named !== null && !accounts.includes(named)) {
      response.status(500).json({ error: 'Account id is not valid' });
      return;
    }
    const force = isOn(request, 'force');
    const filters = query(request, 'filters');
    const words = filters?.split(',').filter((word) => word !== '') ?? [];
    const unknown = words.find((word) => !filterWords.has(plain(word)));
    // A word that no order can match would make a list that is empty and calls itself complete.
    if (unknown !== undefined) {
      response.status(400).json({ error: `Bad Request: filters has no ${unknown}`, statusCode: 400 });
      return;
    }
    if (filters !== null) session.filters = words;
    if (force || !session.ordersPrimed) {
      session.ordersPrimed = true;
      if (force) session.filters = [];
      response.json({ orders: [], snapshot: false });
      return;
    }
    // Where there are several accounts, only one that was named or switched to is listed.
    const account = named ?? (accounts.length > 1 && !session.switched ? null : session.account);
    const since = faults.take('ended-unlisted', 'orders') === null ? keptSince(portal) : never;
    const wanted = session.filters.map(plain).filter((word) => word !== 'sortbytime');
    const orders = [...engine.state.orders.values()]
      .filter((order) => order.account === account && isListed(portal, order, since))
      .filter((order) => wanted.length === 0 || wanted.includes(statusIn(portal, order).toLowerCase()))
      .reverse()
      .slice(0, MOST_ROWS);
    const listed = faults.take('empty-orders', 'orders') === null ? orders : [];
    const rows = listed.map((order) => orderRow(order, engine, statusIn(portal, order)));
    response.json({ orders: rows, snapshot: faults.take('snapshot-false', 'orders') === null });
  };
