// The client order id: made of business keys only, so the same decision can never get a second one.
import { createHash } from 'node:crypto';

const alphabet = 'abcdefghijklmnopqrstuvwxyz234567';

/** RFC 4648 base32 in lower case, without padding. */
function base32(bytes: Uint8Array): string {
  let text = '';
  let value = 0;
  let bits = 0;
  for (const byte of bytes) {
    value = (value << 8) | byte;
    bits += 8;
    while (bits >= 5) {
      text += alphabet.charAt((value >>> (bits - 5)) & 31);
      bits -= 5;
    }
    value &= (1 << bits) - 1;
  }
  return bits > 0 ? text + alphabet.charAt((value << (5 - bits)) & 31) : text;
}

export interface RunOrderKeys {
  readonly accountId: string;
  readonly strategyId: string;
  readonly symbol: string;
  readonly session: string;
  readonly slot: string;
  readonly leg: 'entry';
}

/** First 26 characters of base32(sha256(JSON array of the keys, the kind first)). */
export function clientOrderId(keys: RunOrderKeys): string {
  const list = ['run', keys.accountId, keys.strategyId, keys.symbol, keys.session, keys.slot, keys.leg];
  return base32(createHash('sha256').update(JSON.stringify(list)).digest()).slice(0, 26);
}
