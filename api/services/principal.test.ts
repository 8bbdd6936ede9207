import { describe, expect, it } from 'vitest';
import { roles, scopes } from '../../domain/access/roles.js';
import { routeRules } from '../../domain/access/routes.js';
import { isAct, proofMs } from '../../domain/access/secondFactor.js';
import { KeelError } from '../../ports/errors.js';
import { memoryUsers } from '../testing/memoryAccess.js';
import type { Principal } from './principal.js';
import { authorize, viewerOf } from './principal.js';

const admin = { ...memoryUsers.admin, secondFactor: true };
const login = (provenMsAgo: number | null): Principal['via'] => ({
  kind: 'login',
  loginId: 'one',
  openedMsAgo: 1000,
  provenMsAgo,
});
const key = (...own: readonly (typeof scopes)[number][]): Principal['via'] => ({
  kind: 'key',
  prefix: 'abcdefgh',
  scopes: own,
  local: false,
});

/** What the gate says to each rule that this call meets. */
const answers = (principal: Principal, mode: 'simulated' | 'paper' | 'live', wanted: boolean): string[] => [
  ...new Set(
    routeRules
      .filter((rule) => rule.needs !== 'public' && isAct(rule) === wanted)
      .map((rule) => {
        try {
          authorize(principal, rule, mode);
          return 'through';
        } catch (error) {
          return error instanceof KeelError ? error.code : 'another error';
        }
      }),
  ),
];

describe('acts', () => {
  it('are whatever changes something and needs a trader or more', () => {
    const acts = routeRules.filter(isAct).map(({ method, path }) => `${method} ${path}`);
    for (const act of [
      'post /api/v1/strategies',
      'post /api/v1/strategies/:id/execute',
      'post /api/v1/runs/:id/cancel',
      'patch /api/v1/users/:id',
      'delete /api/v1/users/:id/totp',
    ]) {
      expect(acts).toContain(act);
    }
    expect(routeRules.filter((rule) => rule.method === 'get' && isAct(rule))).toEqual([]);
    // To prove the second factor must not need it; alarms follow one's e-mail, so changing that does.
    expect(acts.filter((act) => act.includes('/auth/'))).toEqual(['patch /api/v1/auth/me']);
  });
});

describe('in live mode', () => {
  it('nobody acts without a second factor, and everybody looks', () => {
    const user = memoryUsers.admin;
    for (const via of [login(null), login(0)]) {
      expect(answers({ user, via }, 'live', true)).toEqual(['SECOND_FACTOR_MISSING']);
      expect(answers({ user, via }, 'live', false)).toEqual(['through']);
    }
    const withKey = answers({ user, via: key(...scopes) }, 'live', true);
    expect(withKey).not.toContain('through');
  });

  it('a login acts for five minutes after a code', () => {
    expect(answers({ user: admin, via: login(null) }, 'live', true)).toEqual(['PROOF_NEEDED']);
    expect(answers({ user: admin, via: login(proofMs + 1) }, 'live', true)).toEqual(['PROOF_NEEDED']);
    expect(answers({ user: admin, via: login(proofMs) }, 'live', true)).toEqual(['through']);
  });

  it('a key acts with the scope live only', () => {
    const without = answers({ user: admin, via: key('read', 'trade', 'admin') }, 'live', true);
    expect(without.sort()).toEqual(['LOGIN_NEEDED', 'SCOPE_MISSING']);
    expect(answers({ user: admin, via: key(...scopes) }, 'live', true).sort()).toEqual([
      'LOGIN_NEEDED',
      'through',
    ]);
  });
});

describe('in simulated and paper mode', () => {
  it.each(['simulated', 'paper'] as const)('%s: no second factor is asked for acts', (mode) => {
    for (const user of [admin, memoryUsers.admin]) {
      expect(answers({ user, via: login(null) }, mode, true)).toEqual(['through']);
    }
  });
});

describe('rows', () => {
  it("are seen with a narrow key of an admin as a trader sees them, and with the machine's own as an admin", () => {
    const seen = (via: Principal['via']) => viewerOf({ user: admin, via }).role;
    expect([seen(key('read')), seen(key('read', 'trade')), seen(key(...scopes))]).toEqual([
      'trader',
      'trader',
      'admin',
    ]);
    expect(seen(login(null))).toBe('admin');
    expect(seen({ kind: 'key', prefix: 'abcdefgh', scopes: ['read', 'trade'], local: true })).toBe('admin');
    for (const role of roles.slice(0, 2)) {
      const user = { ...admin, role };
      expect(viewerOf({ user, via: key('read') }).role).toBe(role);
    }
  });
});
