// Placing an order once: the body, the one POST, and the answer to the broker's questions. Called by broker.ts.
import type { OrderRequest, PlaceOutcome } from '../../ports/broker.js';
import { KeelError } from '../../ports/errors.js';
import type { HeldLock, LocksPort } from '../../ports/locks.js';
import { quantity } from '../../domain/money/decimal.js';
import type { Endpoint, IbkrClient } from './client.js';
import { parseJson } from '../../domain/money/parseJson.js';
import { clean, errorText } from './errors.js';
import { readPlaceAnswer, replyTooLate, saysNoSession } from './placeAnswer.js';
import type { PlaceReading } from './placeAnswer.js';
import type { IbkrSession } from './session.js';

export const placeEndpoint = { method: 'POST', path: '/iserver/account/{accountId}/orders' } as const;
const replyEndpoint = { method: 'POST', path: '/iserver/reply/{replyId}' } as const;

/** Questions that may follow one another about one order. */
const maximumQuestions = 20;

/** How long an order waits for another process that places one for the same login, wall milliseconds. */
const lockWaitMs = 15_000;

export const invalid = (what: string, clientOrderId: string): KeelError =>
  new KeelError('ORDER_INVALID', `The order was not sent: ${what}.`, {
    facts: { clientOrderId: clean(clientOrderId) },
  });

/** A decimal string as the JSON number of the same value; IBKR refuses strings. */
export function wireNumber(value: string, what: string, clientOrderId: string): number {
  const exact = quantity(value);
  const number = exact.toNumber();
  if (exact.lte(0) || !quantity(String(number)).eq(exact)) {
    throw invalid(`${what} ${clean(value)} is not positive or has too many digits`, clientOrderId);
  }
  return number;
}

/**
 * A market or limit order for the day; its stop and target as children good till cancelled. The parent alone carries our
 * id: the children name it as their parent and have none.
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
  const entry =
    request.limit === null
      ? { orderType: 'MKT' }
      : { orderType: 'LMT', price: wireNumber(request.limit, 'the limit', clientOrderId) };
  const leg = (orderType: 'STP' | 'LMT', price: string | null, what: string) =>
    price === null ? [] : [{ ...child, orderType, price: wireNumber(price, what, clientOrderId) }];
  return {
    orders: [
      { ...common, cOID: clientOrderId, ...entry, side, tif: 'DAY' },
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

type Question = Extract<PlaceReading, { readonly kind: 'question' }>;

/**
 * Answers at once: a pending order is void as soon as anything else is asked. A yes is what makes the order live, and the
 * session may end between its way to the broker and the answer: whoever turns it away does not say that nothing was placed.
 */
async function reply(
  client: IbkrClient,
  { id }: Question,
  confirmed: boolean,
  clientOrderId: string,
): Promise<PlaceReading> {
  const input = { path: { replyId: id }, body: { confirmed }, lane: 'reply' } as const;
  const answer = await client.exchange(replyEndpoint, input);
  const reading = readPlaceAnswer(answer, clientOrderId);
  if (!confirmed || reading.kind !== 'turned_away') return reading;
  const words = errorText(parseJson(answer.text)) ?? reading.code;
  return { kind: 'unknown', reason: `the yes to IBKR's question was answered with "${words}"` };
}

/** Only a question all of whose kinds are on the list is answered with yes; one that names no kind never is. */
const mayConfirm = ({ messageIds }: Question, allowed: readonly string[]): boolean =>
  messageIds.length > 0 && messageIds.every((id) => allowed.includes(id));

/** What it asked, why the answer was no, and what a person can do who wants the next one answered with yes. */
function declined({ text, messageIds }: Question, allowed: readonly string[]): string {
  const asked = 'IBKR asked, and Keel declined:';
  if (messageIds.length === 0) {
    return `${asked} ${text} The question names no kind, so no setting allows it: place the order by hand.`;
  }
  const kinds = [...new Set([...allowed, ...messageIds])];
  const setting = `IBKR_CONFIRM_MESSAGE_IDS=${clean(kinds.join(','))}`;
  return `${asked} ${text} (${clean(messageIds.join(', '))}). Set ${setting} to have such questions answered with yes, and start Keel again.`;
}

/**
 * Questions may follow one another. Once one was answered with no, all that follow are too, and the order ends rejected
 * with that question as the broker's evidence.
 */
async function answerQuestions(
  { client, confirmMessageIds }: Placing,
  first: PlaceReading,
  clientOrderId: string,
): Promise<PlaceOutcome> {
  let reading = first;
  let evidence = '';
  let accepted: string | null = null;
  for (let asked = 0; reading.kind === 'question' && asked < maximumQuestions; asked += 1) {
    const confirmed = evidence === '' && mayConfirm(reading, confirmMessageIds);
    if (!confirmed && evidence === '') evidence = declined(reading, confirmMessageIds);
    accepted ??= reading.accepted;
    reading = await reply(client, reading, confirmed, clientOrderId).catch(unknown);
  }
  if (accepted !== null) return { kind: 'accepted', brokerOrderId: accepted };
  if (reading.kind === 'question') return { kind: 'unknown', reason: `IBKR keeps asking: ${reading.text}` };
  if (evidence === '' || reading.kind === 'accepted') return reading;
  // A question that IBKR has dropped meanwhile was never confirmed, so its order never lives.
  if (reading.kind === 'unknown' && !replyTooLate.test(reading.reason)) {
    return { kind: 'unknown', reason: `${evidence} The answer to the no: ${reading.reason}` };
  }
  return { kind: 'rejected', evidence };
}

/** A failure before the write, as it is thrown: a connection that did not come about is NOT_SENT_AWAY. */
function notSent(error: unknown, clientOrderId: string): unknown {
  if (!(error instanceof KeelError) || error.facts['sent'] !== false) return error;
  const text = `The order was not sent, because no connection to the gateway (or, by OAuth, to IBKR itself) came about: ${error.message}`;
  const facts = { clientOrderId, reason: error.facts['reason'] ?? null };
  return new KeelError('NOT_SENT_AWAY', text, { facts, cause: error });
}

export interface Placing {
  readonly client: IbkrClient;
  readonly session: Pick<IbkrSession, 'lost'>;
  readonly locks: LocksPort;
  /** Whose orders must not overlap: the question to one is void as soon as another is placed. */
  readonly login: string;
  /** Kinds of questions that are answered with yes; all others with no. */
  readonly confirmMessageIds: readonly string[];
}

/** One request that writes an order: to place it, or to change one. */
export interface OrderWrite {
  readonly endpoint: Endpoint;
  readonly path: Readonly<Record<string, string>>;
  /** Names the order in errors; an answer may echo it. */
  readonly clientOrderId: string;
  /** @throws KeelError ORDER_INVALID (final). */
  readonly body: () => unknown;
}

/** The one POST and what follows it. */
async function send(placing: Placing, write: OrderWrite, beforeSend: () => void): Promise<PlaceOutcome> {
  const { client, session } = placing;
  const { clientOrderId, endpoint, path } = write;
  const answer = await client.exchange(endpoint, { path, body: write.body(), lane: 'order' }, beforeSend);
  if (saysNoSession(answer)) session.lost();
  return answerQuestions(placing, readPlaceAnswer(answer, clientOrderId), clientOrderId);
}

/** One order of a login at a time, in all processes; meanwhile this process asks the gateway nothing else but cancels that cannot wait. */
const alone = <T>({ client, locks, login }: Placing, work: (lock: HeldLock) => Promise<T>): Promise<T> =>
  client.holding('place', () =>
    locks.withLock(`orders of ${login}`, lockWaitMs, (lock) => client.quietly(() => work(lock))),
  );

/**
 * Places the order once. Whatever it throws, nothing was written to the socket: the error of `claim` or `beforeSend`,
 * IBKR_PACING_DEADLINE, ORDER_INVALID, LOCK_AWAY, LOCK_BUSY, LOCK_LOST, or NOT_SENT_AWAY (final) when the connection
 * did not come about.
 */
export const placeOrder = (
  placing: Placing,
  request: OrderRequest,
  beforeSend: () => void,
  claim?: () => Promise<void>,
): Promise<PlaceOutcome> => {
  const { accountId, clientOrderId } = request;
  const body = () => orderBody(request);
  return writeOrder(
    placing,
    { endpoint: placeEndpoint, path: { accountId }, clientOrderId, body },
    beforeSend,
    claim,
  );
};

/** The same for anything that writes an order. */
export async function writeOrder(
  placing: Placing,
  write: OrderWrite,
  beforeSend: () => void = () => undefined,
  claim: () => Promise<void> = () => Promise.resolve(),
): Promise<PlaceOutcome> {
  let refusal: { readonly error: unknown } | null = null;
  let written = false;
  return alone(placing, async (lock) => {
    await claim();
    const lastAct = (): void => {
      try {
        beforeSend();
        refuseUnlocked(lock, write.clientOrderId);
      } catch (error) {
        refusal = { error };
        throw error;
      }
      written = true;
    };
    try {
      return await send(placing, write, lastAct);
    } catch (error) {
      if (written) return unknown(error);
      throw refusal === null ? notSent(error, write.clientOrderId) : error;
    }
  });
}

/** A lock that was lost while the connection was made keeps nobody else out any more. */
function refuseUnlocked(lock: HeldLock, clientOrderId: string): void {
  if (lock.held()) return;
  throw new KeelError('LOCK_LOST', 'The order was not sent: its lock in PostgreSQL was lost before.', {
    facts: { clientOrderId },
  });
}
