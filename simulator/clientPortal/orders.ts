// Orders: place, reply, live orders, status, modify, cancel. A trading refusal is a 200 with an error, as at the broker.
import { Router } from 'express';
import type { Request, RequestHandler, Response } from 'express';
import type { PlaceResult } from '../exchange/orders.js';
import type { Order } from '../exchange/types.js';
import { BadOrder, readOrder, readOrders } from './orderRequest.js';
import { orderRow, orderStatus, statusOf } from './orderRows.js';
import type { Portal, Question } from './portal.js';
import { isHidden, isOurAccount, query, requireAccounts } from './portal.js';
import { ask } from './replies.js';

const DAY_MS = 86_400_000;
/** The broker's lists go back this many market days; what is still open is always there. */
const DAYS_KEPT = 7;

export function ordersRouter(portal: Portal): Router {
  const router = Router();
  router.use('/iserver/account', requireAccounts(portal));
  router.get('/iserver/account/orders', liveOrders(portal));
  router.get('/iserver/account/order/status/:order', status(portal));
  router.post('/iserver/account/:account/orders', placeOrders(portal));
  router.post('/iserver/account/:account/order/:order', modifyOrder(portal));
  router.delete('/iserver/account/:account/order/:order', cancelOrder(portal));
  return router;
}

const isOpen = (order: Order): boolean => order.state === 'HELD' || order.state === 'WORKING';

/** Since when orders that have ended are still known. */
const keptSince = ({ engine }: Portal): string =>
  new Date(Date.parse(engine.state.now) - DAYS_KEPT * DAY_MS).toISOString();

const isKept = (order: Order, since: string): boolean => isOpen(order) || order.changedAt >= since;

/** The order of the path; null when there is none that the broker still knows. */
function orderOfPath(portal: Portal, request: Request): Order | null {
  const order = portal.engine.state.orders.get(Number(request.params['order']));
  if (order === undefined || order.account !== portal.accountId || isHidden(portal, order.orderId))
    return null;
  return isKept(order, keptSince(portal)) ? order : null;
}

/** The first read of a session, and each forced one, only fills the broker's cache. */
const liveOrders =
  (portal: Portal): RequestHandler =>
  (request, response) => {
    const { session, engine, accountId } = portal;
    const account = query(request, 'accountId');
    if (account !== null && account !== accountId) {
      response.status(500).json({ error: 'Account id is not valid' });
      return;
    }
    const force = query(request, 'force') === 'true';
    if (force || !session.ordersPrimed) {
      session.ordersPrimed = true;
      response.json({ orders: [], snapshot: false });
      return;
    }
    const { now } = engine.state;
    const marketOpen = engine.market.calendar.openAt(now) !== null;
    const since = keptSince(portal);
    const filters = (query(request, 'filters') ?? '').split(',').filter((word) => word !== '');
    const wanted = filters.filter((word) => word !== 'sort_by_time').map((word) => word.replaceAll('_', ''));
    const orders = [...engine.state.orders.values()]
      .filter((order) => order.account === accountId && isKept(order, since))
      .filter((order) => !isHidden(portal, order.orderId))
      .filter((order) => wanted.length === 0 || wanted.includes(statusOf(order, marketOpen).toLowerCase()))
      .reverse();
    response.json({ orders: orders.map((order) => orderRow(order, engine.market, now)), snapshot: true });
  };

const status =
  (portal: Portal): RequestHandler =>
  (request, response) => {
    const order = orderOfPath(portal, request);
    if (order === null) {
      const error = `Order ${String(request.params['order'])} is not found`;
      response.status(503).json({ error, statusCode: 503 });
      return;
    }
    response.json(orderStatus(order, portal.engine.market, portal.engine.state.now));
  };

const placeOrders =
  (portal: Portal): RequestHandler =>
  (request, response) => {
    if (!isOurAccount(portal, request, response)) return;
    const { engine, accountId } = portal;
    const drafts = orBadRequest(response, () => readOrders(request.body, accountId));
    if (drafts === null) return;
    ask(portal, response, questionsAbout(portal), (answer) => {
      sendPlaced(portal, answer, engine.place(accountId, drafts));
    });
  };

/** Questions of the broker before it takes an order. */
function questionsAbout({ faults }: Portal): readonly Question[] {
  return faults.take('unknown-question', 'place') === null
    ? []
    : [{ messageId: 'o99999', text: 'This is a question that the broker has never asked before. Submit?' }];
}

function sendPlaced(portal: Portal, response: Response, result: PlaceResult): void {
  if (!result.placed) {
    response.json({ error: result.text });
    return;
  }
  const { engine, faults, hidden, clock } = portal;
  const invisible = faults.take('invisible-order', 'place');
  const marketOpen = engine.market.calendar.openAt(engine.state.now) !== null;
  const rows = result.rows.map((row) => {
    if (!row.accepted)
      return { order_id: '-1', order_status: 'Failed', text: row.text, warning_message: row.text };
    const { orderId, cOID } = row.order;
    if (invisible !== null) hidden.set(orderId, clock.now() + (invisible.ms ?? 0));
    return {
      order_id: String(orderId),
      ...(cOID === null ? {} : { local_order_id: cOID }),
      order_status: statusOf(row.order, marketOpen),
      encrypt_message: '1',
    };
  });
  response.locals['accepted'] = true;
  response.json(rows);
}

const modifyOrder =
  (portal: Portal): RequestHandler =>
  (request, response) => {
    if (!isOurAccount(portal, request, response)) return;
    const order = openOrderOfPath(portal, request, response);
    if (order === null) return;
    const draft = orBadRequest(response, () => readOrder(request.body, portal.accountId));
    if (draft === null) return;
    portal.session.pending = null;
    const { conid, side, orderType, tif } = draft;
    if (conid !== order.conid || side !== order.side || orderType !== order.orderType || tif !== order.tif) {
      response.json({ error: 'Only quantity and price of an order can be modified' });
      return;
    }
    const refusal = portal.engine.modify(order.orderId, { quantity: draft.quantity, price: draft.price });
    if (refusal !== null) {
      response.json({ error: refusal });
      return;
    }
    const marketOpen = portal.engine.market.calendar.openAt(portal.engine.state.now) !== null;
    response.json([
      {
        order_id: String(order.orderId),
        ...(order.cOID === null ? {} : { local_order_id: order.cOID }),
        order_status: statusOf(order, marketOpen),
        encrypt_message: '1',
      },
    ]);
  };

const cancelOrder =
  (portal: Portal): RequestHandler =>
  (request, response) => {
    if (!isOurAccount(portal, request, response)) return;
    const order = openOrderOfPath(portal, request, response);
    if (order === null) return;
    portal.engine.cancel(order.orderId);
    const { orderId, conid, account } = order;
    response.json({ msg: 'Request was submitted', order_id: orderId, conid, account });
  };

function openOrderOfPath(portal: Portal, request: Request, response: Response): Order | null {
  const order = orderOfPath(portal, request);
  if (order !== null && isOpen(order)) return order;
  const unknown = `OrderID ${String(request.params['order'])} doesn't exist`;
  response.status(400).json({ error: order === null ? unknown : 'Order is inactive' });
  return null;
}

/** The value, or null once the broker's 400 has been sent. */
function orBadRequest<T>(response: Response, act: () => T): T | null {
  try {
    return act();
  } catch (error) {
    if (!(error instanceof BadOrder)) throw error;
    response.status(400).json({ error: error.message });
    return null;
  }
}
