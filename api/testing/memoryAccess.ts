// Users who are there from the start, each with his name as his token, for tests of everything behind the gate. How one
// becomes a user is tested against PostgreSQL. Used by tests only.
import type { Role } from '../../domain/access/roles.js';
import type { UserRow } from '../../ports/access.js';
import type { ApiDeps } from '../app.js';

const userOf = (number: number, username: string, role: Role): UserRow => ({
  id: `00000000-0000-4000-8000-00000000000${String(number)}`,
  email: `${username}@example.com`,
  username,
  role,
  active: true,
  mustChangePassword: username === 'newcomer',
  secondFactor: false,
  createdAt: '2014-01-01T00:00:00.000Z',
});

export const memoryUsers = {
  viewer: userOf(1, 'viewer', 'viewer'),
  trader: userOf(2, 'trader', 'trader'),
  other: userOf(3, 'other', 'trader'),
  admin: userOf(4, 'admin', 'admin'),
  /** Has to change his password first. */
  newcomer: userOf(5, 'newcomer', 'admin'),
} as const;

const users: readonly UserRow[] = Object.values(memoryUsers);

const nothing = (): Promise<never> => Promise.reject(new Error('not in memory'));

type MemoryAccess = Pick<
  ApiDeps,
  | 'users'
  | 'logins'
  | 'attempts'
  | 'apiKeys'
  | 'passwords'
  | 'passwordStrength'
  | 'accessTokens'
  | 'registrationOpen'
  | 'secondFactors'
  | 'timeCodes'
  | 'seal'
  | 'identities'
  | 'oidc'
>;

export const memoryAccess = (): MemoryAccess => ({
  users: {
    create: nothing,
    get: nothing,
    byLogin: nothing,
    passwordHash: nothing,
    setPassword: nothing,
    list: () => Promise.resolve(users),
    change: () => Promise.resolve(null),
    firstAdmin: () => Promise.resolve(memoryUsers.admin),
    adopt: nothing,
  },
  logins: {
    open: nothing,
    rotate: () => Promise.resolve(null),
    good: (loginId) => {
      const user = users.find(({ username }) => username === loginId);
      return Promise.resolve(user === undefined ? null : { user, openedMsAgo: 1000, provenMsAgo: null });
    },
    end: () => Promise.resolve(),
  },
  attempts: { begin: nothing, succeeded: nothing },
  apiKeys: {
    create: nothing,
    list: () => Promise.resolve([]),
    revoke: () => Promise.resolve(false),
    good: () => Promise.resolve(null),
    used: nothing,
  },
  passwords: { hash: nothing, verify: nothing },
  passwordStrength: { weakness: () => null },
  accessTokens: {
    lifetimeSeconds: 1800,
    sign: nothing,
    verify: (token) => {
      const user = users.find(({ username }) => username === token);
      return Promise.resolve(user ? { userId: user.id, loginId: user.username } : null);
    },
    nextRefreshToken: (token) => `after-${token}`,
  },
  registrationOpen: false,
  secondFactors: {
    get: () => Promise.resolve(null),
    enrol: nothing,
    confirm: nothing,
    useStep: nothing,
    useRecovery: nothing,
    putRecovery: nothing,
    remove: () => Promise.resolve(false),
    all: () => Promise.resolve([]),
    reseal: nothing,
  },
  oidc: null,
  identities: {
    beginFlow: nothing,
    takeFlow: nothing,
    keepIdentified: nothing,
    identifiedUser: nothing,
    endFlow: nothing,
    userOf: nothing,
    link: nothing,
    unlink: () => Promise.resolve(0),
    createUser: nothing,
  },
  timeCodes: { newSecret: () => 'A', uriOf: () => 'otpauth://totp/none', stepOf: () => null },
  seal: {
    close: (text) => text,
    open: (text) => ({ text, current: true }),
  },
});
