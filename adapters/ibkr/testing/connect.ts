// Keel's IBKR adapter against the test gateway, with limits scaled so far that no test waits for them.
import { createMachineClock } from '../../clocks/machine.js';
import { createIbkrGateway } from '../gateway.js';
import type { IbkrGateway, IbkrGatewayOptions } from '../gateway.js';
import type { TestGateway } from './gateway.js';

export const paperAccount = 'DU1234567';

export function connectTo(gateway: TestGateway, change: Partial<IbkrGatewayOptions> = {}): IbkrGateway {
  return createIbkrGateway({
    baseUrl: gateway.baseUrl,
    ca: gateway.certificate.cert,
    certSha256: [gateway.certificate.sha256],
    timeoutMs: 2000,
    accountId: paperAccount,
    mode: 'paper',
    clock: createMachineClock(),
    pacingFactor: 10_000,
    ...change,
  });
}
