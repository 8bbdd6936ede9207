// What the broker asks before it takes an order: prices far through the market, large values, and what a fault makes it ask.
// Called by orders.ts.
import { notional, price, quantity } from '../../domain/money/decimal.js';
import type { OrderDraft } from '../exchange/orders.js';
import type { Endpoint } from '../faults.js';
import type { Portal, Question } from './portal.js';

/** A limit further through the market than this share is asked about. */
const PRICE_SHARE = 0.03;
/** USD; an order worth more is asked about. */
const VALUE_LIMIT = 1_000_000;

/**
 * Questions about an order, of a request its first, those that are suppressed left out.
 * @param endpoint whether it is placed or changed
 */
export function questionsAbout(
  portal: Portal,
  first: OrderDraft | undefined,
  endpoint: Endpoint,
): readonly Question[] {
  if (first === undefined) return [];
  const asked = [...priceQuestion(portal, first), ...valueQuestion(portal, first)].filter(
    ({ messageId }) => !portal.session.suppressed.has(messageId),
  );
  return [...asked, ...faultQuestions(portal, endpoint)];
}

function priceQuestion({ engine }: Portal, draft: OrderDraft): Question[] {
  const last = engine.market.quote(draft.conid, engine.state.now)?.last;
  if (last === undefined || draft.price === null || draft.orderType !== 'LMT') return [];
  const through = (Number(draft.price) / last - 1) * (draft.side === 'BUY' ? 1 : -1);
  if (!(through > PRICE_SHARE)) return [];
  const symbol = engine.market.instrument(draft.conid)?.symbol ?? '';
  const text = `The following order "${draft.side} ${draft.quantity} ${symbol} @ ${draft.price}" price exceeds \nthe Percentage constraint of 3%.\nAre you sure you want to submit this order?`;
  return [{ messageId: 'o163', text }];
}

function valueQuestion({ engine }: Portal, draft: OrderDraft): Question[] {
  const last = engine.market.quote(draft.conid, engine.state.now)?.last ?? 0;
  const value = notional(price(draft.price ?? String(last)), quantity(draft.quantity));
  if (value.lte(VALUE_LIMIT)) return [];
  const text = `The following order value estimate of ${value.toFixed(2)} USD exceeds \nthe Total Value Limit of ${VALUE_LIMIT} USD.\nAre you sure you want to submit this order?`;
  return [{ messageId: 'o451', text }];
}

function faultQuestions({ faults, session }: Portal, endpoint: Endpoint): Question[] {
  const text = 'The broker of this simulator was told to ask this. Submit the order?';
  const unknown = faults.take('unknown-question', endpoint);
  const known = faults.take('question', endpoint);
  return [
    ...(unknown === null ? [] : [{ messageId: 'o99999', text }]),
    ...(known?.messageIds ?? [])
      .filter((messageId) => !session.suppressed.has(messageId))
      .map((messageId) => ({ messageId, text })),
  ];
}
