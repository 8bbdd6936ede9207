// Whose rows somebody sees. What one may not see is answered as if it were not there. Called by the API's services.
import type { Role } from './roles.js';

export interface Viewer {
  readonly userId: string;
  readonly role: Role;
}

/** An admin sees everything, also what nobody owns; everybody else sees his own. */
export const maySee = ({ userId, role }: Viewer, ownerId: string | null): boolean =>
  role === 'admin' || ownerId === userId;

/** The owner to whom a list is narrowed; null where nothing is hidden. */
export const ownerFilter = ({ userId, role }: Viewer): string | null => (role === 'admin' ? null : userId);
