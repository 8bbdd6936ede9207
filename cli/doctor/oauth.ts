// Keel as its own login at IBKR: whether its keys can be read, by nobody else, and fit each other, and whether IBKR is
// reached. No login is tried: one more could end that of a worker. Called by gateway.ts.
import { readFileSync, statSync } from 'node:fs';
import https from 'node:https';
import { readCredentials, withKeyTexts } from '../../adapters/ibkr/oauth/credentials.js';
import { createPinnedAgent } from '../../adapters/ibkr/tls.js';
import type { Config } from '../../config/schema.js';
import { skewFinding } from './clock.js';
import type { Finding, Patient } from './types.js';
import { askMs, reasonOf } from './types.js';

const keys = 'oauth keys';
const tls = 'gateway tls';
type Broker = Config['broker'];

export async function checkOauth({ now }: Patient, broker: Broker): Promise<readonly Finding[]> {
  return [...keyFindings(broker.oauth), ...(await connectionFindings(broker, now))];
}

function keyFindings(settings: Broker['oauth']): Finding[] {
  const { signatureKeyFile, encryptionKeyFile } = settings;
  try {
    readCredentials(withKeyTexts(settings));
  } catch (error) {
    const fix = 'name the files that were made for this consumer, and the secret of its access token';
    const found = 'the keys of the OAuth login can not be used';
    return [{ check: keys, status: 'fault', found, cause: reasonOf(error), fix }];
  }
  const open = [signatureKeyFile, encryptionKeyFile].filter((file) => (statSync(file).mode & 0o077) !== 0);
  if (open.length === 0) {
    return [{ check: keys, status: 'ok', found: 'the keys fit the access token secret' }];
  }
  return open.map((file) => ({
    check: keys,
    status: 'warning',
    found: `${file} can be read by other users of this machine`,
    cause: 'who has it can act as this consumer',
    fix: `chmod 600 ${file}`,
  }));
}

async function connectionFindings(broker: Broker, now: () => number): Promise<Finding[]> {
  const { baseUrl, caFile, certSha256 } = broker;
  try {
    const ca = caFile === '' ? null : readFileSync(caFile, 'utf8');
    const agent = createPinnedAgent({ ca, certSha256, timeoutMs: askMs, named: true }, false);
    const before = now();
    const date = Date.parse(await dateOf(baseUrl, agent));
    const found = `${baseUrl} shows a certificate that is trusted`;
    return [
      { check: tls, status: 'ok', found },
      // A signature is good for minutes only.
      ...(Number.isNaN(date)
        ? []
        : [skewFinding('IBKR', { theirs: date, before, after: now(), grainMs: 1000 })]),
    ];
  } catch (error) {
    const found = `${baseUrl} is not reached, or shows a certificate that is not trusted`;
    const fix = 'correct IBKR_BASE_URL, or find out who answers there';
    return [{ check: tls, status: 'fault', found, cause: reasonOf(error), fix }];
  }
}

/** The answer, whatever it is, has the time. */
const dateOf = (url: string, agent: https.Agent): Promise<string> =>
  new Promise((resolve, reject) => {
    const request = https.request(url, { agent, signal: AbortSignal.timeout(askMs) }, (response) => {
      response.resume();
      resolve(response.headers.date ?? '');
    });
    request.once('error', reject);
    request.end();
  });
