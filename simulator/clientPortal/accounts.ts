// Accounts and portfolio: which accounts there are, their summary, cash ledger and positions.
import { Router } from 'express';
import type { Position, Valuation } from '../exchange/accounts.js';
import { positionsOf, valuationOf } from '../exchange/accounts.js';
import { accountOf } from '../exchange/state.js';
import type { Money } from '../../domain/money/decimal.js';
import { money } from '../../domain/money/decimal.js';
import type { Portal } from './portal.js';
import { fieldsOf, isOurAccount } from './portal.js';

const POSITIONS_PER_PAGE = 100;

export function accountsRouter(portal: Portal): Router {
  const { accountId, session } = portal;
  const router = Router();
  router.get('/iserver/accounts', (_request, response) => {
    session.accountsQueried = true;
    response.json(brokerageAccounts(accountId));
  });
  router.post('/iserver/account', (request, response) => {
    const wanted = fieldsOf(request.body)['acctId'];
    if (wanted === accountId) response.json({ success: 'Account already set' });
    else response.status(500).json({ error: 'Account id is not valid' });
  });
  router.get('/portfolio/accounts', (_request, response) => {
    response.json([portfolioAccount(accountId)]);
  });
  router.get('/portfolio/:account/summary', (request, response) => {
    if (isOurAccount(portal, request, response)) response.json(summary(portal, valuation(portal)));
  });
  router.get('/portfolio/:account/ledger', (request, response) => {
    if (isOurAccount(portal, request, response)) response.json(cashLedger(portal, valuation(portal)));
  });
  router.get('/portfolio/:account/positions/:page', (request, response) => {
    if (!isOurAccount(portal, request, response)) return;
    const page = Number(request.params.page);
    if (!Number.isInteger(page) || page < 0) {
      response.status(400).json({ error: 'page must be a number from 0' });
      return;
    }
    const { market, state } = portal.engine;
    const positions = positionsOf(market, state, accountOf(state, accountId));
    const rows = positions.slice(page * POSITIONS_PER_PAGE, (page + 1) * POSITIONS_PER_PAGE);
    response.json(rows.map((position) => positionRow(portal, position, !session.positionsRead)));
    session.positionsRead = true;
  });
  router.post('/portfolio/:account/positions/invalidate', (request, response) => {
    if (isOurAccount(portal, request, response)) response.json({ message: 'success' });
  });
  return router;
}

const valuation = ({ engine, accountId }: Portal): Valuation =>
  valuationOf(engine.market, engine.costs, engine.state, accountOf(engine.state, accountId));

function brokerageAccounts(id: string): object {
  return {
    accounts: [id],
    acctProps: { [id]: { hasChildAccounts: false, supportsCashQty: false, supportsFractions: false } },
    aliases: { [id]: id },
    allowFeatures: { showGFIS: false, allowFXConv: false, allowedAssetTypes: 'STK' },
    chartPeriods: { STK: ['*'] },
    groups: [],
    profiles: [],
    selectedAccount: id,
    serverInfo: { serverName: 'KeelSimulator', serverVersion: 'Build 10.44.1d, Keel simulator' },
    sessionId: '66fe1afd.00000134',
    isFT: false,
    isPaper: true,
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
    tradingType: 'STKCASH',
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
function summary({ engine, accountId }: Portal, value: Valuation): Record<string, object> {
  const timestamp = Date.parse(engine.state.now);
  const row = (amount: number, text: string, currency: string | null): object => ({
    amount,
    currency,
    isNull: false,
    timestamp,
    value: text,
    severity: 0,
  });
  const free = money(value.cash.minus(value.reserved));
  const amounts: Record<string, Money> = {
    netliquidation: value.netLiquidation,
    equitywithloanvalue: value.netLiquidation,
    grosspositionvalue: value.stocks,
    totalcashvalue: value.cash,
    settledcash: value.cash,
    availablefunds: free,
    buyingpower: free,
    excessliquidity: free,
    initmarginreq: money('0'),
    maintmarginreq: money('0'),
  };
  const result: Record<string, object> = { accountcode: row(0, accountId, null) };
  for (const [key, amount] of Object.entries(amounts)) {
    result[key] = row(amount.toNumber(), amount.toString(), 'USD');
    result[`${key}-s`] = row(amount.toNumber(), amount.toString(), 'USD');
    result[`${key}-c`] = row(0, '0', 'USD');
  }
  return result;
}

function cashLedger({ engine, accountId }: Portal, value: Valuation): object {
  const row = (currency: string): object => ({
    commoditymarketvalue: 0,
    futuremarketvalue: 0,
    settledcash: value.cash.toNumber(),
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
    acctcode: accountId,
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
function positionRow({ engine, accountId }: Portal, position: Position, sparse: boolean): object {
  const instrument = engine.market.instrument(position.conid);
  const known = {
    acctId: accountId,
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
    assetClass: 'STK',
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
