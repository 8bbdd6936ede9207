import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { makeCertificate } from '../../adapters/ibkr/testing/gateway.js';
import type { ConfigError } from '../../config/problems.js';
import { readSettings } from './settings.js';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'keel-settings-'));
});

afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

it('tells all that is wrong with a gateway, its files and the date at once, each by its variable', async () => {
  const notPem = join(folder, 'gateway.pem');
  writeFileSync(notPem, 'no certificate');
  const wrong = {
    KEEL_MODE: 'paper',
    IBKR_ACCOUNT: 'DU1234567',
    IBKR_BASE_URL: 'foo',
    IBKR_CA_FILE: join(folder, 'nowhere.pem'),
    IBKR_CERT_SHA256: 'SHA-256',
    TEMPORAL_TLS_CA_FILE: join(folder, 'none.pem'),
  };
  const linesOf = (env: NodeJS.ProcessEnv, asOf: string | null): Promise<readonly string[]> =>
    readSettings(env, folder, asOf).then(
      () => [],
      (error: unknown) => (error as ConfigError).lines,
    );
  expect(await linesOf(wrong, '2014-07-07')).toEqual([
    expect.stringMatching(
      /^--as-of is 2014-07-07: belongs to the simulated market.* paper mode.*: leave it out$/,
    ),
    expect.stringMatching(/is "foo" \(IBKR_BASE_URL\): an https address/),
    expect.stringMatching(/is "SHA-256" \(IBKR_CERT_SHA256\): 64 hex digits/),
    expect.stringMatching(/nowhere\.pem" \(IBKR_CA_FILE\): can not be read \(ENOENT\): correct IBKR_CA_FILE/),
    expect.stringMatching(/none\.pem" \(TEMPORAL_TLS_CA_FILE\): can not be read \(ENOENT\)/),
  ]);
  const right = { IBKR_BASE_URL: 'https://localhost:5000/v1/api', IBKR_CERT_SHA256: 'a'.repeat(64) };
  const other = { ...wrong, ...right, TEMPORAL_TLS_CA_FILE: '', IBKR_CA_FILE: notPem };
  expect(await linesOf(other, null)).toEqual([
    expect.stringMatching(/\(IBKR_CA_FILE\): holds no certificate in PEM: name .* in IBKR_CA_FILE/),
  ]);
  const oauth = {
    IBKR_CONNECTION: 'oauth',
    IBKR_CA_FILE: '',
    IBKR_OAUTH_CONSUMER_KEY: 'TESTCONS',
    IBKR_OAUTH_ACCESS_TOKEN: 'a1b2c3d4',
    IBKR_OAUTH_ACCESS_TOKEN_SECRET: 'c2VjcmV0',
    IBKR_OAUTH_SIGNATURE_KEY_FILE: notPem,
    IBKR_OAUTH_ENCRYPTION_KEY_FILE: notPem,
    IBKR_OAUTH_DH_PARAM_FILE: join(folder, 'dhparam.pem'),
  };
  expect(await linesOf({ ...other, ...oauth }, null)).toEqual([
    expect.stringMatching(/\(IBKR_OAUTH_DH_PARAM_FILE\): can not be read \(ENOENT\)/),
  ]);
});

it('looks for no port of a part that it does not start', async () => {
  // Where the claims of ports lie.
  vi.stubEnv('TMPDIR', folder);
  const busy = createServer();
  await once(busy.listen(0, '127.0.0.1'), 'listening');
  const port = String((busy.address() as AddressInfo).port);
  const { cert, sha256 } = await makeCertificate();
  const file = join(folder, 'gateway.pem');
  writeFileSync(file, cert);
  const env = {
    KEEL_API_PORT: '0',
    KEEL_SIMULATOR_PORT: port,
    KEEL_SIMULATOR_OAUTH_PORT: port,
    DATABASE_URL: 'postgres://127.0.0.1:1/keel',
    TEMPORAL_ADDRESS: '127.0.0.1:1',
  };
  const none = { port: 0, insteadOf: null };
  const ofPaper = {
    KEEL_MODE: 'paper',
    IBKR_ACCOUNT: 'DU1234567',
    IBKR_BASE_URL: 'https://localhost:5000/v1/api',
    IBKR_CA_FILE: file,
    IBKR_CERT_SHA256: sha256,
  };
  const paper = await readSettings({ ...env, ...ofPaper }, folder);
  expect(paper.ports).toMatchObject({
    simulator: none,
    simulatorOauth: none,
    temporal: none,
    postgres: none,
  });
  expect(paper.ports.api.port).toBeGreaterThan(0);
  const simulated = await readSettings(env, folder);
  expect(simulated.ports).toMatchObject({ simulator: { insteadOf: Number(port) }, simulatorOauth: none });
  busy.close();
});

it.each(['KEEL_AUTH_SECRET_FILE', 'DATABASE_URL_FILE'])(
  'puts nothing of its own in the place of a secret that %s does not give',
  async (name) => {
    await expect(readSettings({ [name]: join(folder, 'nowhere') }, folder)).rejects.toThrow(
      new RegExp(`one problem:\\n.*${name} names a file that can not be read`),
    );
    expect(readdirSync(folder)).toEqual([]);
  },
);
