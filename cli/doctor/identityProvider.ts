// The identity provider, where one is set up: whether it answers, is the one that is named, and takes Keel for the client
// that is registered there. Called by examine.ts.
import { createOidcProvider, type OidcProvider } from '../../adapters/oidc/provider.js';
import type { Finding, Patient } from './types.js';
import { askMs, reasonOf } from './types.js';

const check = 'identity provider';

export async function checkIdentityProvider({ sections }: Patient): Promise<readonly Finding[]> {
  const { oidc } = sections;
  if (oidc === undefined || oidc.issuer === '') return [];
  const { issuer } = oidc;
  const provider = createOidcProvider({ ...oidc, timeoutMs: askMs });
  try {
    // Nobody is sent there: this reads what the provider says of itself, and no more.
    await provider.authorizationUrl({ state: 'doctor', nonce: 'doctor', verifier: 'doctor'.repeat(8) });
  } catch (error) {
    return [
      {
        check,
        status: 'fault',
        found: `nobody can log in by ${issuer}`,
        cause: causeOf(error),
        fix: 'correct KEEL_OIDC_ISSUER: it is the address below which /.well-known/openid-configuration answers; and see that this machine reaches it',
      },
    ];
  }
  return [await clientFinding(provider, issuer)];
}

/** The redirect address is what no question but a login tries, and that is said. */
async function clientFinding(provider: OidcProvider, issuer: string): Promise<Finding> {
  try {
    await provider.tryClient();
    const found = `${issuer} answers, is that issuer and, as its answer to a false code tells, takes client id and secret; the redirect address is tried by a login only`;
    return { check, status: 'ok', found };
  } catch (error) {
    if (codeOf(error) === 'OIDC_MISCONFIGURED') {
      return {
        check,
        status: 'fault',
        found: `${issuer} does not take the client id or its secret, so nobody can log in by it`,
        cause: causeOf(error),
        fix: 'set KEEL_OIDC_CLIENT_ID and KEEL_OIDC_CLIENT_SECRET (or KEEL_OIDC_CLIENT_SECRET_FILE) to what Keel is registered with there',
      };
    }
    return {
      check,
      status: 'warning',
      found: `${issuer} answers and is that issuer; whether it takes client id and secret, its answer to a trial does not tell`,
      cause: causeOf(error),
      fix: 'log in by it once; where that fails, the log of the API says what to look at',
    };
  }
}

const codeOf = (error: unknown): unknown => (error as { code?: unknown }).code;

/** What is wrong with the set-up stands in the cause: its message is for whoever logs in. */
const causeOf = (error: unknown): string =>
  reasonOf(codeOf(error) === 'OIDC_MISCONFIGURED' ? (error as { cause?: unknown }).cause : error);
