// The simulator with the scaled limits that tests of the IBKR adapter want, and the adapter on it, each over its own socket.
// Used by the tests of the adapter, of its OAuth login and of its WebSocket.
import { readFileSync } from 'node:fs';
import { createMachineClock } from '../../adapters/clocks/machine.js';
import { createMarketStepper } from '../../adapters/clocks/simulated.js';
import { createIbkrGateway } from '../../adapters/ibkr/gateway.js';
import type { IbkrGateway, IbkrGatewayOptions } from '../../adapters/ibkr/gateway.js';
import { processLocks } from '../../adapters/ibkr/testing/connect.js';
import { brokerContract } from '../../adapters/testing/brokerContract.js';
import type { Simulator, SimulatorOptions } from '../../simulator/server.js';
import { tempFolder } from './temp.js';

export const accountId = 'DU1234567';
export const adminToken = 'token-of-the-ibkr-tests';
export const clock = createMachineClock();
/** A Monday five minutes after the open. */
export const opened = '2014-07-07T13:35:00.000Z';

export const optionsOf = (directory: string): SimulatorOptions => ({
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

/** The adapter as of a gateway, by its pinned certificate. */
export const connect = (simulator: Simulator, change: Partial<IbkrGatewayOptions> = {}): IbkrGateway =>
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

export const adminOf = ({ adminUrl }: Simulator) => ({ adminUrl, token: adminToken, timeoutMs: 5000 });

/** Holds the adapter to the contract of every broker, on a simulator of its own. */
export function simulatorContract(
  name: string,
  start: (directory: string) => Promise<Simulator>,
  connectTo: (simulator: Simulator) => IbkrGateway,
): void {
  brokerContract(name, async () => {
    const folder = tempFolder('ibkr-contract');
    const simulator = await start(folder.path);
    const stepper = createMarketStepper(adminOf(simulator));
    await stepper.step(opened);
    const ibkr = connectTo(simulator);
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
}
