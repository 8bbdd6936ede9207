// `npm start` in paper mode against a gateway that is not the simulator: real https, the machine's date, no simulator.
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Summary } from '../cli/summary.js';
import { gatewayAccount, startGateway } from './support/gateway.js';
import type { Gateway } from './support/gateway.js';
import { npmStart } from './support/start.js';
import { tempFolder } from './support/temp.js';

const { path: folder, remove } = tempFolder('paper');
const out = path.join(folder, 'out.json');
let gateway: Gateway;

beforeAll(async () => {
  gateway = await startGateway(folder);
});
afterAll(async () => {
  await gateway.close();
  remove();
});

const env = (): NodeJS.ProcessEnv => ({
  KEEL_MODE: 'paper',
  KEEL_BROKER: 'ibkr',
  IBKR_BASE_URL: gateway.baseUrl,
  IBKR_CA_FILE: gateway.caFile,
  IBKR_CERT_SHA256: gateway.certSha256,
  IBKR_ACCOUNT: gatewayAccount,
  // The gateway of the test has no limits; the waits of IBKR's would take a minute.
  KEEL_PACING_FACTOR: '50',
});
const dataDir = path.join(folder, 'data');

test('opens the session, runs once on the gateway of its settings, or ends where the market is shut', async () => {
  gateway.session = 'idle';
  const args = ['--once', '--symbol', 'AAPL', '--json', out, '--no-wait', '--data-dir', dataDir];
  const { code, out: said, err } = await npmStart(args, env());
  expect(err).toEqual([]);
  const summary = JSON.parse(readFileSync(out, 'utf8')) as Summary;
  expect(summary).toMatchObject({ mode: 'paper', symbol: 'AAPL', status: 'ended', ledgerFile: null });
  expect(summary.bars['daily']).toMatchObject({ source: 'ibkr' });
  expect(summary.decision?.action).toBe('buy');
  const sent = gateway.orders.filter(({ parent }) => parent === null);
  if (summary.outcome === 'REFUSED') {
    expect([summary.code, sent.length]).toEqual(['MARKET_SHUT', 0]);
  } else {
    expect([summary.outcome, sent.length]).toEqual(['FILLED', 1]);
    expect(sent[0]?.wire['cOID']).toBe(summary.order?.clientOrderId);
  }
  expect(code).toBe(0);
  expect(gateway.seen.filter((route) => route === 'POST /iserver/auth/ssodh/init')).toHaveLength(1);
  expect(said.join('\n')).not.toContain('simulator');
  expect(existsSync(path.join(dataDir, 'simulator'))).toBe(false);
});

test("takes no date but the machine's own", async () => {
  const {
    code,
    out: said,
    err,
  } = await npmStart(['--once', '--as-of', '2014-07-07', '--data-dir', dataDir], env());
  expect(code).toBe(1);
  expect(err.join('\n')).toContain('belongs to the simulated market, and this is paper mode');
  expect(said).toEqual([]);
});

test('runs a session again after a run that sent nothing, where it is asked to', async () => {
  const data = path.join(folder, 'again');
  const args = ['--once', '--symbol', 'AAPL', '--json', out, '--no-wait', '--data-dir', data];
  const before = gateway.orders.length;
  // The fingerprint of another certificate: the run fails before it has read anything.
  const failed = await npmStart(args, {
    ...env(),
    IBKR_CERT_SHA256: gateway.certSha256.replaceAll(/[0-9A-Fa-f]/g, '0'),
  });
  expect([failed.code, failed.out.join('\n').includes('--symbol AAPL --again')]).toEqual([1, true]);
  const first = JSON.parse(readFileSync(out, 'utf8')) as Summary;
  expect(first).toMatchObject({ outcome: 'FAILED', slot: 'after-close' });
  expect(gateway.orders).toHaveLength(before);

  const found = await npmStart(args, env());
  expect([found.code, found.out.join('\n').includes('Found the run of demo-aapl')]).toEqual([1, true]);

  const again = await npmStart([...args, '--again'], env());
  const second = JSON.parse(readFileSync(out, 'utf8')) as Summary;
  expect(second).toMatchObject({ session: first.session, slot: 'after-close-2', status: 'ended' });
  expect(['FILLED', 'REFUSED']).toContain(second.outcome);
  expect(again.code).toBe(0);
  const sent = gateway.orders.slice(before).filter(({ parent }) => parent === null);
  expect(sent).toHaveLength(second.outcome === 'FILLED' ? 1 : 0);
});
