// Codes of an authenticator (RFC 6238: SHA-1, six digits, thirty seconds). Called by the composition root of the API.
import { Secret, TOTP } from 'otpauth';
import { codeDigits, codeStepSeconds, codeWindow, isTimeCode } from '../../domain/access/secondFactor.js';
import type { TimeCodes } from '../../ports/access.js';
import type { Clock } from '../../ports/clocks.js';

/** RFC 4226 asks for 128 bits and recommends 160, the length of the hash. */
const secretBytes = 20;

const totpOf = (secret: string, issuer: string, label: string): TOTP =>
  new TOTP({
    issuer,
    label,
    algorithm: 'SHA1',
    digits: codeDigits,
    period: codeStepSeconds,
    secret: Secret.fromBase32(secret),
  });

/** @param issuer shown by the authenticator beside the user's name */
export function createTimeCodes({ clock, issuer }: { clock: Clock; issuer: string }): TimeCodes {
  return {
    newSecret: () => new Secret({ size: secretBytes }).base32,
    uriOf: (secret, username) => totpOf(secret, issuer, username).toString(),
    stepOf: (secret, code) => {
      const timestamp = clock.now();
      if (!isTimeCode(code)) return null;
      // Compared in constant time by the library.
      const delta = totpOf(secret, issuer, '').validate({ token: code, timestamp, window: codeWindow });
      return delta === null ? null : TOTP.counter({ period: codeStepSeconds, timestamp }) + delta;
    },
  };
}
