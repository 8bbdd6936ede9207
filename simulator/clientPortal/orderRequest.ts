// Reads the orders of a request as the broker does: a wrong JSON type is its Java error, a wrong word its refusal.
// Called by orders.ts.
import { price, quantity } from '../../domain/money/decimal.js';
import type { OrderDraft } from '../exchange/orders.js';
import type { OrderType, Side, TimeInForce, Trail } from '../exchange/types.js';
import { fieldsOf } from './portal.js';

/** The broker's 400, in its words. */
export class BadOrder extends Error {}

type Fields = Readonly<Record<string, unknown>>;

const javaName = (value: unknown): string => {
  if (typeof value === 'string') return 'java.lang.String';
  if (typeof value === 'boolean') return 'java.lang.Boolean';
  return typeof value === 'number' ? 'java.lang.Integer' : 'java.util.LinkedHashMap';
};

function read(fields: Fields, name: string, wanted: 'number' | 'string' | 'boolean'): unknown {
  const value = fields[name];
  if (value === undefined || value === null) return null;
  const target = { number: 'Number', string: 'String', boolean: 'Boolean' }[wanted];
  if (typeof value !== wanted) throw new BadOrder(`${javaName(value)} cannot be cast to java.lang.${target}`);
  // A JSON number too large for a double arrives as Infinity.
  if (typeof value === 'number' && !Number.isFinite(value))
    throw new BadOrder(`${name} is a larger number than any that can be traded`);
  return value;
}

const readNumber = (fields: Fields, name: string): number | null =>
  read(fields, name, 'number') as number | null;
const readString = (fields: Fields, name: string): string | null =>
  read(fields, name, 'string') as string | null;

function oneOf<T extends string>(fields: Fields, name: string, allowed: readonly T[]): T {
  const value = readString(fields, name)?.toUpperCase();
  const found = allowed.find((item) => item === value);
  if (found === undefined)
    throw new BadOrder(`${name} ${value ?? 'is missing'}: this simulator has ${allowed.join(', ')}`);
  return found;
}

const exactPrice = (value: number): string => price(String(value)).toString();

/** Terms that this exchange does not have are refused, never ignored. */
function refuseUnknownTerms(fields: Fields, account: string): void {
  const other = readString(fields, 'acctId');
  if (other !== null && other !== account)
    throw new BadOrder(`acctId ${other} is not the account of the path`);
  for (const name of ['outsideRTH', 'useAdaptive'])
    if (read(fields, name, 'boolean') === true)
      throw new BadOrder(`${name} is not supported by this simulator`);
  if (readNumber(fields, 'cashQty') !== null)
    throw new BadOrder('cashQty is not supported by this simulator');
}

/** The kind of a contract, such as STK; null where there is no such contract. */
type SecTypeOf = (conid: number) => string | null;

/** The kind stands alone or behind the contract's id. */
function refuseOtherKind(fields: Fields, conid: number, secTypeOf: SecTypeOf): void {
  const named = readString(fields, 'secType');
  const own = secTypeOf(conid);
  if (named === null || own === null) return;
  if (![own, `${conid}:${own}`, `${conid}@${own}`].includes(named))
    throw new BadOrder(`secType ${named} is not that of contract ${conid}, which is ${conid}:${own}`);
}

/** One order of a request. @throws BadOrder */
export function readOrder(body: unknown, account: string, secTypeOf: SecTypeOf): OrderDraft {
  const fields = fieldsOf(body);
  refuseUnknownTerms(fields, account);
  const conid = readNumber(fields, 'conid');
  const units = readNumber(fields, 'quantity');
  const at = readNumber(fields, 'price');
  if (conid === null || !Number.isSafeInteger(conid))
    throw new BadOrder('conid is missing or no whole number');
  refuseOtherKind(fields, conid, secTypeOf);
  if (units === null) throw new BadOrder('quantity is missing');
  const orderType = oneOf<OrderType>(fields, 'orderType', orderTypes);
  const aux = orderType === 'STOP_LIMIT' || orderType === 'TRAILLMT' ? readNumber(fields, 'auxPrice') : null;
  const isUnpriced = orderType === 'MKT' || orderType === 'MOC';
  return {
    conid,
    side: oneOf<Side>(fields, 'side', ['BUY', 'SELL']),
    orderType,
    tif: oneOf<TimeInForce>(fields, 'tif', ['DAY', 'GTC', 'IOC', 'OPG']),
    quantity: quantity(String(units)).toString(),
    price: isUnpriced || at === null ? null : exactPrice(at),
    ...(aux === null ? {} : { auxPrice: exactPrice(aux) }),
    ...(orderType === 'TRAIL' || orderType === 'TRAILLMT' ? readTrail(fields, orderType) : {}),
    cOID: readString(fields, 'cOID'),
    parent: readString(fields, 'parentId'),
    single: read(fields, 'isSingleGroup', 'boolean') === true,
  };
}

const orderTypes = ['MKT', 'LMT', 'STP', 'STOP_LIMIT', 'TRAIL', 'TRAILLMT', 'MOC', 'LOC'] as const;

function readTrail(fields: Fields, type: OrderType): { trail: Trail } {
  const size = readNumber(fields, 'trailingAmt');
  const by = readString(fields, 'trailingType');
  if (size === null || (by !== 'amt' && by !== '%'))
    throw new BadOrder(`A ${type} order needs a trailingType of amt or %, and a trailingAmt`);
  return { trail: { by, size: exactPrice(size) } };
}

/** The orders of a place request. @throws BadOrder */
export function readOrders(body: unknown, account: string, secTypeOf: SecTypeOf): OrderDraft[] {
  const { orders } = fieldsOf(body);
  if (!Array.isArray(orders) || orders.length === 0) throw new BadOrder('orders must be a list of orders');
  return orders.map((order: unknown) => readOrder(order, account, secTypeOf));
}
