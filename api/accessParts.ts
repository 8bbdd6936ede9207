// What the API proves people with: passwords, tokens, codes, an identity provider. Called by api/main.ts.
import { createPasswordHasher } from '../adapters/argon2/passwords.js';
import { createMachineClock } from '../adapters/clocks/machine.js';
import { createAccessTokens } from '../adapters/jose/accessTokens.js';
import { createOidcProvider } from '../adapters/oidc/provider.js';
import { createTimeCodes } from '../adapters/otpauth/timeCodes.js';
import { createSeal } from '../adapters/seal/seal.js';
import { createPasswordStrength } from '../adapters/zxcvbn/strength.js';
import type { Mode } from '../contracts/wire/names.js';
import type { ApiDeps } from './app.js';
import { resealAll } from './services/secondFactor.js';

interface AccessConfig {
  readonly mode: Mode;
  readonly auth: {
    readonly secret: string;
    /** Empty where there is none. */
    readonly previousSecret: string;
    readonly registration: 'open' | 'closed';
  };
  /** An empty issuer switches it off. */
  readonly oidc: Parameters<typeof createOidcProvider>[0] & { readonly newUsers: 'deny' | 'viewer' };
}

function accessOf({
  auth,
  oidc,
  mode,
}: AccessConfig): Pick<
  ApiDeps,
  'passwords' | 'passwordStrength' | 'accessTokens' | 'registrationOpen' | 'timeCodes' | 'seal' | 'oidc'
> {
  const before = auth.previousSecret === '' ? [] : [auth.previousSecret];
  const clock = createMachineClock();
  return {
    timeCodes: createTimeCodes({ clock, issuer: mode === 'live' ? 'Keel' : `Keel ${mode}` }),
    oidc: oidc.issuer === '' ? null : { provider: createOidcProvider(oidc), newUsers: oidc.newUsers },
    seal: createSeal([auth.secret, ...before], 'second factor'),
    passwords: createPasswordHasher(),
    passwordStrength: createPasswordStrength(),
    accessTokens: createAccessTokens({
      secrets: [auth.secret, ...before],
      mode,
      clock,
    }),
    registrationOpen: auth.registration === 'open',
  };
}

/** With a previous secret it seals second factors anew: at the next start that secret may be gone. */
export async function openAccess(
  config: AccessConfig,
  stores: Pick<ApiDeps, 'secondFactors'>,
  log: ApiDeps['log'],
): Promise<ReturnType<typeof accessOf>> {
  const access = accessOf(config);
  if (config.auth.previousSecret === '') return access;
  const facts = await resealAll({ ...stores, ...access });
  if (facts.broken.length === 0) log.info(facts, 'second factors sealed anew');
  else log.warn(facts, 'second factors that no secret given opens; their users need them taken away');
  return access;
}
