// Keel's IBKR adapter against the test gateway, with limits scaled so far that no test waits for them.
import { createMachineClock } from '../../clocks/machine.js';
import { createIbkrGateway } from '../gateway.js';
import type { IbkrGateway, IbkrGatewayOptions } from '../gateway.js';
import type { KeelError } from '../../../ports/errors.js';
import type { LocksPort } from '../../../ports/locks.js';
import type { TestGateway } from './gateway.js';

export const paperAccount = 'DU1234567';

/** Locks for one process, whose orders the adapter's own gate keeps apart; db/locks.ts has those that count. */
export const processLocks: LocksPort = { withLock: (_name, _waitMs, work) => work({ held: () => true }) };

export function connectTo(gateway: TestGateway, change: Partial<IbkrGatewayOptions> = {}): IbkrGateway {
  return createIbkrGateway({
    baseUrl: gateway.baseUrl,
    ca: gateway.certificate.cert,
    certSha256: [gateway.certificate.sha256],
    timeoutMs: 20_000,
    accountId: paperAccount,
    login: 'paper-login',
    locks: processLocks,
    mode: 'paper',
    clock: createMachineClock(),
    pacingFactor: 10_000,
    ...change,
  });
}

/** The code of the error that a question ends with; words that are no code where it has none. */
export const codeOf = (question: Promise<unknown>): Promise<string> =>
  question.then(
    () => 'it did not fail',
    (error: unknown) => (error as KeelError).code,
  );
