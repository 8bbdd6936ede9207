// Keeps a data directory from other users of the machine: histories, objects, logs and ledgers tell what somebody holds and
// does. Called by dataDir.ts at each start; what is made after it is private from the beginning.
import { chmodSync, chownSync, lstatSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { isRoot, serverUser } from './postgresPlace.js';

const others = 0o077;

/** Takes away what earlier releases left open. The cluster is the server's own, which keeps it private itself. */
export function makePrivate(dataDir: string): void {
  for (const name of readdirSync(dataDir)) {
    if (name !== 'postgres') close(join(dataDir, name));
  }
  closeTop(dataDir);
}

/** A directory last: one that is found closed was closed with all that is in it. */
function close(path: string): void {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined || found.isSymbolicLink() || (found.mode & others) === 0) return;
  if (!isOurs(found.uid)) return;
  if (found.isDirectory()) for (const name of readdirSync(path)) close(join(path, name));
  if (found.isDirectory() || found.isFile()) chmodSync(path, found.mode & 0o700);
}

/**
 * Root lends PostgreSQL another user, which has to pass through the directory to its cluster: the group of that user may
 * pass then, and nobody may look. A directory that was closed to it before stays so.
 */
function closeTop(dataDir: string): void {
  const { mode, uid } = statSync(dataDir);
  if ((mode & others) === 0 || !isOurs(uid)) return;
  if (!isRoot()) {
    chmodSync(dataDir, 0o700);
    return;
  }
  const user = serverUser(dataDir);
  if (user === null) {
    // That user is about to be made; the next start knows its group.
    chmodSync(dataDir, 0o711);
    return;
  }
  chownSync(dataDir, uid, user.gid);
  chmodSync(dataDir, 0o710);
}

const isOurs = (uid: number): boolean => isRoot() || uid === process.getuid?.();
