// Makes the id of a run from what makes the run the only one of its kind. Called by api/services/execute.ts and findRun.ts.
import { createHash } from 'node:crypto';
import type { RunIdentity } from '../../contracts/wire/names.js';

const alphabet = 'abcdefghijklmnopqrstuvwxyz234567';

/** Lower-case base32 of RFC 4648 §6, without padding. */
function base32(bytes: Uint8Array): string {
  let text = '';
  let buffer = 0;
  let bits = 0;
  for (const byte of bytes) {
    buffer = ((buffer << 8) | byte) & 0xffff;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      text += alphabet.charAt((buffer >> bits) & 31);
    }
  }
  return bits > 0 ? text + alphabet.charAt((buffer << (5 - bits)) & 31) : text;
}

/**
 * The first 26 characters of base32(sha256(JSON array)), 130 bits: the same identity gives the same run for ever. The
 * array starts with a kind, so no other id of Keel can collide with it.
 */
export function runIdOf(run: RunIdentity): string {
  const key = JSON.stringify(['run', run.mode, run.strategyId, run.symbol, run.session, run.slot]);
  return base32(createHash('sha256').update(key, 'utf8').digest()).slice(0, 26);
}
