// The accounts of the login in the brokerage session, and which of them is selected. Called by app.ts.
import { Router } from 'express';
import { positionsOf } from '../exchange/accounts.js';
import { dayProfitOf } from '../exchange/dayProfit.js';
import { accountOf } from '../exchange/state.js';
import type { Portal } from './portal.js';
import { fieldsOf } from './portal.js';

export function accountsRouter(portal: Portal): Router {
  const { session, accounts } = portal;
  const router = Router();
  router.get('/iserver/accounts', (_request, response) => {
    session.accountsQueried = true;
    response.json(brokerageAccounts(portal));
  });
  router.post('/iserver/account', (request, response) => {
    const wanted = fieldsOf(request.body)['acctId'];
    if (typeof wanted !== 'string' || !accounts.includes(wanted)) {
      response.status(500).json({ error: 'Account id is not valid' });
      return;
    }
    session.switched = true;
    if (wanted === session.account) response.json({ success: 'Account already set' });
    else response.json({ set: true, acctId: wanted });
    session.account = wanted;
  });
  router.get('/iserver/account/pnl/partitioned', (_request, response) => {
    response.json({ upnl: profitsOf(portal) });
  });
  return router;
}

function brokerageAccounts({ accounts, session }: Portal): object {
  const props = { hasChildAccounts: false, supportsCashQty: false, supportsFractions: false };
  return {
    // A login of several accounts has one more, which stands for them all.
    accounts: accounts.length > 1 ? [...accounts, 'All'] : accounts,
    acctProps: Object.fromEntries(accounts.map((id) => [id, props])),
    aliases: Object.fromEntries(accounts.map((id) => [id, id])),
    allowFeatures: { showGFIS: false, allowFXConv: false, allowedAssetTypes: 'STK' },
    chartPeriods: { STK: ['*'] },
    groups: [],
    profiles: [],
    selectedAccount: session.account,
    serverInfo: { serverName: 'KeelSimulator', serverVersion: 'Build 10.44.1d, Keel simulator' },
    sessionId: '66fe1afd.00000134',
    isFT: false,
    isPaper: true,
  };
}

/** Profit and loss of the selected account, by account and model. */
export function profitsOf({ engine, session }: Portal): Readonly<Record<string, object>> {
  const { market, state } = engine;
  const account = accountOf(state, session.account);
  const positions = positionsOf(market, state, account);
  const sum = (values: readonly number[]): number =>
    Number(values.reduce((total, value) => total + value, 0).toFixed(2));
  const value = sum(positions.map((position) => position.marketValue.toNumber()));
  const gained = sum(positions.map((position) => position.unrealizedPnl.toNumber()));
  const net = sum([Number(account.cash), value]);
  const dpl = dayProfitOf(market, state, account).toNumber();
  const row = { rowType: 1, dpl, nl: net, upl: gained, uel: net, el: net, mv: value };
  return { [`${session.account}.Core`]: row };
}
