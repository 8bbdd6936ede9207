// The simulator's answers against IBKR's own OpenAPI document, where there is a copy of it: every place where the wire differs
// from the document is in a committed list, and no other.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Ajv } from 'ajv';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startSimulator } from '../simulator/server.js';
import type { Simulator } from '../simulator/server.js';
import {
  AAPL,
  ACCOUNT,
  OPEN_PLUS_5,
  bracket,
  optionsFor,
  order,
  place,
  prime,
  request,
  step,
} from './support/simulator.js';
import type { Rows } from './support/simulator.js';
import { tempFolder } from './support/temp.js';

const file =
  process.env['IBKR_OPENAPI_FILE'] ??
  path.resolve(import.meta.dirname, '../../shared/reference/ibkr-openapi-2.28.0-trading.json');
const listFile = path.join(import.meta.dirname, 'simulatorOpenApi.json');

if (!existsSync(file))
  process.stderr.write(
    `\nSKIPPED: IBKR's OpenAPI document is not at ${file}. Download it and name it in IBKR_OPENAPI_FILE.\n\n`,
  );

/** What is asked, under its name in the document. `{order}` is the id of the entry that was placed. */
const calls: readonly (readonly [
  method: 'GET' | 'POST' | 'DELETE',
  spec: string,
  where: string,
  body?: object,
])[] = [
  ['POST', '/iserver/auth/status', '/iserver/auth/status', {}],
  ['POST', '/iserver/auth/ssodh/init', '/iserver/auth/ssodh/init', { publish: true, compete: true }],
  ['POST', '/tickle', '/tickle', {}],
  ['GET', '/sso/validate', '/sso/validate'],
  ['GET', '/iserver/accounts', '/iserver/accounts'],
  ['GET', '/portfolio/accounts', '/portfolio/accounts'],
  ['GET', '/portfolio/subaccounts', '/portfolio/subaccounts'],
  ['GET', '/portfolio/{accountId}/meta', `/portfolio/${ACCOUNT}/meta`],
  ['GET', '/portfolio/{accountId}/summary', `/portfolio/${ACCOUNT}/summary`],
  ['GET', '/portfolio/{accountId}/ledger', `/portfolio/${ACCOUNT}/ledger`],
  ['GET', '/portfolio/{accountId}/positions/{pageId}', `/portfolio/${ACCOUNT}/positions/0`],
  ['GET', '/portfolio/{accountid}/position/{conid}', `/portfolio/${ACCOUNT}/position/${AAPL}`],
  ['GET', '/portfolio/positions/{conid}', `/portfolio/positions/${AAPL}`],
  ['POST', '/portfolio/{accountId}/positions/invalidate', `/portfolio/${ACCOUNT}/positions/invalidate`, {}],
  ['GET', '/iserver/account/pnl/partitioned', '/iserver/account/pnl/partitioned'],
  ['GET', '/iserver/secdef/search', '/iserver/secdef/search?symbol=AAPL'],
  ['GET', '/trsrv/stocks', '/trsrv/stocks?symbols=AAPL'],
  ['GET', '/trsrv/secdef', `/trsrv/secdef?conids=${AAPL}`],
  ['GET', '/iserver/contract/{conid}/info', `/iserver/contract/${AAPL}/info`],
  ['GET', '/iserver/contract/{conid}/info-and-rules', `/iserver/contract/${AAPL}/info-and-rules`],
  ['POST', '/iserver/contract/rules', '/iserver/contract/rules', { conid: AAPL, isBuy: true }],
  ['GET', '/iserver/marketdata/history', `/iserver/marketdata/history?conid=${AAPL}&period=1m&bar=1d`],
  ['GET', '/iserver/marketdata/snapshot', `/iserver/marketdata/snapshot?conids=${AAPL}&fields=31,84,86`],
  ['GET', '/iserver/marketdata/snapshot', `/iserver/marketdata/snapshot?conids=${AAPL}&fields=31,84,86,87`],
  ['GET', '/iserver/account/orders', '/iserver/account/orders'],
  ['GET', '/iserver/account/order/status/{orderId}', '/iserver/account/order/status/{order}'],
  ['GET', '/iserver/account/trades', '/iserver/account/trades?days=7'],
  ['POST', '/iserver/account/{accountId}/orders', `/iserver/account/${ACCOUNT}/orders`, bracket('second')],
  [
    'POST',
    '/iserver/account/{accountId}/orders/whatif',
    `/iserver/account/${ACCOUNT}/orders/whatif`,
    { orders: [order({})] },
  ],
  ['POST', '/iserver/account', '/iserver/account', { acctId: ACCOUNT }],
  ['POST', '/iserver/questions/suppress', '/iserver/questions/suppress', { messageIds: ['o163'] }],
  ['POST', '/iserver/questions/suppress/reset', '/iserver/questions/suppress/reset', {}],
  ['DELETE', '/iserver/account/{accountId}/order/{orderId}', `/iserver/account/${ACCOUNT}/order/{leg}`],
  ['POST', '/iserver/marketdata/unsubscribe', '/iserver/marketdata/unsubscribe', { conid: AAPL }],
  ['GET', '/iserver/marketdata/unsubscribeall', '/iserver/marketdata/unsubscribeall'],
  ['POST', '/logout', '/logout', {}],
];

describe.skipIf(!existsSync(file))("answers against IBKR's OpenAPI document", () => {
  const folder = tempFolder('simulator-openapi');
  const found: Record<string, string[]> = {};
  let simulator: Simulator;
  let ids: Readonly<Record<string, string>> = {};
  const ajv = new Ajv({ strict: false, allErrors: true, validateFormats: false, logger: false });
  beforeAll(async () => {
    ajv.addSchema(JSON.parse(readFileSync(file, 'utf8')) as object, 'ibkr');
    simulator = await startSimulator(optionsFor(folder.path));
    await step(simulator, OPEN_PLUS_5);
    await prime(simulator);
    const rows = (await place(simulator, bracket('first'))).body as Rows;
    ids = { '{order}': String(rows[0]?.['order_id']), '{leg}': String(rows[1]?.['order_id']) };
  });
  afterAll(async () => {
    await simulator.close();
    folder.remove();
    if (process.env['WRITE_DEVIATIONS'] === '1')
      writeFileSync(listFile, `${JSON.stringify(found, null, 2)}\n`);
  });

  test.each(calls.map(([method, spec, where, body]) => ({ method, spec, where, body })))(
    '$method $spec: $where',
    async ({ method, spec, where, body }) => {
      if (spec === '/iserver/account/orders') await prime(simulator);
      const filled = where.replace(/\{\w+\}/, (name) => ids[name] ?? name);
      const answer = await request(simulator, method, filled, body === undefined ? {} : { body });
      expect(answer.status).toBe(200);
      const pointer = `${spec.replaceAll('~', '~0').replaceAll('/', '~1')}/${method.toLowerCase()}`;
      const schema = `ibkr#/paths/${encodeURIComponent(pointer).replaceAll('%2F', '/')}/responses/200/content/application~1json/schema`;
      const validate = ajv.compile({ $ref: schema });
      validate(answer.body);
      // Rows of one list differ alike: their numbers are left out.
      const differs = (validate.errors ?? []).map(
        ({ instancePath, message = '' }) =>
          `${instancePath.replaceAll(/\/\d+(?=\/|$)/g, '/*') || '/'} ${message}`,
      );
      const key = `${method} ${spec}`;
      const list = [...new Set([...(found[key] ?? []), ...differs])].sort();
      if (list.length > 0) found[key] = list;
      if (process.env['WRITE_DEVIATIONS'] === '1') return;
      const known = JSON.parse(readFileSync(listFile, 'utf8')) as Record<string, string[]>;
      expect(differs.filter((each) => known[key]?.includes(each) !== true)).toEqual([]);
    },
  );

  test('the committed list names no place that agrees', () => {
    if (process.env['WRITE_DEVIATIONS'] === '1') return;
    expect(JSON.parse(readFileSync(listFile, 'utf8'))).toEqual(found);
  });
});
