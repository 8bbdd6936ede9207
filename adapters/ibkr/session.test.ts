// Opening the session in two lanes at once: a cancel needs nobody else, and no second init undoes the first.
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { SharedPacing } from '../../ports/pacing.js';
import type { IbkrGateway, IbkrGatewayOptions } from './gateway.js';
import { connectTo, paperAccount } from './testing/connect.js';
import { makeCertificate, recorded, startTestGateway } from './testing/gateway.js';
import type { TestGateway } from './testing/gateway.js';

const status = 'POST /iserver/auth/status';
const init = 'POST /iserver/auth/ssodh/init';
const accounts = 'GET /iserver/accounts';
const cancel = `DELETE /iserver/account/${paperAccount}/order/5`;
const idle = { json: recorded('auth-status-idle') };
const up = { json: recorded('auth-status') };

let gateway: TestGateway;
const open: IbkrGateway[] = [];

beforeEach(async () => {
  gateway = await startTestGateway(await makeCertificate());
  gateway.on(cancel, { json: { msg: 'Request was submitted', order_id: 5, conid: -1, account: null } });
  gateway.on(init, { json: recorded('ssodh-init') });
});
afterEach(async () => {
  for (const ibkr of open.splice(0)) ibkr.close();
  await gateway.close();
});

const connect = (change: Partial<IbkrGatewayOptions> = {}): IbkrGateway => {
  const ibkr = connectTo(gateway, { timeoutMs: 20_000, ...change });
  open.push(ibkr);
  return ibkr;
};

/** Something that a test lets happen, and hears of when somebody waits for it. */
function latch() {
  let release: () => void = () => undefined;
  const opened = new Promise<void>((resolve) => {
    release = resolve;
  });
  return { opened, release };
}

/** Shared limits whose ordinary turn of this number comes when it is let; all others come at once. */
function turnsWith(number: number) {
  const reached = latch();
  const allowed = latch();
  let turns = 0;
  const sharedPacing: SharedPacing = {
    async take() {
      turns += 1;
      if (turns === number) {
        reached.release();
        await allowed.opened;
      }
      return { waitMs: 0, stopMs: 0 };
    },
    claim: () => Promise.resolve({ taken: true, waitMs: 0 }),
    enterPlace: () => Promise.resolve({ name: 'one', until: '' }),
    leavePlace: () => Promise.resolve(),
    stop: () => Promise.resolve(),
  };
  return { sharedPacing, reached: reached.opened, release: allowed.release };
}

it('lets a cancel out while an ordinary opening has no turn, and without a tickle in its lane', async () => {
  const turns = turnsWith(1);
  let now = 1_000_000;
  const ibkr = connect({ clock: { now: () => now }, sharedPacing: turns.sharedPacing });
  now += 60_000;
  const ordinary = ibkr.broker.ensureSession();
  await turns.reached;
  await ibkr.broker.cancelOrder(paperAccount, '5');
  expect(gateway.seen.map(({ route }) => route)).toEqual([status, accounts, cancel]);
  turns.release();
  await ordinary;
});

it('lets a cancel out while an ordinary opening waits for an answer, and whatever becomes of that', async () => {
  const answer = latch();
  gateway.on(status, { status: 503, text: 'away', after: answer.opened }, up);
  const ibkr = connect();
  const ordinary = ibkr.broker.ensureSession().then(
    () => 'stands',
    () => 'failed',
  );
  await expect.poll(() => gateway.to(status).length).toBe(1);
  await ibkr.broker.cancelOrder(paperAccount, '5');
  answer.release();
  expect(await ordinary).toBe('failed');
  expect(gateway.to(cancel)).toHaveLength(1);
});

it('shares one opening among all cancels', async () => {
  const ibkr = connect();
  await Promise.all([1, 2, 3].map(() => ibkr.broker.cancelOrder(paperAccount, '5')));
  expect([status, accounts, cancel].map((route) => gateway.to(route).length)).toEqual([1, 1, 3]);
});

it('waits for the session that an ordinary opening has asked for, and asks for no second one', async () => {
  const answer = latch();
  gateway.on(status, idle, idle, up);
  gateway.on(init, { json: recorded('ssodh-init'), after: answer.opened });
  const ibkr = connect();
  const ordinary = ibkr.broker.ensureSession();
  await expect.poll(() => gateway.to(init).length).toBe(1);
  await ibkr.broker.cancelOrder(paperAccount, '5');
  answer.release();
  await ordinary;
  expect(gateway.to(init)).toHaveLength(1);
});

it('asks for no second session where a cancel was quicker to ask for one', async () => {
  const turns = turnsWith(2);
  gateway.on(status, idle, idle, up);
  const ibkr = connect({ sharedPacing: turns.sharedPacing });
  const ordinary = ibkr.broker.ensureSession();
  // Its status is read, and the turn of its init has not come.
  await turns.reached;
  await ibkr.broker.cancelOrder(paperAccount, '5');
  turns.release();
  await ordinary;
  expect(gateway.to(init)).toHaveLength(1);
  await ibkr.broker.cancelOrder(paperAccount, '5');
  expect(gateway.to(accounts)).toHaveLength(1);
});
