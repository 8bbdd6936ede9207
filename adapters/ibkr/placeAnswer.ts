// What the gateway's answer to an order says: the five shapes, and everything that is none of them. Pure.
// Called by place.ts.
import { z } from 'zod';
import type { PlaceOutcome, TurnedAwayCode } from '../../ports/broker.js';
import { clean, errorText } from './errors.js';
import type { Exchange } from './errors.js';
import { parseJson } from '../../domain/money/parseJson.js';
import { placeRowSchema } from './schemas.js';
import type { PlaceRow } from './schemas.js';

export type PlaceReading =
  | PlaceOutcome
  /** The gateway asks before it takes the order; `accepted` is set when it has taken the parent already. */
  | {
      readonly kind: 'question';
      readonly id: string;
      readonly text: string;
      /** The kinds of question that it is; empty where the gateway names none. */
      readonly messageIds: readonly string[];
      readonly accepted: string | null;
    };

type RowReading =
  | { readonly kind: 'accepted'; readonly brokerOrderId: string }
  | { readonly kind: 'refused'; readonly evidence: string }
  | {
      readonly kind: 'question';
      readonly id: string;
      readonly text: string;
      readonly messageIds: readonly string[];
    }
  | { readonly kind: 'unreadable' };

const noSession = /not authenticated|no session|no bridge|query \/accounts first/i;
const alreadyRegistered = /already registered/i;
/** The question was dropped before its reply came. */
export const replyTooLate = /reply id not found/i;

/** True when the answer says that the brokerage session is gone. */
export const saysNoSession = (exchange: Exchange): boolean => {
  if (exchange.status === 401 || exchange.toLogin === true) return true;
  const words = errorText(parseJson(exchange.text));
  return words !== null && noSession.test(words);
};

function readRow(row: PlaceRow): RowReading {
  const error = errorText({ error: row.error });
  if (error !== null) return { kind: 'refused', evidence: error };
  const words = clean([row.text, row.warning_message].filter(Boolean).join(' '));
  if (row.order_id !== null && row.order_id !== undefined) {
    if (row.order_status === 'Failed' || row.order_id === '-1') {
      return { kind: 'refused', evidence: words || 'the order failed, without a reason' };
    }
    return /^[1-9]\d*$/.test(row.order_id)
      ? { kind: 'accepted', brokerOrderId: row.order_id }
      : { kind: 'unreadable' };
  }
  if (row.id && row.message) {
    const text = clean(Array.isArray(row.message) ? row.message.join(' ') : row.message);
    return { kind: 'question', id: row.id, text, messageIds: row.messageIds ?? [] };
  }
  // A prompt with buttons for a person: nothing was placed.
  if (row.orderId && words !== '') return { kind: 'refused', evidence: words };
  return { kind: 'unreadable' };
}

const parentIn = ({ parent_order_id: parent }: PlaceRow): string | null => parent ?? null;

/**
 * The row of the entry: the one that echoes our id, else the only one that hangs on no other. None where that is not clear, since
 * rows need not come in the order they were sent in.
 */
function entryOf(rows: readonly PlaceRow[], clientOrderId: string): PlaceRow | undefined {
  const echoed = rows.find((row) => row.local_order_id === clientOrderId);
  const free = rows.filter((row) => parentIn(row) === null);
  return echoed ?? (free.length === 1 ? free[0] : undefined);
}

/** The order that all legs which were taken hang on: it was taken before them. */
function parentOf(rows: readonly PlaceRow[]): string | null {
  const taken = rows.filter((row) => readRow(row).kind === 'accepted').map(parentIn);
  const [parent = null] = taken;
  return parent !== null && /^[1-9]\d*$/.test(parent) && taken.every((other) => other === parent)
    ? parent
    : null;
}

function readRows(rows: readonly PlaceRow[], clientOrderId: string): PlaceReading {
  const readings = rows.map(readRow);
  const entry = entryOf(rows, clientOrderId);
  const parent = entry === undefined ? undefined : readRow(entry);
  const named = entry === undefined ? parentOf(rows) : null;
  const accepted = parent?.kind === 'accepted' ? parent.brokerOrderId : named;
  const question = readings.find((reading) => reading.kind === 'question');
  if (question !== undefined) return { ...question, accepted };
  if (accepted !== null) return { kind: 'accepted', brokerOrderId: accepted };
  const refused = readings.filter((reading) => reading.kind === 'refused');
  const [first] = refused;
  if (first !== undefined && refused.length === readings.length) {
    return { kind: 'rejected', evidence: (parent?.kind === 'refused' ? parent : first).evidence };
  }
  return { kind: 'unknown', reason: 'the answer holds no order that Keel can read' };
}

const turnedAway = (code: TurnedAwayCode, why: string, advice: string): PlaceOutcome => ({
  kind: 'turned_away',
  code,
  message: `The order was not passed on to the broker: ${why}. Nothing was placed, and it is not sent again by itself; ${advice}.`,
});

/**
 * The gateway (by OAuth, what stands before IBKR) refuses everything then, whatever it is, and passes nothing on. Null where
 * it has no words for it, or where not all that it answered says so: that tells nothing of the order.
 */
function readTurnedAway(status: number, list: readonly unknown[]): PlaceOutcome | null {
  const texts = list.map(errorText).filter((text) => text !== null);
  const [words] = texts;
  if (words === undefined || texts.length < list.length) return null;
  if (status === 401 || texts.every((text) => noSession.test(text))) {
    const why = `there was no session at the broker ("${words}")`;
    return turnedAway(
      'GATEWAY_NO_SESSION',
      why,
      'once the login is up, run the session again (keel run … --again)',
    );
  }
  if (status !== 429) return null;
  const why = `the gateway has limited Keel's requests ("${words}")`;
  return turnedAway(
    'GATEWAY_LIMITED',
    why,
    'in a quarter of an hour, run the session again (keel run … --again)',
  );
}

/**
 * Only the broker's own words make an order `rejected`, and only the gateway's that nothing was passed on `turned_away`; a
 * duplicate id, a failure of the gateway and an unreadable answer leave it `unknown`.
 */
export function readPlaceAnswer(exchange: Exchange, clientOrderId: string): PlaceReading {
  const { status } = exchange;
  const body = parseJson(exchange.text);
  if (body === undefined) return { kind: 'unknown', reason: `answered with status ${status} and no JSON` };
  const list: readonly unknown[] = Array.isArray(body) ? body : [body];
  const words = list.map(errorText).find((text) => text !== null) ?? null;
  // Neither tells what became of the order: it is looked up.
  if (words !== null && (alreadyRegistered.test(words) || replyTooLate.test(words))) {
    return { kind: 'unknown', reason: words };
  }
  const away = readTurnedAway(status, list);
  if (away !== null) return away;
  if (status >= 400 && status < 500 && status !== 408 && words !== null) {
    return { kind: 'rejected', evidence: words };
  }
  if (status < 200 || status >= 300) {
    return {
      kind: 'unknown',
      reason: `answered with status ${status}${words === null ? '' : `, "${words}"`}`,
    };
  }
  const rows = z.array(placeRowSchema).min(1).safeParse(list);
  if (!rows.success) return { kind: 'unknown', reason: 'answered in a shape that Keel does not know' };
  return readRows(rows.data, clientOrderId);
}
