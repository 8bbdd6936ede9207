// An identity provider over OpenID Connect: authorisation code with PKCE, by discovery. Called by the composition root of
// the API. One attempt with one timeout each; the package openid-client checks state, nonce, issuer, audience, times and,
// as it is told to here, the signature of the ID token.
import * as client from 'openid-client';
import { z } from 'zod';
import type { FlowSecrets, Identity, IdentityProvider } from '../../ports/identity.js';
import { KeelError } from '../../ports/errors.js';

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

const away = (cause: unknown): KeelError =>
  new KeelError('OIDC_AWAY', 'The identity provider does not answer; try again.', {
    errorClass: 'retryable',
    cause,
  });

/** Network errors and faults of the server; everything else is a refusal. Its texts are not shown: they may hold tokens. */
function classify(error: unknown): KeelError {
  if (error instanceof KeelError) return error;
  const { code, name, cause } = error as { code?: unknown; name?: unknown; cause?: unknown };
  // An answer that is not in the protocol comes along as the cause.
  const serverFault = cause instanceof Response && cause.status >= 500;
  const slow = code === 'OAUTH_TIMEOUT' || name === 'TimeoutError' || name === 'AbortError';
  if (serverFault || slow || (error instanceof TypeError && error.message === 'fetch failed'))
    return away(error);
  const named =
    error instanceof client.ResponseBodyError || error instanceof client.AuthorizationResponseError;
  const word =
    named && /^[a-z_]{1,40}$/.test(error.error)
      ? error.error
      : typeof code === 'string'
        ? code
        : 'unreadable';
  return new KeelError(
    'OIDC_REFUSED',
    `The identity provider's answer is not accepted (${word}); log in again.`,
    {
      cause: error,
    },
  );
}

/** What a provider says to a client that it does not know or does not let do this: no new login helps. */
const clientFaults = new Set([
  'invalid_client',
  'unauthorized_client',
  'invalid_scope',
  'unsupported_response_type',
]);

/** The message is for whoever logs in; its cause is for the log, and holds the provider's code of the error alone. */
const misconfigured = (said: string, look: string): KeelError =>
  new KeelError(
    'OIDC_MISCONFIGURED',
    'Keel is not set up as the identity provider knows it, so nobody can log in by it. An admin finds what it said in the log of the API.',
    { cause: new Error(`${said}: look at ${look}, and at how Keel is registered there`) },
  );

const ofClient = 'KEEL_OIDC_CLIENT_ID and KEEL_OIDC_CLIENT_SECRET (or KEEL_OIDC_CLIENT_SECRET_FILE)';

/** @returns null where the client's name and secret are not what was refused */
function clientFault(error: unknown): KeelError | null {
  if (error instanceof client.WWWAuthenticateChallengeError) {
    return misconfigured(`The identity provider refused Keel (HTTP ${String(error.status)})`, ofClient);
  }
  const named =
    error instanceof client.ResponseBodyError || error instanceof client.AuthorizationResponseError;
  if (!named || !clientFaults.has(error.error)) return null;
  return misconfigured(`The identity provider refused Keel (${error.error})`, ofClient);
}

/** Away stays away; whatever else is wrong with what a provider says of itself is no fault of who logs in. */
function discoveryFault(error: unknown): KeelError {
  const known = classify(error);
  if (known.code === 'OIDC_AWAY') return known;
  const said = 'What the identity provider says of itself is not that of the issuer that is set';
  return misconfigured(said, 'KEEL_OIDC_ISSUER');
}

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

export function createOidcProvider(options: OidcOptions): IdentityProvider {
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
