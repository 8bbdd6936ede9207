// The order of a run against the stored intent and the simulator's own ledger. Called by `keel verify`.
import { Decimal } from 'decimal.js';
import { clientOrderId } from '../../activities/clientOrderId.js';
import type { IntentRow } from '../../ports/stores.js';
import type { VerifyFacts } from './evidence.js';
import type { LedgerFacts } from './ledger.js';
import { readLedger } from './ledger.js';

type LedgerOrder = LedgerFacts['orders'][number];

export async function checkOrder(facts: VerifyFacts): Promise<void> {
  const { list, summary, run, stores } = facts;
  const intent = await stores.intents.byRun(run.id);
  list.same(
    'order is the stored intent',
    summary.order,
    intent && {
      clientOrderId: intent.clientOrderId,
      brokerOrderId: intent.brokerOrderId,
      status: intent.state,
      filledQuantity: intent.filledQuantity,
      averagePrice: intent.averagePrice,
    },
  );
  if (intent !== null) await checkQuantity(facts, intent);
  if (summary.ledgerFile === null) return;
  const file = summary.ledgerFile;
  const ledger = await list.attempt(`ledger ${file} can be read`, () => Promise.resolve(readLedger(file)));
  if (ledger === null) return;
  if (intent === null) checkNothingSent(facts, ledger);
  else checkLedger(facts, intent, ledger);
}

/** What was sent is what admission allowed. */
async function checkQuantity({ list, run, stores }: VerifyFacts, intent: IntentRow): Promise<void> {
  const admitted = (await stores.evidence.risk(run.id)).find(({ stage }) => stage === 'admission');
  const { side, quantity, limit, stop, target } = intent;
  list.same(
    'intent is the order that admission allowed',
    { side, quantity, limit, stop, target },
    admitted?.verdict.order,
  );
}

const isOf = ({ symbol, session, slot, strategyId }: VerifyFacts['run'], ledger: LedgerFacts): string[] =>
  ledger.accounts.map((accountId) =>
    clientOrderId({ accountId, strategyId, symbol, session, slot, leg: 'entry' }),
  );

function checkNothingSent({ list, run }: VerifyFacts, ledger: LedgerFacts): void {
  const ids = isOf(run, ledger);
  const sent = ledger.orders.filter(({ cOID }) => cOID !== null && ids.includes(cOID));
  list.same('ledger has no order of a run without one', sent.length, 0);
}

/** States in which the broker never had the order. */
const unsent = ['INTENT', 'NOT_SENT', 'ABANDONED', 'REJECTED', 'SENT_NOT_FOUND_EXPIRED'];

function checkLedger({ list, run }: VerifyFacts, intent: IntentRow, ledger: LedgerFacts): void {
  list.holds(
    'client order id is made of the business keys',
    isOf(run, ledger).includes(intent.clientOrderId),
    `${intent.clientOrderId} is none of ${isOf(run, ledger).join(', ')}`,
  );
  const orders = ledger.orders.filter(({ cOID }) => cOID === intent.clientOrderId);
  const expected = unsent.includes(intent.state) ? 0 : 1;
  list.same(`ledger has ${String(expected)} order with that client order id`, orders.length, expected);
  const [entry] = orders;
  if (entry === undefined) return;
  list.same(
    "ledger's order is the intent",
    [String(entry.orderId), entry.account, entry.symbol, entry.side, entry.quantity],
    [intent.brokerOrderId, intent.accountId, intent.symbol, intent.side, intent.quantity],
  );
  list.same(
    "ledger's order has the type and price of the intent",
    [entry.orderType, entry.price],
    intent.limit === null ? ['MKT', null] : ['LMT', intent.limit],
  );
  checkFills(list, intent, ledger, entry);
  checkLegs(list, intent, ledger, entry);
}

function checkFills(
  list: VerifyFacts['list'],
  intent: IntentRow,
  ledger: LedgerFacts,
  entry: LedgerOrder,
): void {
  const fills = ledger.executions.filter(({ orderId }) => orderId === entry.orderId);
  const filled = fills.reduce((sum, { quantity }) => sum.plus(quantity), new Decimal(0));
  list.same("ledger's executions add up to the filled quantity", filled.toFixed(), intent.filledQuantity);
  if (filled.isZero()) return;
  const value = fills.reduce(
    (sum, { quantity, price }) => sum.plus(new Decimal(price).times(quantity)),
    new Decimal(0),
  );
  const average = value.div(filled).toDecimalPlaces(8);
  const stored = new Decimal(intent.averagePrice ?? 'NaN').toDecimalPlaces(8);
  list.same("ledger's executions give the average price", average.toFixed(), stored.toFixed());
}

function checkLegs(
  list: VerifyFacts['list'],
  intent: IntentRow,
  ledger: LedgerFacts,
  entry: LedgerOrder,
): void {
  const legs = ledger.orders.filter(({ parentId }) => parentId === entry.orderId);
  const found = legs.map(({ orderType, side, price, quantity }) => ({ orderType, side, price, quantity }));
  const side = intent.side === 'BUY' ? 'SELL' : 'BUY';
  const leg = (orderType: 'STP' | 'LMT', price: string | null) =>
    price === null ? [] : [{ orderType, side, price, quantity: intent.quantity }];
  const byType = <T extends { orderType: string }>(rows: readonly T[]): T[] =>
    [...rows].sort((a, b) => a.orderType.localeCompare(b.orderType));
  list.same(
    "ledger's protective orders are the stop and target of the intent",
    byType(found),
    byType([...leg('STP', intent.stop), ...leg('LMT', intent.target)]),
  );
}
