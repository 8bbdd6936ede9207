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

/** Whether Keel may write to an address beyond it that this user has chosen; else everybody who may look could choose one. */
export const mayHearBeyond = (role: Role): boolean => reaches(role, 'trader');

/** Whether Keel may write e-mail there for this user: to his own address, or wherever an admin says. */
export const mayHearByMail = (
  user: { readonly role: Role; readonly email: string },
  address: string,
): boolean => user.role === 'admin' || address.toLowerCase() === user.email.toLowerCase();

/** Whether one with `role` may do what `needed` may. */
export const reaches = (role: Role, needed: Role): boolean => roles.indexOf(role) >= roles.indexOf(needed);
