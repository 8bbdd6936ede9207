import { describe, expect, it } from 'vitest';
import { createPasswordStrength } from './strength.js';

const strength = createPasswordStrength();
const own = ['maria', 'maria@example.com', 'maria', 'example', 'com'];

describe('a password', () => {
  it.each([
    'password1234',
    'qwertyuiop12',
    'aaaaaaaaaaaaaaaa',
    'abcabcabcabcabc',
    '123456789012',
    'iloveyou1234',
    'P@ssw0rd1234',
    'mariamaria12',
    'keelkeelkeel',
    'maria@example.com',
  ])('that is easy to guess is refused: %s', (password) => {
    expect(strength.weakness(password, own)).toContain('too easy to guess');
  });

  it.each([
    'correct horse battery staple',
    'gradient-obelisk-forty',
    'xkQ9$mm2pLw0z',
    'übergroße Möhren im Topf',
    '密码很长没有人能猜到它吗',
    'x7'.repeat(3) + 'a long sentence that nobody else would think of, over 72 bytes of it',
  ])('of words that do not belong together is taken: %s', (password) => {
    expect(strength.weakness(password, own)).toBeNull();
  });
});
