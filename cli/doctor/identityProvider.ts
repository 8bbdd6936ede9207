// The identity provider, where one is set up: whether it answers and is the one that is named. Called by examine.ts.
import { createOidcProvider } from '../../adapters/oidc/provider.js';
import type { Finding, Patient } from './types.js';
import { askMs, reasonOf } from './types.js';

const check = 'identity provider';

/** The protocol has no way to try a client's secret without a person's login, and that is said. */
export async function checkIdentityProvider({ sections }: Patient): Promise<readonly Finding[]> {
  const { oidc } = sections;
  if (oidc === undefined || oidc.issuer === '') return [];
  const provider = createOidcProvider({ ...oidc, timeoutMs: askMs });
  try {
    // Nobody is sent there: this reads what the provider says of itself, and no more.
    await provider.authorizationUrl({ state: 'doctor', nonce: 'doctor', verifier: 'doctor'.repeat(8) });
    const found = `${oidc.issuer} answers and is that issuer; client id, secret and redirect address are tried by a login only`;
    return [{ check, status: 'ok', found }];
  } catch (error) {
    const { cause } = error as { cause?: unknown };
    const { code } = error as { code?: unknown };
    return [
      {
        check,
        status: 'fault',
        found: `nobody can log in by ${oidc.issuer}`,
        cause: code === 'OIDC_MISCONFIGURED' ? reasonOf(cause) : reasonOf(error),
        fix: 'correct KEEL_OIDC_ISSUER: it is the address below which /.well-known/openid-configuration answers; and see that this machine reaches it',
      },
    ];
  }
}
