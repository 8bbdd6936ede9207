// Where the embedded PostgreSQL lives and as whom it runs. PostgreSQL refuses root, so root lends it another user; what
// that user cannot reach (a home of 0700, a `mktemp -d`) is kept under /var/lib/keel. Called by postgres.ts.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, chownSync, lstatSync, mkdirSync, realpathSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { KeelError } from '../../ports/errors.js';

export interface SystemUser {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

export interface Place {
  /** Holds `data`, `password` and `log`; 0700 and the server's own. */
  readonly directory: string;
  /** Null when the server runs as whoever we are. */
  readonly user: SystemUser | null;
  /** True when it is not inside the data directory. */
  readonly moved: boolean;
}

const userName = 'postgres';
/** Root's own; only root may write there, so what it holds can be trusted. */
export const sharedRoot = '/var/lib/keel';

export const isRoot = (): boolean => process.getuid?.() === 0;

/** `<dataDir>/postgres`, and where it goes when the server's user cannot reach that. */
export function candidates(dataDir: string): { readonly inside: string; readonly outside: string } {
  let real = dataDir;
  try {
    real = realpathSync(dataDir);
  } catch {
    // Not made yet: its own name must do.
  }
  const name = createHash('sha256').update(real).digest('hex').slice(0, 16);
  return { inside: join(real, 'postgres'), outside: join(sharedRoot, name, 'postgres') };
}

/** @throws KeelError DATA_DIR_READ_ONLY, FOREIGN_DIRECTORY, NO_POSTGRES_USER (all final) */
export function choosePlace(dataDir: string, log: (message: string) => void): Place {
  makeDirectory(dataDir);
  const { inside, outside } = candidates(dataDir);
  if (!isRoot()) {
    makeDirectory(inside, 0o700);
    assertOwner(inside, [process.getuid?.() ?? statSync(inside).uid]);
    return { directory: inside, user: null, moved: false };
  }
  const user = serverUser(dataDir) ?? makeUser(log);
  const blocked = unreachableParent(dirname(inside), user);
  if (blocked === null) {
    makeDirectory(inside, 0o700);
    assertOwner(inside, [0, user.uid]);
    give(inside, user);
    return { directory: inside, user, moved: false };
  }
  makeSharedDirectory(sharedRoot);
  makeSharedDirectory(dirname(outside));
  writeFileSync(join(dirname(outside), 'origin'), `${dirname(inside)}\n`);
  makeDirectory(outside, 0o700);
  assertOwner(outside, [0, user.uid]);
  give(outside, user);
  log(
    `PostgreSQL runs as user ${user.name}, which cannot enter ${blocked}: its data are kept in ${outside} instead`,
  );
  return { directory: outside, user, moved: true };
}

/** As whom root runs the server of this data directory; null while there is no such user. */
export const serverUser = (dataDir: string): SystemUser | null =>
  ownerOf(candidates(dataDir).inside) ?? findUser(userName);

/** The first directory on the way to `path` that the user may not pass, or null. Both ends included. */
export function unreachableParent(path: string, user: Pick<SystemUser, 'uid' | 'gid'>): string | null {
  const real = realpathSync(path);
  const way: string[] = [];
  for (let current = real; ; current = dirname(current)) {
    way.unshift(current);
    if (dirname(current) === current) break;
  }
  return (
    way.find((directory) => {
      const { mode, uid, gid } = statSync(directory);
      // Only the first class that fits counts, as in the kernel.
      const bit = uid === user.uid ? 0o100 : gid === user.gid ? 0o010 : 0o001;
      return (mode & bit) === 0;
    }) ?? null
  );
}

/** Made by root for itself. Anything that another user could have made or can change is refused. */
export function makeSharedDirectory(path: string): void {
  makeDirectory(path, 0o755);
  const { uid, mode } = lstatSync(path);
  if (uid !== 0 || (mode & 0o022) !== 0) throw foreign(path, 'it does not belong to root alone');
  chmodSync(path, 0o755);
}

function makeDirectory(path: string, mode?: number): void {
  try {
    mkdirSync(path, { recursive: true, ...(mode === undefined ? {} : { mode }) });
  } catch (error) {
    const { code = 'error' } = error as NodeJS.ErrnoException;
    throw new KeelError(
      'DATA_DIR_READ_ONLY',
      `The data directory cannot be used: ${path} cannot be made (${code}). Make it writable, or give another with --data-dir.`,
      { facts: { path, reason: code }, cause: error },
    );
  }
  if (lstatSync(path).isSymbolicLink()) throw foreign(path, 'it is a symbolic link');
}

function assertOwner(path: string, allowed: readonly number[]): void {
  const { uid } = lstatSync(path);
  if (!allowed.includes(uid)) throw foreign(path, `it belongs to user id ${String(uid)}`);
}

const foreign = (path: string, why: string): KeelError =>
  new KeelError(
    'FOREIGN_DIRECTORY',
    `${path} cannot be trusted: ${why}. Remove it, or give another directory with --data-dir.`,
    { facts: { path } },
  );

function give(path: string, user: SystemUser): void {
  chownSync(path, user.uid, user.gid);
  chmodSync(path, 0o700);
}

/** Data that another user's Keel has made are served as that user. */
function ownerOf(path: string): SystemUser | null {
  try {
    const { uid, gid } = lstatSync(path);
    return uid === 0 ? null : { name: `with id ${String(uid)}`, uid, gid };
  } catch {
    return null;
  }
}

function findUser(name: string): SystemUser | null {
  const id = (flag: '-u' | '-g'): number | null => {
    const { status, stdout } = spawnSync('id', [flag, name], { encoding: 'utf8', timeout: 10_000 });
    return status === 0 ? Number(stdout.trim()) : null;
  };
  const uid = id('-u');
  const gid = id('-g');
  return uid === null || gid === null || uid === 0 ? null : { name, uid, gid };
}

function makeUser(log: (message: string) => void): SystemUser {
  log(
    `PostgreSQL does not run as root and there is no user "${userName}": making this system user (useradd)`,
  );
  const made = spawnSync(
    'useradd',
    ['--system', '--user-group', '--no-create-home', '--shell', '/usr/sbin/nologin', userName],
    { encoding: 'utf8', timeout: 30_000 },
  );
  const user = findUser(userName);
  if (user !== null) return user;
  throw new KeelError(
    'NO_POSTGRES_USER',
    `PostgreSQL does not run as root, and no user "${userName}" could be made` +
      ` (${made.stderr ? made.stderr.trim() : 'useradd is missing'}). Make one, start Keel as another user, or set DATABASE_URL.`,
  );
}
