// What the owner of the login is told of a refusal: at a gateway, and where Keel itself is the login.
import { describe, expect, test } from 'vitest';
import { KeelError } from '../../ports/errors.js';
import type { IbkrClient } from './client.js';
import { refusalOf } from './errors.js';
import { createIbkrLogin } from './login.js';

const refusal = refusalOf('POST /iserver', {
  status: 401,
  text: '{"error":"live session token expired","statusCode":401}',
});
/** As the OAuth login refuses before anything is sent. */
const unsigned = new KeelError('IBKR_UNAUTHORIZED', 'tried again from then on', {
  errorClass: 'retryable',
  facts: { signed: false },
});

function loginThat(fails: KeelError | null, oauth: boolean) {
  if (fails === null) throw new TypeError('the answer is no refusal');
  const fail = () => Promise.reject(fails);
  const client: IbkrClient = { call: fail, exchange: fail, holding: (_gate, work) => work(), quietly: fail };
  const session = { lost: () => undefined, join: fail };
  return createIbkrLogin({ client, session, stoppedUntil: () => null, compete: false, oauth });
}

describe('a 401', () => {
  test('at a gateway means that there is no login', async () => {
    const login = loginThat(refusal, false);
    expect([await login.status(), await login.open(), await login.prepare()]).toEqual(
      Array(3).fill({ kind: 'no-login' }),
    );
  });
  test('by OAuth waits for no person, and sends none to a gateway', async () => {
    const login = loginThat(refusal, true);
    const failed = {
      kind: 'failed',
      reason: expect.stringContaining('live session token expired') as string,
    };
    expect([await login.status(), await login.prepare()]).toEqual([failed, failed]);
    // It was sent: an attempt that IBKR has seen is one.
    expect(await login.open()).toEqual({ kind: 'opened' });
  });
  test('that never came, as nothing could be signed, was no attempt', async () => {
    expect(await loginThat(unsigned, true).open()).toMatchObject({ kind: 'failed' });
  });
});
