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
const SURE = '\nAre you sure you want to submit this order?';

/** Of questions that a fault asks, those whose words the broker has told: clients know some by them alone. */
const wordsOf: Readonly<Record<string, string>> = {
  o354: `You are submitting an order without market data. We strongly recommend against this as it may result in erroneous and unexpected trades.${SURE}`,
  o383: `The following order size exceeds the Size Limit of 500.${SURE}`,
  o403: `This order will most likely trigger and fill immediately.${SURE}`,
  o10151: `A Market Order is an instruction to trade your order at any available price.${SURE}`,
  o10331: `You are about to submit a stop order. Please be aware of the various stop order types available and the risks associated with each one.${SURE}`,
};

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

function priceQuestion(portal: Portal, draft: OrderDraft): Question[] {
  const { engine } = portal;
  const last = engine.market.quote(draft.conid, engine.state.now)?.last;
  if (last === undefined || draft.price === null || draft.orderType !== 'LMT') return [];
  const through = (Number(draft.price) / last - 1) * (draft.side === 'BUY' ? 1 : -1);
  if (!(through > PRICE_SHARE)) return [];
  const text = `The following order "${named(portal, draft)} @ ${draft.price}" price exceeds \nthe Percentage constraint of 3%.${SURE}`;
  return [{ messageId: 'o163', text }];
}

function valueQuestion(portal: Portal, draft: OrderDraft): Question[] {
  const { engine } = portal;
  const last = engine.market.quote(draft.conid, engine.state.now)?.last ?? 0;
  const value = notional(price(draft.price ?? String(last)), quantity(draft.quantity));
  if (value.lte(VALUE_LIMIT)) return [];
  const cents = { minimumFractionDigits: 2, maximumFractionDigits: 2 };
  const text = `The following order "${named(portal, draft)}" value estimate of ${value.toNumber().toLocaleString('en-US', cents)} USD exceeds \nthe Total Value Limit of ${VALUE_LIMIT.toLocaleString('en-US')} USD.${SURE}`;
  return [{ messageId: 'o451', text }];
}

function named({ engine }: Portal, { side, quantity: units, conid }: OrderDraft): string {
  const instrument = engine.market.instrument(conid);
  return [side, units, instrument?.symbol ?? '', instrument?.exchange ?? ''].join(' ');
}

function faultQuestions({ faults, session }: Portal, endpoint: Endpoint): Question[] {
  const text = 'The broker of this simulator was told to ask this. Submit the order?';
  const unknown = faults.take('unknown-question', endpoint);
  const known = faults.take('question', endpoint);
  return [
    ...(unknown === null ? [] : [{ messageId: 'o99999', text }]),
    ...(known?.messageIds ?? [])
      .filter((messageId) => !session.suppressed.has(messageId))
      .map((messageId) => ({ messageId, text: wordsOf[messageId] ?? text })),
  ];
}
