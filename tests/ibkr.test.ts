// The IBKR adapter and the clocks against the simulator, each with its own socket: https, http, nothing in between.
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createMachineClock } from '../adapters/clocks/machine.js';
import { createMarketStepper, createSimulatedMarketClock } from '../adapters/clocks/simulated.js';
import { createIbkrGateway } from '../adapters/ibkr/gateway.js';
import type { IbkrGateway, IbkrGatewayOptions } from '../adapters/ibkr/gateway.js';
import { processLocks } from '../adapters/ibkr/testing/connect.js';
import { brokerContract } from '../adapters/testing/brokerContract.js';
import { startSimulator } from '../simulator/server.js';
import type { Simulator } from '../simulator/server.js';
import { tempFolder } from './support/temp.js';

const accountId = 'DU1234567';
const adminToken = 'token-of-the-ibkr-tests';
const clock = createMachineClock();
/** A Monday five minutes after the open. */
const opened = '2014-07-07T13:35:00.000Z';

const start = (directory: string): Promise<Simulator> =>
  startSimulator({
    host: '127.0.0.1',
    port: 0,
    adminPort: 0,
    adminToken,
    directory,
    accountId,
    cash: '100000',
    slippage: '0.0005',
    commissionPerShare: '0.005',
    limitsFactor: 1000,
    clock,
    onError: (error) => {
      throw error;
    },
  });

const connect = (simulator: Simulator, change: Partial<IbkrGatewayOptions> = {}): IbkrGateway =>
  createIbkrGateway({
    baseUrl: simulator.baseUrl,
    ca: readFileSync(simulator.caFile, 'utf8'),
    certSha256: [simulator.certSha256],
    timeoutMs: 5000,
    accountId,
    login: accountId,
    locks: processLocks,
    mode: 'simulated',
    clock,
    pacingFactor: 1000,
    source: 'simulator',
    ...change,
  });

const adminOf = ({ adminUrl }: Simulator) => ({ adminUrl, token: adminToken, timeoutMs: 5000 });

brokerContract('the simulator through the IBKR adapter', async () => {
  const folder = tempFolder('ibkr-contract');
  const simulator = await start(folder.path);
  const stepper = createMarketStepper(adminOf(simulator));
  await stepper.step(opened);
  const ibkr = connect(simulator);
  return {
    broker: ibkr.broker,
    marketData: ibkr.marketData,
    accountId,
    symbol: 'AAPL',
    unknownSymbol: 'ZZZZ',
    advance: async () => {
      await stepper.step('2014-07-08T13:35:00.000Z');
    },
    close: async () => {
      ibkr.close();
      await simulator.close();
      folder.remove();
    },
  };
});

describe('the simulator', () => {
  const folder = tempFolder('ibkr');
  let simulator: Simulator;
  beforeAll(async () => {
    simulator = await start(folder.path);
  });
  afterAll(async () => {
    await simulator.close();
    folder.remove();
  });

  test('steps its clock for whoever has the token, and never back', async () => {
    const market = createSimulatedMarketClock(adminOf(simulator));
    const before = await market.now();
    const stepped = await createMarketStepper(adminOf(simulator)).step(opened);
    expect(stepped).toEqual({ now: opened, step: before.step + 1 });
    expect(await market.now()).toEqual(stepped);
    await expect(createMarketStepper(adminOf(simulator)).step(before.now)).rejects.toMatchObject({
      code: 'MARKET_CLOCK_REFUSED',
      facts: { reason: 'CLOCK_BACK' },
    });
    const stranger = { ...adminOf(simulator), token: 'another-token-of-16' };
    await expect(createSimulatedMarketClock(stranger).now()).rejects.toMatchObject({
      code: 'MARKET_CLOCK_REFUSED',
      facts: { status: 401 },
    });
  });

  test('is refused in mode live, for it is no live account', async () => {
    const ibkr = connect(simulator, { mode: 'live' });
    await expect(ibkr.broker.ensureSession()).rejects.toMatchObject({
      code: 'BROKER_SESSION',
      errorClass: 'final',
    });
    ibkr.close();
  });

  test('is refused when its certificate is not the pinned one', async () => {
    const ibkr = connect(simulator, { certSha256: ['ab'.repeat(32)] });
    await expect(ibkr.broker.ensureSession()).rejects.toMatchObject({ code: 'IBKR_TLS' });
    ibkr.close();
  });

  test('may start anew between two calls: the session is prepared again', async () => {
    const again = tempFolder('ibkr-restart');
    const first = await start(again.path);
    await createMarketStepper(adminOf(first)).step(opened);
    const ibkr = connect(first);
    expect(await ibkr.broker.orders(accountId)).toEqual([]);
    const port = Number(new URL(first.baseUrl).port);
    await first.close();
    await expect(ibkr.broker.orders(accountId)).rejects.toMatchObject({ errorClass: 'retryable' });
    const second = await startSimulator({
      host: '127.0.0.1',
      port,
      adminPort: 0,
      adminToken,
      directory: again.path,
      accountId,
      cash: '100000',
      slippage: '0.0005',
      commissionPerShare: '0.005',
      clock,
      onError: () => undefined,
    });
    await expect(ibkr.broker.orders(accountId)).rejects.toMatchObject({ code: 'IBKR_ACCOUNTS_FIRST' });
    expect(await ibkr.broker.orders(accountId)).toEqual([]);
    ibkr.close();
    await second.close();
    again.remove();
  });
});
