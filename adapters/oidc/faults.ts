// What an identity provider's answers and silences mean: away, refused, or Keel set up otherwise than it is registered there.
// Used by provider.ts.
import * as client from 'openid-client';
import { KeelError } from '../../ports/errors.js';

const away = (cause: unknown): KeelError =>
  new KeelError('OIDC_AWAY', 'The identity provider does not answer; try again.', {
    errorClass: 'retryable',
    cause,
  });

/** Network errors and faults of the server; everything else is a refusal. Its texts are not shown: they may hold tokens. */
export function classify(error: unknown): KeelError {
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
export function clientFault(error: unknown): KeelError | null {
  if (error instanceof client.WWWAuthenticateChallengeError) {
    return misconfigured(`The identity provider refused Keel (HTTP ${String(error.status)})`, ofClient);
  }
  const named =
    error instanceof client.ResponseBodyError || error instanceof client.AuthorizationResponseError;
  if (!named || !clientFaults.has(error.error)) return null;
  return misconfigured(`The identity provider refused Keel (${error.error})`, ofClient);
}

/** Away stays away; whatever else is wrong with what a provider says of itself is no fault of who logs in. */
export function discoveryFault(error: unknown): KeelError {
  const known = classify(error);
  if (known.code === 'OIDC_AWAY') return known;
  const said = 'What the identity provider says of itself is not that of the issuer that is set';
  return misconfigured(said, 'KEEL_OIDC_ISSUER');
}
