// A gateway of its own for each test of a file, and the adapter on it. Called once by each test file of adapters/ibkr that wants
// one.
import { afterEach, beforeAll, beforeEach } from 'vitest';
import type { IbkrGateway, IbkrGatewayOptions } from '../gateway.js';
import { connectTo } from './connect.js';
import { makeCertificate, startTestGateway } from './gateway.js';
import type { Certificate, TestGateway } from './gateway.js';

/**
 * @param take hears of both before each test, and may tell the gateway what to answer
 * @returns what connects once more to the gateway of the test that runs; all are closed after it
 */
export function onFreshGateway(
  take: (gateway: TestGateway, ibkr: IbkrGateway) => void,
  usual: Partial<IbkrGatewayOptions> = {},
): (change?: Partial<IbkrGatewayOptions>) => IbkrGateway {
  let certificate: Certificate;
  let gateway: TestGateway;
  const open: IbkrGateway[] = [];
  const connect = (change: Partial<IbkrGatewayOptions> = usual): IbkrGateway => {
    const ibkr = connectTo(gateway, change);
    open.push(ibkr);
    return ibkr;
  };
  beforeAll(async () => {
    certificate = await makeCertificate();
  });
  beforeEach(async () => {
    gateway = await startTestGateway(certificate);
    take(gateway, connect());
  });
  afterEach(async () => {
    for (const ibkr of open.splice(0)) ibkr.close();
    await gateway.close();
  });
  return connect;
}
