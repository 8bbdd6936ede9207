// Keeps a data directory from other users of the machine: histories, objects, logs and ledgers tell what somebody holds and
// does. Called by dataDir.ts at each start; what is made after it is private from the beginning.
import {
  chmodSync,
  chownSync,
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  statSync,
} from 'node:fs';
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

/**
 * A directory last: one that is found closed was closed with all that is in it. What is changed is what was opened: a link that
 * somebody puts in its place meanwhile is not followed.
 */
function close(path: string): void {
  const seen = lstatSync(path, { throwIfNoEntry: false });
  // Opening a pipe or a socket would wait for, or speak to, somebody.
  if (seen === undefined || !(seen.isDirectory() || seen.isFile()) || (seen.mode & others) === 0) return;
  if (!isOurs(seen.uid)) return;
  const file = openUnlessGone(path);
  if (file === null) return;
  try {
    const found = fstatSync(file);
    if ((found.mode & others) === 0 || !isOurs(found.uid)) return;
    // By the open directory where the system has a path for it; elsewhere by its name.
    const inside = process.platform === 'linux' ? `/proc/self/fd/${String(file)}` : path;
    if (found.isDirectory()) for (const name of readdirSync(inside)) close(join(inside, name));
    if (found.isDirectory() || found.isFile()) fchmodSync(file, found.mode & 0o700);
  } finally {
    closeSync(file);
  }
}

/** @returns null for what is a link by now, or is there no more: another start takes its probe away before the lock */
function openUnlessGone(path: string): number | null {
  try {
    return openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if (error instanceof Error && 'code' in error && ['ENOENT', 'ELOOP'].includes(String(error.code)))
      return null;
    throw error;
  }
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
