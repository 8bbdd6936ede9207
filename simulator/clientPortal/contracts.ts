// Contracts: search, resolution and rules. The conid is a string in search and a number everywhere else, as at the broker.
import { Router } from 'express';
import type { Response } from 'express';
import type { Instrument } from '../exchange/types.js';
import { secTypeOf } from './orderRows.js';
import type { Portal } from './portal.js';
import { fieldsOf, isOn, query } from './portal.js';

/** A foreign listing of AAPL that resolvers must not choose; it cannot be traded here. */
const foreign = { symbol: 'AAPL', conid: 38_708_077, exchange: 'MEXI' };

const incrementRules = [{ lowerEdge: 0, increment: 0.01 }];

export function contractsRouter(portal: Portal): Router {
  const { market } = portal.engine;
  const router = Router();
  const find = (conid: unknown): Instrument | undefined => market.instrument(Number(conid));
  const search = (symbol: unknown, byName: boolean, response: Response): void => {
    if (typeof symbol !== 'string' || symbol === '') {
      response.status(400).json({ error: 'symbol is required' });
      return;
    }
    const wanted = symbol.toUpperCase();
    const found = market.instruments.filter(
      ({ symbol: own, name }) => own === wanted || (byName && name.toUpperCase().includes(wanted)),
    );
    response.json(found.flatMap(searchRows));
  };

  router.get('/iserver/secdef/search', (request, response) => {
    search(query(request, 'symbol'), isOn(request, 'name'), response);
  });
  router.post('/iserver/secdef/search', (request, response) => {
    const { symbol, name } = fieldsOf(request.body);
    search(symbol, name === true, response);
  });
  router.get('/trsrv/stocks', (request, response) => {
    const symbols = (query(request, 'symbols') ?? '').split(',').filter((symbol) => symbol !== '');
    response.json(
      Object.fromEntries(symbols.map((symbol) => [symbol, stocksRow(market.bySymbol(symbol.toUpperCase()))])),
    );
  });
  router.get('/trsrv/secdef', (request, response) => {
    const found = (query(request, 'conids') ?? '').split(',').flatMap((conid) => find(conid) ?? []);
    response.json({ secdef: found.map(secdef) });
  });
  router.get('/iserver/contract/:conid/info', (request, response) => {
    const instrument = find(request.params.conid);
    if (instrument === undefined) response.status(500).json({ error: 'Contract not found' });
    else response.json(contractInfo(instrument));
  });
  router.get('/iserver/contract/:conid/info-and-rules', (request, response) => {
    const instrument = find(request.params.conid);
    if (instrument === undefined) response.status(500).json({ error: 'Contract not found' });
    else response.json({ ...contractInfo(instrument), rules: rules(portal, instrument) });
  });
  router.post('/iserver/contract/rules', (request, response) => {
    const { conid, isBuy = true } = fieldsOf(request.body);
    const instrument = typeof conid === 'number' ? find(conid) : undefined;
    if (instrument === undefined || typeof isBuy !== 'boolean') {
      response.status(500).json({ error: 'Contract not found' });
      return;
    }
    response.json(rules(portal, instrument));
  });
  return router;
}

function searchRows({ conid, name, symbol, exchange, kind }: Instrument): object[] {
  const row = (id: number, where: string): object => ({
    conid: String(id),
    companyHeader: `${name} - ${where}`,
    companyName: name,
    symbol,
    description: where,
    restricted: null,
    fop: null,
    opt: null,
    war: null,
    sections: [{ secType: kind === 'crypto' ? 'CRYPTO' : 'STK' }],
  });
  const own = row(conid, exchange);
  return symbol === foreign.symbol ? [own, row(foreign.conid, foreign.exchange)] : [own];
}

function stocksRow(instrument: Instrument | undefined): object[] {
  // Crypto is found by search only.
  if (instrument?.kind !== 'stock') return [];
  const { conid, name, symbol, exchange } = instrument;
  const contracts = [{ conid, exchange, isUS: true }];
  if (symbol === foreign.symbol)
    contracts.push({ conid: foreign.conid, exchange: foreign.exchange, isUS: false });
  return [{ name, chineseName: null, assetClass: 'STK', contracts }];
}

function secdef(instrument: Instrument): object {
  const { conid, name, symbol, exchange } = instrument;
  return {
    conid,
    currency: 'USD',
    time: 0,
    chineseName: null,
    allExchanges: exchange,
    listingExchange: exchange,
    countryCode: 'US',
    name,
    assetClass: secTypeOf(instrument),
    expiry: null,
    lastTradingDay: null,
    group: null,
    putOrCall: null,
    sector: null,
    sectorGroup: null,
    strike: '0',
    ticker: symbol,
    undConid: 0,
    multiplier: 0,
    type: 'COMMON',
    hasOptions: false,
    fullName: symbol,
    isUS: true,
    incrementRules,
    displayRule: {
      magnification: 0,
      displayRuleStep: [{ decimalDigits: 2, lowerEdge: 0, wholeDigits: 4 }],
    },
    isEventContract: false,
    pageSize: 100,
  };
}

function contractInfo(instrument: Instrument): object {
  const { conid, name, symbol, exchange } = instrument;
  return {
    cfi_code: '',
    symbol,
    cusip: null,
    expiry_full: null,
    con_id: conid,
    maturity_date: null,
    industry: '',
    instrument_type: secTypeOf(instrument),
    trading_class: symbol,
    valid_exchanges: `SMART,${exchange}`,
    allow_sell_long: false,
    is_zero_commission_security: false,
    local_symbol: symbol,
    contract_clarification_type: null,
    classifier: null,
    currency: 'USD',
    text: null,
    underlying_con_id: 0,
    r_t_h: true,
    multiplier: null,
    underlying_issuer: null,
    contract_month: null,
    company_name: name,
    smart_available: true,
    exchange,
    category: '',
  };
}

function rules({ engine, accounts }: Portal, { conid, kind }: Instrument): object {
  return {
    algoEligible: false,
    overnightEligible: false,
    costReport: false,
    canTradeAcctIds: accounts,
    error: null,
    orderTypes: [
      'limit',
      'market',
      'stop',
      'stop_limit',
      'trailing_stop',
      'trailing_stop_limit',
      'marketonclose',
      'limitonclose',
    ],
    orderTypesOutside: [],
    ibAlgoTypes: [],
    fraqTypes: [],
    forceOrderPreview: false,
    cqtTypes: [],
    orderDefaults: {},
    tifTypes: ['IOC/MARKET,LIMIT,a', 'GTC/o,a', 'OPG/LIMIT,MARKET,a', 'DAY/o,a'],
    tifDefaults: { TIF: 'DAY' },
    defaultSize: 100,
    sizeIncrement: kind === 'crypto' ? 0.0001 : 1,
    cashSize: 0,
    cashCcy: 'USD',
    increment: 0.01,
    incrementDigits: 2,
    incrementType: 1,
    incrementRules,
    limitPrice: engine.market.quote(conid, engine.state.now)?.last ?? null,
    hasSecondary: false,
    negativeCapable: false,
  };
}
