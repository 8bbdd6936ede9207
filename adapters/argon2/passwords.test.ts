import { describe, expect, it } from 'vitest';
import { argon2Cost, createPasswordHasher } from './passwords.js';

const passwords = createPasswordHasher();

describe('passwords', () => {
  it('are hashed with argon2id at the stated cost, with a salt of their own', async () => {
    const [one, two] = await Promise.all([
      passwords.hash('the same words'),
      passwords.hash('the same words'),
    ]);
    const { memoryCost, timeCost, parallelism } = argon2Cost;
    expect(one).toMatch(
      new RegExp(`^\\$argon2id\\$v=19\\$m=${memoryCost},t=${timeCost},p=${parallelism}\\$`),
    );
    expect(one).not.toBe(two);
    expect(await passwords.verify(one, 'the same words')).toBe(true);
    expect(await passwords.verify(one, 'the same word')).toBe(false);
  });

  it.each([
    ['over 72 bytes', 'a'.repeat(72)],
    ['of any script', 'пароль-密码-🔑'.repeat(10)],
    ['with a NUL in them', 'before\u0000'],
  ])('%s are not cut off', async (_what, start) => {
    const hash = await passwords.hash(`${start}x`);
    expect(await passwords.verify(hash, `${start}x`)).toBe(true);
    expect(await passwords.verify(hash, `${start}y`)).toBe(false);
    expect(await passwords.verify(hash, start)).toBe(false);
  });

  it('of nobody are hashed all the same, and fit never', async () => {
    expect(await passwords.verify(null, 'nobody has this password')).toBe(false);
  });

  it('are refused when a hundred wait', async () => {
    const one = createPasswordHasher(1);
    const hash = await passwords.hash('x');
    const many = await Promise.allSettled(
      Array.from({ length: 103 }, () => one.verify(hash.replace(/m=\d+,t=\d+/, 'm=8,t=1'), 'x')),
    );
    const refused = many.filter(({ status }) => status === 'rejected');
    expect(refused).toHaveLength(2);
    expect(refused[0]).toMatchObject({ reason: { code: 'PASSWORDS_BUSY', errorClass: 'retryable' } });
  });
});
