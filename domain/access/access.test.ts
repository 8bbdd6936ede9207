import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { maySee, ownerFilter } from './ownership.js';
import { composed, passwordFault } from './password.js';
import { refreshGraceMs, refreshVerdict } from './refresh.js';
import { reaches, roles, scopeFor } from './roles.js';
import { routeRules } from './routes.js';

describe('roles', () => {
  it('include those before them, and no other', () => {
    expect(roles.map((role) => roles.map((needed) => reaches(role, needed)))).toEqual([
      [true, false, false],
      [true, true, false],
      [true, true, true],
    ]);
    expect(roles.map(scopeFor)).toEqual(['read', 'trade', 'admin']);
  });
});

describe('rows', () => {
  it('are seen by their owner and by admins; what nobody owns by admins alone', () => {
    const seen = (role: (typeof roles)[number], owner: string | null) =>
      maySee({ userId: 'me', role }, owner);
    expect([seen('viewer', 'me'), seen('trader', 'me'), seen('admin', 'me')]).toEqual([true, true, true]);
    expect([seen('viewer', 'you'), seen('trader', 'you'), seen('admin', 'you')]).toEqual([
      false,
      false,
      true,
    ]);
    expect([seen('trader', null), seen('admin', null)]).toEqual([false, true]);
    expect(ownerFilter({ userId: 'me', role: 'trader' })).toBe('me');
    expect(ownerFilter({ userId: 'me', role: 'admin' })).toBeNull();
  });
});

describe('passwords', () => {
  it('are the same however an accent was typed', () => {
    expect(composed('pässwörter ja')).toBe('pässwörter ja'.normalize('NFD').normalize('NFC'));
    expect(composed('Å'.normalize('NFD'))).toBe('Å');
  });

  it('have 12 to 256 characters, whatever their bytes', () => {
    expect(passwordFault('x'.repeat(11))).toContain('at least 12');
    expect(passwordFault('x'.repeat(12))).toBeNull();
    expect(passwordFault('🔑'.repeat(256))).toBeNull();
    expect(passwordFault('🔑'.repeat(257))).toContain('at most 256');
    expect(passwordFault(`${'x'.repeat(12)}\ud83d`)).toContain('half of a character');
  });

  it('are never cut: a longer one is another one', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 80 }), (text) => {
        expect(composed(`${text}a`)).not.toBe(composed(text));
      }),
    );
  });
});

describe('refresh tokens', () => {
  const fact = { loginOver: false, usedMsAgo: null, successorUsed: false };
  it('rotate once, are repeated within the grace, and end the login after it', () => {
    expect(refreshVerdict(fact)).toBe('rotate');
    expect(refreshVerdict({ ...fact, usedMsAgo: refreshGraceMs })).toBe('repeat');
    expect(refreshVerdict({ ...fact, usedMsAgo: refreshGraceMs + 1 })).toBe('replay');
  });

  it('have a grace only as the direct predecessor of the current one', () => {
    expect(refreshVerdict({ ...fact, usedMsAgo: 1, successorUsed: true })).toBe('replay');
  });

  it('give nothing once the login is over, and a replay of a dead login is no news', () => {
    fc.assert(
      fc.property(fc.option(fc.nat()), fc.boolean(), (usedMsAgo, successorUsed) => {
        expect(refreshVerdict({ loginOver: true, usedMsAgo, successorUsed })).toBe('refuse');
      }),
    );
  });
});

describe('the table of routes', () => {
  it('has each route once', () => {
    const names = routeRules.map(({ method, path }) => `${method} ${path}`);
    expect(new Set(names).size).toBe(names.length);
  });

  it('lets nobody write who has not proved who he is, save to prove it', () => {
    const open = routeRules.filter(({ method, needs }) => method !== 'get' && needs === 'public');
    expect(open.map(({ path }) => path)).toEqual([
      '/api/v1/auth/register',
      '/api/v1/auth/login',
      '/api/v1/auth/refresh',
      '/api/v1/auth/oidc/code',
    ]);
  });
});
