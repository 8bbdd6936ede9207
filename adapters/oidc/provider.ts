// An identity provider over OpenID Connect: authorisation code with PKCE, by discovery. Called by the composition root of
// the API. One attempt with one timeout each; the package openid-client checks state, nonce, issuer, audience, times and,
// as it is told to here, the signature of the ID token.
import * as client from 'openid-client';
import { z } from 'zod';
import type { FlowSecrets, Identity, IdentityProvider } from '../../ports/identity.js';
import { KeelError } from '../../ports/errors.js';
import { classify, clientFault, discoveryFault } from './faults.js';

export interface OidcOptions {
  /** https, or http on this machine for development and tests: config/ has seen to it. */
  readonly issuer: string;
  readonly clientId: string;
  /** Empty for a public client. */
  readonly clientSecret: string;
  /** Registered at the provider; leads to /api/v1/auth/oidc/callback. */
  readonly redirectUrl: string;
  readonly timeoutMs: number;
}

/** What a provider says of itself is read again after an hour. */
const discoveryMs = 60 * 60_000;

const claims = z.object({
  email: z.string().max(254).optional().catch(undefined),
  email_verified: z.boolean().optional().catch(undefined),
  preferred_username: z.string().max(200).optional().catch(undefined),
});

function createDiscovery(options: OidcOptions): () => Promise<client.Configuration> {
  const { issuer, clientId, clientSecret, timeoutMs } = options;
  let known: { readonly until: number; readonly configuration: client.Configuration } | null = null;
  const insecure = new URL(issuer).protocol === 'http:';
  return async () => {
    if (known !== null && performance.now() < known.until) return known.configuration;
    const configuration = await client
      .discovery(
        new URL(issuer),
        clientId,
        {},
        clientSecret === '' ? client.None() : client.ClientSecretBasic(clientSecret),
        {
          timeout: timeoutMs / 1000,
          execute: [client.enableNonRepudiationChecks, ...(insecure ? [client.allowInsecureRequests] : [])],
        },
      )
      .catch((error: unknown) => {
        throw discoveryFault(error);
      });
    known = { until: performance.now() + discoveryMs, configuration };
    return configuration;
  };
}

async function identify(
  configuration: client.Configuration,
  callback: URL,
  { state, nonce, verifier }: FlowSecrets,
): Promise<Identity> {
  const answer = await client
    .authorizationCodeGrant(configuration, callback, {
      expectedState: state,
      expectedNonce: nonce,
      pkceCodeVerifier: verifier,
      idTokenExpected: true,
    })
    .catch((error: unknown) => {
      throw clientFault(error) ?? error;
    });
  const idToken = answer.claims();
  if (idToken === undefined) throw new Error('no ID token');
  const inToken = claims.parse(idToken);
  // Many providers tell the e-mail only where they are asked for it.
  const told =
    inToken.email === undefined && configuration.serverMetadata().userinfo_endpoint !== undefined
      ? claims.parse(await client.fetchUserInfo(configuration, answer.access_token, idToken.sub))
      : inToken;
  return {
    issuer: idToken.iss,
    subject: idToken.sub,
    email: told.email?.toLowerCase() ?? null,
    emailVerified: told.email_verified === true,
    preferredName: told.preferred_username ?? inToken.preferred_username ?? null,
  };
}

export interface OidcProvider extends IdentityProvider {
  /**
   * Tries client id and secret without a login: asks for tokens for a code that cannot exist. Who is refused for the code
   * was taken for the client that he says he is.
   * @throws KeelError OIDC_MISCONFIGURED (final) where id or secret are refused, OIDC_AWAY (retryable), OIDC_REFUSED (final)
   *   where the answer tells neither
   */
  tryClient(): Promise<void>;
}

async function tryClient(configuration: client.Configuration, redirectUrl: string): Promise<void> {
  const answer: unknown = await client
    .genericGrantRequest(configuration, 'authorization_code', {
      code: `keel-doctor-${client.randomState()}`,
      redirect_uri: redirectUrl,
      code_verifier: client.randomPKCECodeVerifier(),
    })
    .catch((error: unknown) => error);
  if (answer instanceof client.ResponseBodyError && answer.error === 'invalid_grant') return;
  if (answer instanceof Error) throw clientFault(answer) ?? answer;
  throw new KeelError('OIDC_REFUSED', 'The identity provider has redeemed a code that cannot exist.');
}

export function createOidcProvider(options: OidcOptions): OidcProvider {
  const discover = createDiscovery(options);
  return {
    secure: new URL(options.redirectUrl).protocol === 'https:',
    authorizationUrl: async ({ state, nonce, verifier }) => {
      try {
        const configuration = await discover();
        return client.buildAuthorizationUrl(configuration, {
          redirect_uri: options.redirectUrl,
          scope: 'openid email profile',
          response_type: 'code',
          state,
          nonce,
          code_challenge: await client.calculatePKCECodeChallenge(verifier),
          code_challenge_method: 'S256',
        }).href;
      } catch (error) {
        throw classify(error);
      }
    },
    tryClient: async () => {
      try {
        await tryClient(await discover(), options.redirectUrl);
      } catch (error) {
        throw classify(error);
      }
    },
    identify: async (query, secrets) => {
      try {
        const callback = new URL(options.redirectUrl);
        callback.search = query;
        return await identify(await discover(), callback, secrets);
      } catch (error) {
        throw classify(error);
      }
    },
  };
}
