// The Diffie-Hellman exchange for a live session token, and the check that the other side has the same one. Pure but for
// its random number. Called by liveSession.ts.
import { createHmac, timingSafeEqual } from 'node:crypto';
import { KeelError } from '../../../ports/errors.js';
import type { OauthCredentials } from './credentials.js';

export interface KeyExchange {
  /** What is sent: hex without zero digits before it. */
  readonly challenge: string;
  /**
   * The live session token that the answer makes.
   * @throws KeelError IBKR_OAUTH_TOKEN (final) when it is not the one that IBKR signed, or the answer is no number of the group
   */
  finish(answer: { readonly response: string; readonly signature: string }): Buffer;
}

type Numbers = Pick<OauthCredentials, 'group' | 'secret' | 'consumerKey'>;

const refused = (why: string): KeelError =>
  new KeelError(
    'IBKR_OAUTH_TOKEN',
    `The live session token was not taken: ${why}. Nothing is signed with it. Check that broker.oauth.dhParamFile and accessTokenSecret belong to the consumer.`,
  );

/** A positive number as Java writes it: the shortest form with room for a sign. */
function signedBytes(number: Buffer): Buffer {
  const first = number.findIndex((byte) => byte !== 0);
  const short = first === -1 ? Buffer.alloc(1) : number.subarray(first);
  return (short[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.alloc(1), short]) : short;
}

const sha1 = (key: Buffer, text: Buffer | string): Buffer => createHmac('sha1', key).update(text).digest();

const same = (a: Buffer, b: Buffer): boolean => a.length === b.length && timingSafeEqual(a, b);

/** @param random 256 bits that nobody else knows, and no second exchange has */
export function beginExchange({ group, secret, consumerKey }: Numbers, random: Buffer): KeyExchange {
  group.setPrivateKey(random);
  return {
    challenge: group.generateKeys('hex').replace(/^0+/, ''),
    finish({ response, signature }) {
      if (!/^[0-9a-f]{1,4096}$/i.test(response)) throw refused('the answer holds no number');
      let shared: Buffer;
      try {
        shared = group.computeSecret(
          Buffer.from(response.length % 2 === 0 ? response : `0${response}`, 'hex'),
        );
      } catch {
        throw refused('the number in the answer is none of the group');
      }
      const token = sha1(signedBytes(shared), secret);
      if (same(sha1(token, consumerKey), Buffer.from(signature, 'hex'))) return token;
      throw refused("IBKR's signature is not that of the token that was computed");
    },
  };
}
