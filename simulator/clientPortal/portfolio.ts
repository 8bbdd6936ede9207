// The portfolio of an account: who it is, its summary, cash ledger and positions. Called by app.ts.
import { Router } from 'express';
import type { Position, Valuation } from '../exchange/accounts.js';
import { positionsOf, valuationOf } from '../exchange/accounts.js';
import { accountOf } from '../exchange/state.js';
import type { Money } from '../../domain/money/decimal.js';
import { money } from '../../domain/money/decimal.js';
import { secTypeOf } from './orderRows.js';
import type { Portal } from './portal.js';
import { accountOfPath } from './portal.js';

const POSITIONS_PER_PAGE = 100;

export function portfolioRouter(portal: Portal): Router {
  const { accounts, session } = portal;
  const router = Router();
  const everyAccount = ['/portfolio/accounts', '/portfolio/subaccounts'];
  router.get(everyAccount, (_request, response) => {
    response.json(accounts.map(portfolioAccount));
  });
  router.get('/portfolio/:account/meta', (request, response) => {
    const account = accountOfPath(portal, request, response);
    if (account !== null) response.json(portfolioAccount(account));
  });
  router.get('/portfolio/:account/summary', (request, response) => {
    const account = accountOfPath(portal, request, response);
    if (account !== null) response.json(summary(portal, account, valuation(portal, account)));
  });
  router.get('/portfolio/:account/ledger', (request, response) => {
    const account = accountOfPath(portal, request, response);
    if (account !== null) response.json(cashLedger(portal, account, valuation(portal, account)));
  });
  router.get('/portfolio/:account/positions/:page', (request, response) => {
    const account = accountOfPath(portal, request, response);
    if (account === null) return;
    const page = Number(request.params.page);
    if (!Number.isInteger(page) || page < 0) {
      response.status(400).json({ error: 'Bad Request: page must be a number from 0', statusCode: 400 });
      return;
    }
    const rows = held(portal, account).slice(page * POSITIONS_PER_PAGE, (page + 1) * POSITIONS_PER_PAGE);
    response.json(rows.map((position) => positionRow(portal, account, position, !session.positionsRead)));
    session.positionsRead = true;
  });
  router.get('/portfolio/positions/:conid', (request, response) => {
    const { conid } = request.params;
    response.json(
      Object.fromEntries(
        accounts.flatMap((account) => {
          const rows = positionsIn(portal, account, conid);
          return rows.length === 0 ? [] : [[account, rows]];
        }),
      ),
    );
  });
  router.get('/portfolio/:account/position/:conid', (request, response) => {
    const account = accountOfPath(portal, request, response);
    if (account === null) return;
    response.json(positionsIn(portal, account, request.params.conid));
  });
  router.post('/portfolio/:account/positions/invalidate', (request, response) => {
    if (accountOfPath(portal, request, response) !== null) response.json({ message: 'success' });
  });
  router.get('/portfolio2/:account/positions', (request, response) => {
    const account = accountOfPath(portal, request, response);
    if (account !== null) response.json(held(portal, account).map((position) => nearRow(portal, position)));
  });
  return router;
}

const held = ({ engine }: Portal, account: string): Position[] =>
  positionsOf(engine.market, engine.state, accountOf(engine.state, account));

/** What an account has of one contract: a row, or none. */
const positionsIn = (portal: Portal, account: string, wanted: string): object[] =>
  held(portal, account)
    .filter(({ conid }) => String(conid) === wanted)
    .map((position) => positionRow(portal, account, position, false));

const valuation = ({ engine }: Portal, account: string): Valuation =>
  valuationOf(engine.market, engine.costs, engine.state, accountOf(engine.state, account));

/** A row of the near-real-time list, whose conid is a string. */
function nearRow({ engine }: Portal, position: Position): object {
  const instrument = engine.market.instrument(position.conid);
  return {
    position: position.quantity.toNumber(),
    conid: String(position.conid),
    avgCost: position.averageCost,
    avgPrice: position.averageCost,
    currency: 'USD',
    description: instrument?.symbol ?? '',
    isLastToLoq: false,
    marketPrice: position.marketPrice,
    marketValue: position.marketValue.toNumber(),
    realizedPnl: position.realizedPnl.toNumber(),
    secType: secTypeOf(instrument),
    timestamp: Math.floor(Date.parse(engine.state.now) / 1000),
    unrealizedPnl: position.unrealizedPnl.toNumber(),
    assetClass: secTypeOf(instrument),
    sector: '',
    group: '',
    model: '',
  };
}

function portfolioAccount(id: string): object {
  return {
    id,
    accountId: id,
    accountVan: id,
    accountTitle: 'Keel simulator',
    displayName: id,
    accountAlias: null,
    accountStatus: 1_678_852_800_000,
    currency: 'USD',
    type: 'DEMO',
    tradingType: 'STKNOPT',
    faclient: false,
    clearingStatus: 'O',
    covestor: false,
    brokerageAccess: true,
    parent: {
      mmc: [],
      accountId: '',
      isMParent: false,
      isMChild: false,
      isMultiplex: false,
    },
    desc: id,
  };
}

/** Lower-case keys, each also for the securities (-s) and commodities (-c) segments. A cash account has no margin. */
function summary({ engine }: Portal, account: string, value: Valuation): Record<string, object> {
  const timestamp = Date.parse(engine.state.now);
  const row = (amount: number, text: string, currency: string | null): object => ({
    amount,
    currency,
    isNull: false,
    timestamp,
    value: text,
    severity: 0,
  });
  const free = money(value.settled.minus(value.reserved));
  const amounts: Record<string, Money> = {
    netliquidation: value.netLiquidation,
    equitywithloanvalue: value.netLiquidation,
    grosspositionvalue: value.stocks,
    totalcashvalue: value.cash,
    settledcash: value.settled,
    availablefunds: free,
    buyingpower: free,
    excessliquidity: free,
    initmarginreq: money('0'),
    maintmarginreq: money('0'),
  };
  const result: Record<string, object> = { accountcode: row(0, account, null) };
  for (const [key, amount] of Object.entries(amounts)) {
    result[key] = row(amount.toNumber(), amount.toString(), 'USD');
    result[`${key}-s`] = row(amount.toNumber(), amount.toString(), 'USD');
    result[`${key}-c`] = row(0, '0', 'USD');
  }
  return result;
}

function cashLedger({ engine }: Portal, account: string, value: Valuation): object {
  const row = (currency: string): object => ({
    commoditymarketvalue: 0,
    futuremarketvalue: 0,
    settledcash: value.settled.toNumber(),
    exchangerate: 1,
    sessionid: 1,
    cashbalance: value.cash.toNumber(),
    corporatebondsmarketvalue: 0,
    warrantsmarketvalue: 0,
    netliquidationvalue: value.netLiquidation.toNumber(),
    interest: 0,
    unrealizedpnl: value.unrealizedPnl.toNumber(),
    stockmarketvalue: value.stocks.toNumber(),
    moneyfunds: 0,
    currency,
    realizedpnl: value.realizedPnl.toNumber(),
    funds: 0,
    acctcode: account,
    issueroptionsmarketvalue: 0,
    key: 'LedgerList',
    timestamp: Math.floor(Date.parse(engine.state.now) / 1000),
    severity: 0,
    stockoptionmarketvalue: 0,
    futuresonlypnl: 0,
    tbondsmarketvalue: 0,
    futureoptionmarketvalue: 0,
    cashbalancefxsegment: 0,
    secondkey: currency,
    tbillsmarketvalue: 0,
    dividends: 0,
  });
  return { USD: row('USD'), BASE: row('BASE') };
}

/** The first read of a session lacks ticker and name. */
function positionRow({ engine }: Portal, account: string, position: Position, sparse: boolean): object {
  const instrument = engine.market.instrument(position.conid);
  const known = {
    acctId: account,
    conid: position.conid,
    contractDesc: instrument?.symbol ?? '',
    position: position.quantity.toNumber(),
    mktPrice: position.marketPrice,
    mktValue: position.marketValue.toNumber(),
    currency: 'USD',
    avgCost: position.averageCost,
    avgPrice: position.averageCost,
    realizedPnl: position.realizedPnl.toNumber(),
    unrealizedPnl: position.unrealizedPnl.toNumber(),
    exchs: null,
    expiry: null,
    putOrCall: null,
    multiplier: null,
    strike: 0,
    exerciseStyle: null,
    conExchMap: [],
    assetClass: secTypeOf(instrument),
    undConid: 0,
    model: '',
  };
  if (sparse) return known;
  return {
    ...known,
    ticker: instrument?.symbol ?? '',
    name: instrument?.name ?? '',
    fullName: instrument?.symbol ?? '',
    listingExchange: instrument?.exchange ?? '',
    countryCode: 'US',
    isUS: true,
    incrementRules: [{ lowerEdge: 0, increment: 0.01 }],
    baseMktValue: position.marketValue.toNumber(),
    baseMktPrice: position.marketPrice,
  };
}
