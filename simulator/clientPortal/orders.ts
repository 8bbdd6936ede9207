// Orders: place, reply, live orders, status, modify, cancel. A trading refusal is a 200 with an error, as at the broker.
import { Router } from 'express';
import type { Request, RequestHandler, Response } from 'express';
import { stopCanMove } from '../exchange/orders.js';
import type { OrderDraft, PlaceResult } from '../exchange/orders.js';
import { openOfAccount, orderOf } from '../exchange/state.js';
import { termsProblem } from '../exchange/terms.js';
import type { Order } from '../exchange/types.js';
import { isListed, isOpen, liveOrders, statusIn } from './liveOrders.js';
import { BadOrder, readOrder, readOrders } from './orderRequest.js';
import { orderStatus, secTypeOf } from './orderRows.js';
import type { Portal } from './portal.js';
import { accountOfPath, requireAccounts } from './portal.js';
import { questionsAbout } from './questions.js';
import { ask } from './replies.js';
import { previewOf } from './whatIf.js';

/** The id of a refused order; in a cancel it stands for every order of the account. */
const EVERY_ORDER = '-1';

export function ordersRouter(portal: Portal): Router {
  const router = Router();
  router.use('/iserver/account', requireAccounts(portal));
  router.get('/iserver/account/orders', liveOrders(portal));
  router.get('/iserver/account/order/status/:order', status(portal));
  router.post(['/iserver/account/:account/orders', '/iserver/account/:account/order'], placeOrders(portal));
  router.post('/iserver/account/:account/orders/whatif', preview(portal));
  router.post('/iserver/account/:account/order/:order', modifyOrder(portal));
  router.delete('/iserver/account/:account/order/:order', cancelOrder(portal));
  return router;
}

/** The order of the path; null when there is none that the broker still lists. */
function orderOfPath(portal: Portal, request: Request, account: string): Order | null {
  const order = portal.engine.state.orders.get(Number(request.params['order']));
  return order?.account === account && isListed(portal, order) ? order : null;
}

const status =
  (portal: Portal): RequestHandler =>
  (request, response) => {
    const isForgetful = portal.faults.take('ended-unlisted', 'order-status') !== null;
    const known = orderOfPath(portal, request, portal.session.account);
    const order = known !== null && isForgetful && !isOpen(known) ? null : known;
    if (order === null) {
      const error = `Order ${String(request.params['order'])} is not found`;
      response.status(503).json({ error, statusCode: 503 });
      return;
    }
    response.json(orderStatus(order, portal.engine, statusIn(portal, order)));
  };

/** What kind of contract the broker's own words call an id; null for an id that it does not know. */
const kindIn =
  ({ engine }: Portal) =>
  (conid: number): string | null => {
    const instrument = engine.market.instrument(conid);
    return instrument === undefined ? null : secTypeOf(instrument);
  };

const placeOrders =
  (portal: Portal): RequestHandler =>
  (request, response) => {
    const account = accountOfPath(portal, request, response);
    if (account === null) return;
    const drafts = orBadRequest(response, () => readOrders(request.body, account, kindIn(portal)));
    if (drafts === null) return;
    if (portal.faults.take('prompt', 'place') !== null) {
      response.json(prompt);
      return;
    }
    ask(portal, response, questionsAbout(portal, drafts[0], 'place'), (answer) => {
      sendPlaced(portal, answer, portal.engine.place(account, drafts));
    });
  };

/** What a client gets that is meant for a person; the order is not taken. */
const prompt = {
  orderId: 123_456_789,
  reqId: '22170',
  dismissable: [],
  text: 'If your order is not immediately executable, our systems may, depending on market conditions, reject your order.',
  options: ['Use on this order', 'Always use', 'Do not use'],
  type: 'M',
  messageId: 'p12',
  prompt: true,
};

/** What an order would cost; it takes part in nothing. */
const preview =
  (portal: Portal): RequestHandler =>
  (request, response) => {
    const account = accountOfPath(portal, request, response);
    if (account === null) return;
    const drafts = orBadRequest(response, () => readOrders(request.body, account, kindIn(portal)));
    const [first] = drafts ?? [];
    if (drafts === null || first === undefined) return;
    const refusal = portal.engine.refusal(account, first);
    const instrument = portal.engine.market.instrument(first.conid);
    // What is no order at all has no price.
    if (instrument === undefined || termsProblem(first, instrument.kind) !== null)
      response.json({ error: refusal });
    else response.json(previewOf(portal, account, first, refusal));
  };

function sendPlaced(portal: Portal, response: Response, result: PlaceResult): void {
  if (!result.placed) {
    response.json({ error: result.text });
    return;
  }
  const { faults, hidden, clock, engine } = portal;
  const invisible = faults.take('invisible-order', 'place');
  const rows = result.rows.map((row): AnswerRow => {
    if (!row.accepted)
      return { order_id: '-1', order_status: 'Failed', text: row.text, warning_message: row.text };
    if (invisible !== null) {
      const forMs = invisible.ms ?? 0;
      const market = Date.parse(engine.state.now) + forMs;
      hidden.set(row.order.orderId, { wall: clock.now() + forMs, market });
    }
    return takenRow(portal, row.order);
  });
  response.locals['accepted'] = true;
  response.json(faults.take('legs-first', 'place') === null ? rows : rows.toReversed().map(unnamed));
}

type AnswerRow = Readonly<Record<string, string | undefined>>;

/** A row without the client's own id: an echo of it is not promised. */
const unnamed = (row: AnswerRow): AnswerRow => ({ ...row, local_order_id: undefined });

/** A leg has no id of the client's: it names the order that it hangs on. */
const takenRow = (portal: Portal, order: Order): AnswerRow => ({
  order_id: String(order.orderId),
  ...(order.cOID === null ? {} : { local_order_id: order.cOID }),
  ...(order.parentId === null ? {} : { parent_order_id: String(order.parentId) }),
  order_status: statusIn(portal, order),
  encrypt_message: '1',
});

const modifyOrder =
  (portal: Portal): RequestHandler =>
  (request, response) => {
    const account = accountOfPath(portal, request, response);
    if (account === null) return;
    const order = openOrderOfPath(portal, request, response, account);
    if (order === null) return;
    const draft = orBadRequest(response, () => readOrder(request.body, account, kindIn(portal)));
    if (draft === null) return;
    portal.session.pending = null;
    if (!isSameOrder(draft, order)) {
      const error = 'Only quantity, price, stop and trailing amount of an order can be modified';
      response.json({ error });
      return;
    }
    ask(portal, response, questionsAbout(portal, draft, 'modify'), (answer) => {
      sendModified(portal, answer, order.orderId, draft);
    });
  };

/** It may have ended while the client thought about a question. */
function sendModified(portal: Portal, response: Response, orderId: number, draft: OrderDraft): void {
  const { engine } = portal;
  if (!engine.state.open.has(orderId)) {
    response.json({ error: 'Order is inactive' });
    return;
  }
  const { quantity, price, auxPrice, trail } = draft;
  const refusal = engine.modify(orderId, { quantity, price, auxPrice, trail });
  if (refusal !== null) {
    response.json({ error: refusal });
    return;
  }
  response.json([takenRow(portal, orderOf(engine.state, orderId))]);
}

const cancelOrder =
  (portal: Portal): RequestHandler =>
  (request, response) => {
    const account = accountOfPath(portal, request, response);
    if (account === null) return;
    if (request.params['order'] === EVERY_ORDER) {
      cancelAll(portal, account);
      response.json({ msg: 'Request was submitted', order_id: -1, conid: -1, account: null });
      return;
    }
    const order = openOrderOfPath(portal, request, response, account);
    if (order === null) return;
    const { orderId, conid } = order;
    const { engine, faults, cancelling } = portal;
    const slow = faults.take('slow-cancel', 'cancel');
    if (slow === null) {
      engine.cancel(orderId);
      response.json({ msg: 'Request was submitted', order_id: orderId, conid: -1, account: null });
      return;
    }
    cancelling.add(orderId);
    setTimeout(() => {
      cancelling.delete(orderId);
      // It may have filled, or the simulator may have failed or stopped, in the meantime.
      if (engine.isSound() && engine.state.open.has(orderId)) engine.cancel(orderId);
    }, slow.ms ?? 0).unref();
    response.json({ msg: 'Request was submitted', order_id: orderId, conid, account });
  };

/** Ends one order after the other: some end with one that ended before them. */
function cancelAll({ engine }: Portal, account: string): void {
  for (const { orderId } of openOfAccount(engine.state, account))
    if (engine.state.open.has(orderId)) engine.cancel(orderId);
}

function openOrderOfPath(
  portal: Portal,
  request: Request,
  response: Response,
  account: string,
): Order | null {
  const order = orderOfPath(portal, request, account);
  if (order !== null && isOpen(order)) return order;
  const unknown = `OrderID ${String(request.params['order'])} doesn't exist`;
  response.status(400).json({ error: order === null ? unknown : 'Order is inactive' });
  return null;
}

const isSameOrder = (draft: OrderDraft, order: Order): boolean =>
  draft.conid === order.conid &&
  draft.side === order.side &&
  draft.orderType === order.orderType &&
  draft.tif === order.tif &&
  ((stopCanMove(order) && draft.auxPrice !== undefined) ||
    draft.auxPrice === order.auxPrice ||
    (order.trailedTo !== null && draft.auxPrice === order.trailedTo));

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
