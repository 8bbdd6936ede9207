import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { clientOrderId } from './clientOrderId.js';

const keys = {
  accountId: 'DU1234567',
  strategyId: 'demo-aapl',
  symbol: 'AAPL',
  session: '2014-07-07',
  slot: 'after-close',
  leg: 'entry',
} as const;

describe('clientOrderId', () => {
  it('is the same for the same decision, for ever', () => {
    expect(clientOrderId(keys)).toBe(clientOrderId({ ...keys }));
    expect(clientOrderId(keys)).toMatch(/^[a-z2-7]{26}$/);
  });
  it('is the base32 of the hash of the JSON array, decoded back to its bytes', () => {
    const text = JSON.stringify([
      'run',
      'DU1234567',
      'demo-aapl',
      'AAPL',
      '2014-07-07',
      'after-close',
      'entry',
    ]);
    const bits = Array.from(clientOrderId(keys))
      .map((letter) => 'abcdefghijklmnopqrstuvwxyz234567'.indexOf(letter).toString(2).padStart(5, '0'))
      .join('');
    const bytes = Buffer.from(bits.match(/.{8}/g)?.map((byte) => Number.parseInt(byte, 2)) ?? []);
    expect(bytes.toString('hex')).toBe(createHash('sha256').update(text).digest('hex').slice(0, 32));
  });
  it.each(['accountId', 'strategyId', 'symbol', 'session', 'slot'] as const)('differs by %s', (key) => {
    expect(clientOrderId({ ...keys, [key]: `${keys[key]}-2` })).not.toBe(clientOrderId(keys));
  });
  it('keeps neighbouring fields apart', () => {
    expect(clientOrderId({ ...keys, strategyId: 'a', symbol: 'bc' })).not.toBe(
      clientOrderId({ ...keys, strategyId: 'ab', symbol: 'c' }),
    );
  });
});
