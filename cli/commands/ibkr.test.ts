// A gateway's certificate is shown, and stored only after a yes; the adapter then speaks to that gateway.
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createIbkrHttp } from '../../adapters/ibkr/http.js';
import { makeCertificate, startTestGateway } from '../../adapters/ibkr/testing/gateway.js';
import type { TestGateway } from '../../adapters/ibkr/testing/gateway.js';
import { tempFolder } from '../../tests/support/temp.js';
import { ibkrCommand, withSettings } from './ibkr.js';

let gateway: TestGateway;
let said: string[];
const { path: folder, remove } = tempFolder('trust');
const file = path.join(folder, '.env');

beforeAll(async () => {
  gateway = await startTestGateway(await makeCertificate());
});
beforeEach(() => {
  said = [];
});
afterAll(async () => {
  await gateway.close();
  remove();
});

const run = (args: string[], answer = '', env: NodeJS.ProcessEnv = {}) =>
  ibkrCommand({
    args,
    out: (line) => said.push(line),
    env: { KEEL_DATA_DIR: path.join(folder, 'data'), IBKR_BASE_URL: gateway.baseUrl, ...env },
    stdin: Readable.from([answer]),
    directory: folder,
  });
const setting = (name: string): string =>
  new RegExp(`^${name}=(.*)$`, 'm').exec(readFileSync(file, 'utf8'))?.[1] ?? '';

describe('keel ibkr trust', () => {
  it.each(['no\n', '\n', '', 'y\n'])('stores nothing after %j, and has sent nothing', async (answer) => {
    expect(await run(['trust'], answer)).toBe(1);
    expect(said.join('\n')).toMatch(/SHA-256 +([0-9A-F]{2}:){31}[0-9A-F]{2}/);
    expect(existsSync(file)).toBe(false);
    expect(gateway.counts.bytes).toBe(0);
  });

  it('stores certificate and fingerprint after a yes, and the adapter trusts that gateway', async () => {
    writeFileSync(file, 'KEEL_MODE=paper\nIBKR_CERT_SHA256=old\n');
    expect(await run(['trust'], 'yes\n')).toBe(0);
    expect(setting('KEEL_MODE')).toBe('paper');
    expect(setting('IBKR_CERT_SHA256')).toBe(gateway.certificate.sha256);
    gateway.on('GET /ping', { json: { ok: true } });
    const http = createIbkrHttp({
      baseUrl: setting('IBKR_BASE_URL'),
      ca: readFileSync(setting('IBKR_CA_FILE'), 'utf8'),
      certSha256: [setting('IBKR_CERT_SHA256')],
      timeoutMs: 20_000,
    });
    expect((await http.exchange({ method: 'GET', path: '/ping', endpoint: 'GET /ping' })).status).toBe(200);
    http.close();
  });

  it('keeps the old one beside the new one while it is being replaced', async () => {
    const old = await makeCertificate();
    const oldFile = path.join(folder, 'old.pem');
    writeFileSync(oldFile, old.cert);
    const env = { IBKR_CA_FILE: oldFile, IBKR_CERT_SHA256: old.sha256 };
    expect(await run(['trust', '--keep'], 'yes\n', env)).toBe(0);
    expect(setting('IBKR_CERT_SHA256')).toBe(`${gateway.certificate.sha256},${old.sha256}`);
    expect(readFileSync(setting('IBKR_CA_FILE'), 'utf8').match(/BEGIN CERTIFICATE/g)).toHaveLength(2);
  });

  it('writes the two files that containers mount, and no path of this machine into .env', async () => {
    const into = path.join(folder, 'broker');
    const before = readFileSync(file, 'utf8');
    const read = (name: string): string => readFileSync(path.join(into, name), 'utf8');
    // Whatever one's own umask is.
    const umask = process.umask(0o077);
    try {
      expect(await run(['trust', '--into', into], 'yes\n')).toBe(0);
    } finally {
      process.umask(umask);
    }
    expect(statSync(into).mode & 0o777).toBe(0o755);
    expect(readFileSync(file, 'utf8')).toBe(before);
    expect(read('tls-cert.sha256')).toBe(`${gateway.certificate.sha256}\n`);
    expect(read('tls-cert.pem')).toContain('BEGIN CERTIFICATE');
    for (const name of ['tls-cert.pem', 'tls-cert.sha256']) {
      expect(statSync(path.join(into, name)).mode & 0o777).toBe(0o644);
    }
    const old = await makeCertificate();
    writeFileSync(path.join(into, 'tls-cert.pem'), old.cert);
    writeFileSync(path.join(into, 'tls-cert.sha256'), `${old.sha256}\n`);
    expect(await run(['trust', '--into', into, '--keep'], 'yes\n')).toBe(0);
    expect(read('tls-cert.sha256')).toBe(`${gateway.certificate.sha256},${old.sha256}\n`);
    expect(read('tls-cert.pem').match(/BEGIN CERTIFICATE/g)).toHaveLength(2);
    await expect(run(['trust', '--into', into, '--data-dir', into])).rejects.toThrow(/one of/);
  });

  it('says so when there is no gateway, or no https', async () => {
    await expect(run(['trust', '--url', 'https://127.0.0.1:1/v1/api'])).rejects.toMatchObject({
      code: 'IBKR_AWAY',
    });
    await expect(run(['trust', '--url', 'http://127.0.0.1:1'])).rejects.toMatchObject({
      code: 'IBKR_CONFIG',
    });
    await expect(run(['burn'])).rejects.toThrow('ibkr takes trust, login-url, not burn');
  });
});

it('tells where a person logs in', async () => {
  expect(await run(['login-url', '--url', 'https://gateway.example:5000/v1/api'])).toBe(0);
  expect(said[0]).toBe('https://gateway.example:5000/');
});

it('sends nobody to a gateway where Keel logs in by OAuth', async () => {
  expect(await run(['login-url'], '', { IBKR_CONNECTION: 'oauth' })).toBe(0);
  expect(said.join()).toContain('Nobody has to log in');
  expect(said.join()).not.toMatch(/https:|browser/);
});

it('replaces settings in a .env and leaves the rest', () => {
  expect(withSettings('', { A: '1' })).toBe('A=1\n');
  expect(withSettings('# a comment\nA=0\nB=2\n\n', { A: '1' })).toBe('# a comment\nB=2\nA=1\n');
});
