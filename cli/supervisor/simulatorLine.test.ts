import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadConfig } from '../../config/load.js';
import { ownConsumer } from '../../simulator/oauth/consumer.js';
import { brokerEnvironment, simulatorLine } from './simulatorLine.js';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'keel-line-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

/** A consumer of IBKR, as somebody's .env has it who trades by OAuth elsewhere. */
const ofIbkr = {
  DATABASE_URL: 'postgres://embedded',
  TEMPORAL_ADDRESS: 'embedded',
  IBKR_CONNECTION: 'oauth',
  IBKR_OAUTH_CONSUMER_KEY: 'REALKEY01',
  IBKR_OAUTH_ACCESS_TOKEN: 'arealtoken',
  IBKR_OAUTH_ACCESS_TOKEN_SECRET: 'arealsecret',
  IBKR_OAUTH_SIGNATURE_KEY_FILE: '/real/signature.pem',
  IBKR_OAUTH_ENCRYPTION_KEY_FILE: '/real/encryption.pem',
  IBKR_OAUTH_DH_PARAM_FILE: '/real/dhparam.pem',
};
const line = {
  baseUrl: 'https://127.0.0.1:5000/v1/api',
  adminUrl: 'http://127.0.0.1:5001',
  caFile: 'ca.pem',
  certSha256: '0'.repeat(64),
  ledgerFile: 'ledger.jsonl',
};
const brokerOf = (facts: object) =>
  loadConfig(
    { ...ofIbkr, KEEL_DATA_DIR: folder, ...brokerEnvironment(simulatorLine.parse({ ...line, ...facts })) },
    { need: ['broker'] },
  ).broker;

describe('with a consumer of IBKR in the environment', () => {
  it('Keel is the consumer that the simulator has made, in every value', () => {
    const { consumer, settings } = ownConsumer(folder);
    const broker = brokerOf({ oauthUrl: 'https://127.0.0.1:5003/v1/api', oauthConsumer: settings });
    expect(broker).toMatchObject({
      connection: 'oauth',
      baseUrl: 'https://127.0.0.1:5003/v1/api',
      oauth: { consumerKey: consumer.consumerKey, accessToken: consumer.accessToken },
    });
    expect(JSON.stringify(broker)).not.toMatch(/REALKEY|areal|\/real\//);
  });

  it('Keel asks a simulator without one as a gateway', () => {
    expect(brokerOf({})).toMatchObject({ connection: 'gateway', baseUrl: line.baseUrl });
  });
});
