import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createSeal } from './seal.js';

const one = 'the first secret of these tests, long';
const two = 'the second secret of these tests, long';

describe('a seal', () => {
  it('opens what it closed, for its owner alone, and never looks the same twice', () => {
    const seal = createSeal([one], 'tests');
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.uuid(), fc.uuid(), (text, owner, other) => {
        const closed = seal.close(text, owner);
        expect(seal.open(closed, owner)).toEqual({ text, current: true });
        expect(seal.close(text, owner)).not.toBe(closed);
        if (other !== owner) expect(() => seal.open(closed, other)).toThrow('can not be opened');
      }),
    );
  });

  it('opens with the key before and says so, and with no third', () => {
    const closed = createSeal([one], 'tests').close('text', 'owner');
    expect(closed).not.toContain('text');
    expect(createSeal([two, one], 'tests').open(closed, 'owner')).toEqual({ text: 'text', current: false });
    expect(() => createSeal([two], 'tests').open(closed, 'owner')).toThrow('KEEL_AUTH_PREVIOUS_SECRET');
    expect(() => createSeal([`${two}!`, two, one], 'tests').open(closed, 'owner')).toThrow();
    expect(() => createSeal([one], 'other').open(closed, 'owner')).toThrow();
  });

  it('notices every changed byte', () => {
    const seal = createSeal([one], 'tests');
    const [version = '', name = '', text = ''] = seal.close('a secret', 'owner').split('.');
    const bytes = Buffer.from(text, 'base64url');
    for (let at = 0; at < bytes.length; at += 1) {
      const changed = Buffer.from(bytes);
      changed.writeUInt8(changed.readUInt8(at) ^ 1, at);
      const forged = [version, name, changed.toString('base64url')].join('.');
      expect(() => seal.open(forged, 'owner')).toThrow('can not be opened');
    }
    for (const bad of ['', 'v1', 'v1.x.y', `v2.${name}.${text}`, `v1.${name}.`]) {
      expect(() => seal.open(bad, 'owner')).toThrow('can not be opened');
    }
  });
});
