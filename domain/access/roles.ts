// Roles, the scopes of API keys, and what a route asks of them. Used by the API and by everything that makes a user.

/** From the least to the most: each may do what those before it may. */
export const roles = ['viewer', 'trader', 'admin'] as const;
export type Role = (typeof roles)[number];

/**
 * What a key may be used for; a key never does more than its owner may. `live` stands beside the others: a key that acts
 * in live mode needs it too.
 */
export const scopes = ['read', 'trade', 'admin', 'live'] as const;
export type Scope = (typeof scopes)[number];

const scopeByRole: Readonly<Record<Role, Scope>> = { viewer: 'read', trader: 'trade', admin: 'admin' };

/** The scope that a key needs where a route asks for a role. */
export const scopeFor = (needed: Role): Scope => scopeByRole[needed];

/** Whether one with `role` may do what `needed` may. */
export const reaches = (role: Role, needed: Role): boolean => roles.indexOf(role) >= roles.indexOf(needed);
