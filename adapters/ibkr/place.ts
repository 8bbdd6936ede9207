// Placing an order once: the body, the one POST, and the answer to the broker's questions. Called by broker.ts.
import type { OrderRequest, PlaceOutcome } from '../../ports/broker.js';
import { KeelError } from '../../ports/errors.js';
import { quantity } from '../../domain/money/decimal.js';
import type { IbkrClient } from './client.js';
import { clean } from './errors.js';
import { readPlaceAnswer, saysNoSession } from './placeAnswer.js';
import type { PlaceReading } from './placeAnswer.js';
import type { IbkrSession } from './session.js';

const placeEndpoint = { method: 'POST', path: '/iserver/account/{accountId}/orders' } as const;
const replyEndpoint = { method: 'POST', path: '/iserver/reply/{replyId}' } as const;

/** Questions that may follow one another about one order. */
const maximumQuestions = 5;

const invalid = (what: string, clientOrderId: string): KeelError =>
  new KeelError('ORDER_INVALID', `The order was not sent: ${what}.`, {
    facts: { clientOrderId: clean(clientOrderId) },
  });

/** A decimal string as the JSON number of the same value; IBKR refuses strings. */
function wireNumber(value: string, what: string, clientOrderId: string): number {
  const exact = quantity(value);
  const number = exact.toNumber();
  if (exact.lte(0) || !quantity(String(number)).eq(exact)) {
    throw invalid(`${what} ${clean(value)} is not positive or has too many digits`, clientOrderId);
  }
  return number;
}

/**
 * A market order for the day; its stop and target as children good till cancelled. The parent alone carries our id:
 * the children name it as their parent and have none.
 * @throws KeelError ORDER_INVALID (final).
 */
export function orderBody(request: OrderRequest): { readonly orders: readonly Record<string, unknown>[] } {
  const { clientOrderId, contract, side } = request;
  if (!/^[A-Za-z0-9_-]{1,64}$/.test(clientOrderId))
    throw invalid('its id does not fit the wire', clientOrderId);
  if (!/^[1-9]\d*$/.test(contract.conid)) throw invalid('its conid is no positive integer', clientOrderId);
  const common = {
    acctId: request.accountId,
    conid: Number(contract.conid),
    secType: `${contract.conid}:STK`,
    quantity: wireNumber(request.quantity, 'the quantity', clientOrderId),
    outsideRTH: false,
    listingExchange: 'SMART',
    ticker: contract.symbol,
  };
  const child = { ...common, parentId: clientOrderId, side: side === 'BUY' ? 'SELL' : 'BUY', tif: 'GTC' };
  const leg = (orderType: 'STP' | 'LMT', price: string | null, what: string) =>
    price === null ? [] : [{ ...child, orderType, price: wireNumber(price, what, clientOrderId) }];
  return {
    orders: [
      { ...common, cOID: clientOrderId, orderType: 'MKT', side, tif: 'DAY' },
      ...leg('STP', request.stop, 'the stop'),
      ...leg('LMT', request.target, 'the target'),
    ],
  };
}

/** Once the order is written nothing may be thrown any more: whatever goes wrong leaves it unknown. */
const unknown = (error: unknown): { readonly kind: 'unknown'; readonly reason: string } => ({
  kind: 'unknown',
  reason: error instanceof KeelError ? error.message : 'Keel failed while it read the answer',
});

/** Declines a question at once: a pending order is void as soon as anything else is asked. */
async function decline(client: IbkrClient, id: string, clientOrderId: string): Promise<PlaceReading> {
  const input = { path: { replyId: id }, body: { confirmed: false }, lane: 'cancel' } as const;
  return readPlaceAnswer(await client.exchange(replyEndpoint, input), clientOrderId);
}

/** Every question is answered with no, so the order ends rejected with the question as the broker's evidence. */
async function answerQuestions(
  client: IbkrClient,
  first: PlaceReading,
  clientOrderId: string,
): Promise<PlaceOutcome> {
  let reading = first;
  let evidence = '';
  let accepted: string | null = null;
  for (let asked = 0; reading.kind === 'question' && asked < maximumQuestions; asked += 1) {
    evidence = `IBKR asked, and Keel declined: ${reading.text}`;
    accepted ??= reading.accepted;
    reading = await decline(client, reading.id, clientOrderId).catch(unknown);
  }
  if (accepted !== null) return { kind: 'accepted', brokerOrderId: accepted };
  if (reading.kind === 'question') return { kind: 'unknown', reason: `IBKR keeps asking: ${reading.text}` };
  if (evidence === '' || reading.kind === 'accepted') return reading;
  if (reading.kind === 'unknown') {
    return { kind: 'unknown', reason: `${evidence} The answer to the no: ${reading.reason}` };
  }
  return { kind: 'rejected', evidence };
}

/** A failure before the write, as it is thrown: a connection that did not come about is NOT_SENT_AWAY. */
function notSent(error: unknown, clientOrderId: string): unknown {
  if (!(error instanceof KeelError) || error.facts['sent'] !== false) return error;
  const text = `The order was not sent, because no connection to the gateway came about: ${error.message}`;
  const facts = { clientOrderId, reason: error.facts['reason'] ?? null };
  return new KeelError('NOT_SENT_AWAY', text, { facts, cause: error });
}

interface Placing {
  readonly client: IbkrClient;
  readonly session: Pick<IbkrSession, 'lost'>;
}

/** The one POST and what follows it. */
async function send(
  { client, session }: Placing,
  request: OrderRequest,
  beforeSend: () => void,
): Promise<PlaceOutcome> {
  const { clientOrderId } = request;
  const input = { path: { accountId: request.accountId }, body: orderBody(request), reserved: true };
  const answer = await client.exchange(placeEndpoint, input, beforeSend);
  if (saysNoSession(answer)) session.lost();
  return answerQuestions(client, readPlaceAnswer(answer, clientOrderId), clientOrderId);
}

/**
 * Places the order once. Whatever it throws, nothing was written to the socket: `beforeSend`'s own error,
 * IBKR_PACING_DEADLINE, ORDER_INVALID, or NOT_SENT_AWAY (final) when the connection did not come about.
 */
export async function placeOrder(
  placing: Placing,
  request: OrderRequest,
  beforeSend: () => void,
): Promise<PlaceOutcome> {
  let refusal: { readonly error: unknown } | null = null;
  let written = false;
  const lastAct = (): void => {
    try {
      beforeSend();
    } catch (error) {
      refusal = { error };
      throw error;
    }
    written = true;
  };
  return placing.client.holding('place', async () => {
    try {
      return await send(placing, request, lastAct);
    } catch (error) {
      if (written) return unknown(error);
      throw refusal === null ? notSent(error, request.clientOrderId) : error;
    }
  });
}
