// What an attempt to open the session tells its owner: only what reached IBKR counts.
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { IbkrGateway } from './gateway.js';
import { connectTo } from './testing/connect.js';
import { makeCertificate, startTestGateway } from './testing/gateway.js';
import type { TestGateway } from './testing/gateway.js';

const init = 'POST /iserver/auth/ssodh/init';
let gateway: TestGateway;
let ibkr: IbkrGateway;

beforeEach(async () => {
  gateway = await startTestGateway(await makeCertificate());
  ibkr = connectTo(gateway);
});
afterEach(async () => {
  ibkr.close();
  await gateway.close();
});

it('was opened, as far as anybody knows, once the request had left', async () => {
  gateway.on(init, {}, { fault: 'drop' }, { fault: 'hang' });
  const answered = await ibkr.login.open();
  const broken = await ibkr.login.open();
  const impatient = connectTo(gateway, { timeoutMs: 2000 });
  const silent = await impatient.login.open();
  impatient.close();
  expect([answered, broken, silent]).toEqual(Array(3).fill({ kind: 'opened' }));
  expect(gateway.to(init)).toHaveLength(3);
});

it('needs a person where the gateway leads to its page of login', async () => {
  const headers = { Location: '/sso/Login?forwardTo=22' };
  gateway.on('POST /iserver/auth/status', { status: 302, text: '', headers });
  expect(await ibkr.login.status()).toEqual({ kind: 'no-login' });
  gateway.on('POST /iserver/auth/status', { status: 302, text: '', headers: { Location: '/elsewhere' } });
  expect(await ibkr.login.status()).toMatchObject({ kind: 'failed' });
});

it('was not opened where no gateway is', async () => {
  await gateway.close();
  expect(await ibkr.login.open()).toMatchObject({ kind: 'failed' });
});

it('was not opened where the limits give no turn', async () => {
  const stopped = connectTo(gateway, {
    pacingWaitMs: 50,
    sharedPacing: {
      take: () => Promise.resolve({ waitMs: 0, stopMs: 60_000 }),
      claim: () => Promise.resolve({ taken: true, waitMs: 0 }),
      enterPlace: () => Promise.resolve(null),
      leavePlace: () => Promise.resolve(),
      stop: () => Promise.resolve(),
    },
  });
  expect(await stopped.login.open()).toMatchObject({ kind: 'limited' });
  expect(gateway.to(init)).toHaveLength(0);
  stopped.close();
});

it('is neither lost nor there while a penalty runs, and is told when that ends', async () => {
  const status = 'POST /iserver/auth/status';
  gateway.on(status, { status: 429, json: { error: 'Too many history charts requests' } });
  const real = connectTo(gateway, { pacingFactor: 1, pacingWaitMs: 100 });
  const begun = Date.now();
  const first = await real.login.status();
  const second = await real.login.status();
  real.close();
  expect([first, second]).toMatchObject([{ kind: 'limited' }, { kind: 'limited' }]);
  if (first.kind !== 'limited') throw new TypeError('not limited');
  expect(first.until).toBeGreaterThanOrEqual(begun + 15 * 60_000);
  const end = new Date(Math.ceil(first.until / 1000) * 1000).toISOString().slice(0, 19);
  expect(first.reason).toContain(`until ${end}Z`);
  expect(gateway.to(status)).toHaveLength(1);
});
