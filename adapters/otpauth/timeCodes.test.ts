import { createHmac } from 'node:crypto';
import { Secret, TOTP } from 'otpauth';
import { describe, expect, it } from 'vitest';
import { createTimeCodes } from './timeCodes.js';

let now = 0;
const codes = createTimeCodes({ clock: { now: () => now }, issuer: 'Keel live' });
/** ASCII "12345678901234567890", the key of RFC 6238, appendix B. */
const key = '12345678901234567890';
const secret = Secret.fromLatin1(key).base32;

/** Seconds since 1970, the eight digits of the RFC (its SHA-1 rows). */
const vectors = [
  [59, '94287082'],
  [1_111_111_109, '07081804'],
  [1_111_111_111, '14050471'],
  [1_234_567_890, '89005924'],
  [2_000_000_000, '69279037'],
  [20_000_000_000, '65353130'],
] as const;

/** RFC 4226 by hand, so that the library is not held against itself. */
function byHand(seconds: number): string {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(seconds / 30)));
  const mac = createHmac('sha1', key).update(counter).digest();
  const number = mac.readUInt32BE((mac.at(-1) ?? 0) & 15) & 0x7fffffff;
  return String(number % 1_000_000).padStart(6, '0');
}

describe('codes', () => {
  it.each(vectors)('are those of RFC 6238 at %d s', (seconds, eight) => {
    const given = { secret: Secret.fromBase32(secret), digits: 8, timestamp: seconds * 1000 };
    expect(TOTP.generate(given)).toBe(eight);
    now = seconds * 1000;
    expect(byHand(seconds)).toBe(eight.slice(2));
    expect(codes.stepOf(secret, eight.slice(2))).toBe(Math.floor(seconds / 30));
  });

  it('are taken one step early and one step late, with the step that they are of', () => {
    const at = 1_234_567_890;
    now = at * 1000;
    const steps = [-60, -30, 0, 30, 60].map((late) => codes.stepOf(secret, byHand(at + late)));
    const step = Math.floor(at / 30);
    expect(steps).toEqual([null, step - 1, step, step + 1, null]);
  });

  it.each(['', '00000', '0000000', 'abcdef', '١٢٣٤٥٦'])('refuse %j', (code) => {
    now = 59_000;
    expect(codes.stepOf(secret, code)).toBeNull();
  });

  it('belong to a new secret of 160 bits each time, which the authenticator gets as an address', () => {
    const made = codes.newSecret();
    expect(made).toMatch(/^[A-Z2-7]{32}$/);
    expect(codes.newSecret()).not.toBe(made);
    const uri = codes.uriOf(made, 'maria');
    expect(uri).toMatch(/^otpauth:\/\/totp\/Keel%20live:maria\?/);
    expect(new URL(uri).searchParams.get('secret')).toBe(made);
    expect(uri).toContain('digits=6&period=30');
  });
});
