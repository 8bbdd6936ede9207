// Market data: history, and snapshots whose first call per contract only opens the stream.
import { Router } from 'express';
import type { Quote } from '../exchange/market.js';
import { barsOf, halfSpread, historyAnswer, readHistoryRequest } from './history.js';
import type { Portal } from './portal.js';
import { fieldsOf, isOn, query, requireAccounts } from './portal.js';

const MOST_CONIDS = 100;
const MOST_FIELDS = 50;

export function marketDataRouter(portal: Portal): Router {
  const { session } = portal;
  const router = Router();
  router.get('/iserver/marketdata/history', (request, response) => {
    const { status, body } = historyOf(portal, {
      conid: query(request, 'conid'),
      period: query(request, 'period'),
      bar: query(request, 'bar'),
      startTime: query(request, 'startTime'),
      direction: query(request, 'direction'),
      source: query(request, 'source'),
      outsideRth: isOn(request, 'outsideRth'),
    });
    response.status(status).json(body);
  });
  router.get('/iserver/marketdata/snapshot', requireAccounts(portal), (request, response) => {
    const conids = list(query(request, 'conids'));
    const fields = list(query(request, 'fields'));
    const isValid = conids.every((conid) => /^\d{1,15}$/.test(conid));
    if (!isValid || conids.length === 0 || conids.length > MOST_CONIDS || fields.length > MOST_FIELDS) {
      response.status(400).json({ error: 'Bad Request: conids or fields are not valid', statusCode: 400 });
      return;
    }
    response.json(conids.map((conid) => snapshotRow(portal, Number(conid), fields)));
  });
  router.post('/iserver/marketdata/unsubscribe', (request, response) => {
    const { conid } = fieldsOf(request.body);
    if (typeof conid === 'number' && session.streams.delete(conid)) response.json({ success: true });
    else response.status(500).json({ error: 'unknown' });
  });
  router.get('/iserver/marketdata/unsubscribeall', (_request, response) => {
    session.streams.clear();
    response.json({ unsubscribed: true });
  });
  return router;
}

/** The bars that are asked for, or why there are none. */
export function historyOf(
  { engine }: Portal,
  asked: Parameters<typeof readHistoryRequest>[0],
): { readonly status: number; readonly body: object } {
  const { now } = engine.state;
  const wanted = readHistoryRequest(asked, now);
  if ('error' in wanted) return { status: 500, body: { error: wanted.error } };
  const instrument = engine.market.instrument(wanted.conid);
  if (instrument === undefined)
    return { status: 500, body: { error: `No contract found for conid ${wanted.conid}` } };
  const [first, ...rest] = barsOf(engine.market, wanted, now, Number(engine.costs.spread));
  if (first === undefined) return { status: 200, body: { error: 'No data.' } };
  return { status: 200, body: historyAnswer(instrument.symbol, wanted, [first, ...rest]) };
}

const list = (text: string | null): string[] => (text ?? '').split(',').filter((item) => item !== '');

/** The first call of a contract answers nothing but its id. */
function snapshotRow(portal: Portal, conid: number, fields: readonly string[]): object {
  const { session, clock } = portal;
  const bare = { conid, conidEx: String(conid) };
  if (!session.streams.has(conid)) {
    session.streams.add(conid);
    return bare;
  }
  const asked = liveFields(portal, conid, fields);
  if (asked === null) return bare;
  return { ...bare, server_id: 'q1', '6119': 'q1', ...asked, _updated: clock.now() };
}

/** The fields of a contract that were asked for and are known; null without a quote. */
export function liveFields({ engine }: Portal, conid: number, fields: readonly string[]): Values | null {
  const quote = engine.market.quote(conid, engine.state.now);
  const symbol = engine.market.instrument(conid)?.symbol;
  if (quote === null || symbol === undefined) return null;
  const phase = engine.state.halted.has(conid) ? 'halted' : quote.phase;
  const values = fieldValues({ ...quote, phase }, symbol, Number(engine.costs.spread));
  const asked = fields.flatMap((field) => {
    const raw = `${field}_raw`;
    return [...entry(values, field), ...entry(values, raw)];
  });
  return Object.fromEntries(asked);
}

type Values = Readonly<Record<string, string | number>>;

function entry(values: Values, key: string): (readonly [string, string | number])[] {
  const value = values[key];
  return value === undefined ? [] : [[key, value]];
}

const text = (value: number): string =>
  value.toLocaleString('en-US', { minimumFractionDigits: 2, maximumFractionDigits: 2 });

/** Values by field code. A price that is no live one is prefixed: C last close, H halted. */
function fieldValues(quote: Quote, symbol: string, spread: number): Values {
  const half = halfSpread(quote.last, spread);
  const prefix = { open: '', shut: 'C', halted: 'H' }[quote.phase];
  const change = quote.last - (quote.priorClose ?? quote.last);
  const live = quote.phase === 'open';
  return {
    '31': `${prefix}${text(quote.last)}`,
    '55': symbol,
    '70': text(quote.bar.high),
    '71': text(quote.bar.low),
    '82': change.toFixed(2),
    '83': Number(((100 * change) / (quote.last - change)).toFixed(2)),
    '84': text(quote.last - half),
    '85': '300',
    '86': text(quote.last + half),
    '88': '300',
    '6509': 'R',
    '7295': text(quote.bar.open),
    ...(live ? {} : { '7296': text(quote.bar.close) }),
    ...(live && quote.priorClose !== null ? { '7296': text(quote.priorClose) } : {}),
    ...(quote.priorClose === null ? {} : { '7741': text(quote.priorClose) }),
    ...(live ? {} : { '87': shortVolume(quote.bar.volume), '87_raw': quote.bar.volume }),
  };
}

function shortVolume(volume: number): string {
  for (const [unit, size] of [
    ['B', 1e9],
    ['M', 1e6],
    ['K', 1e3],
  ] as const)
    if (volume >= size) return `${(volume / size).toFixed(1)}${unit}`;
  return String(volume);
}
