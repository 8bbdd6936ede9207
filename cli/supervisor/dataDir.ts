// The data directory: made and marked as Keel's, writable, and held by one supervisor at a time.
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readdirSync,
  rmSync,
  statfsSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { giveBack, takeLock } from './lockFile.js';
import { makePrivate } from './privacy.js';

/** An error whose message is all that a person needs: printed as one line, without a stack. */
export class StartError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'StartError';
  }
}

const fileReasons: Readonly<Record<string, string>> = {
  EROFS: 'its file system is read-only',
  EACCES: 'permission is denied',
  EPERM: 'permission is denied',
  ENOSPC: 'its disk is full',
  EDQUOT: 'its disk is full',
  EISDIR: 'it is a directory',
  ENOTDIR: 'it, or a part of its path, is a file',
  ENOENT: 'a part of its path is missing and cannot be made',
};

/** What a file error says, in words; its code where there are none. */
function fileReason(error: unknown): string {
  const { code = 'unknown error' } = error as NodeJS.ErrnoException;
  return fileReasons[code] ?? code;
}

const marker = 'keel.json';
const lockFile = 'supervisor.lock';

/** Everything that Keel keeps in a data directory; `--reset` removes no other name. */
export const keptNames: readonly RegExp[] = [
  /^temporal\.db(-.*)?$/,
  /^(objects|simulator|logs|postgres)$/,
  /^(processes|state)\.json$/,
  /^auth\.secret$/,
];

/** What `keel ibkr trust` puts there, also before the first start. `--reset` leaves it. */
const trustedNames = /^ibkr$/;

/** The first of a directory's files that Keel did not put there. */
export const foreignName = (names: readonly string[]): string | undefined =>
  names.find(
    (name) => name !== lockFile && !trustedNames.test(name) && !keptNames.some((kept) => kept.test(name)),
  );

/**
 * Makes the directory when it is missing, marks it as Keel's, and keeps it from other users.
 * @returns whether it was made or empty, so that nothing of an earlier start can be in it
 * @throws StartError when it cannot be written, or holds somebody else's files
 */
export function prepareDataDir(dataDir: string): { readonly fresh: boolean } {
  try {
    makeFolders(dataDir);
    readdirSync(dataDir);
    accessSync(dataDir, constants.R_OK | constants.W_OK | constants.X_OK);
    // Root passes every access check: only writing tells a read-only file system.
    const probe = join(dataDir, `.probe-${String(process.pid)}`);
    writeFileSync(probe, '');
    rmSync(probe);
  } catch (error) {
    throw new StartError(
      `the data directory ${dataDir} cannot be written (${fileReason(error)}): make it writable, or give another with --data-dir`,
      { cause: error },
    );
  }
  refuseFullDisk(dataDir);
  const names = readdirSync(dataDir);
  if (names.includes(marker)) {
    keepPrivate(dataDir);
    return { fresh: false };
  }
  const foreign = foreignName(names);
  if (foreign !== undefined) {
    throw new StartError(
      `${dataDir} holds files that are not Keel's (${foreign}): give a new or empty directory with --data-dir`,
    );
  }
  writeFileSync(join(dataDir, marker), `${JSON.stringify({ keel: 1 })}\n`, { mode: 0o600 });
  keepPrivate(dataDir);
  return { fresh: names.every((name) => trustedNames.test(name)) };
}

function keepPrivate(dataDir: string): void {
  try {
    makePrivate(dataDir);
  } catch (error) {
    throw new StartError(
      `the data directory ${dataDir} cannot be kept from other users (${fileReason(error)}): give one on a file system with owners and rights, with --data-dir`,
      { cause: error },
    );
  }
}

/** One by one: Node's own recursive way never ends below a file system that refuses folders, such as /proc. */
function makeFolders(directory: string): void {
  if (existsSync(directory)) return;
  if (dirname(directory) !== directory) makeFolders(dirname(directory));
  mkdirSync(directory);
}

/** Of PostgreSQL's files and Temporal's for a first run, with room to spare. */
export const leastFreeBytes = 100_000_000;

/** A Temporal server whose disk fills up neither ends nor says why, so it is not begun on one that nearly has. */
function refuseFullDisk(dataDir: string): void {
  const { bavail, bsize, blocks } = statfsSync(dataDir);
  // Some network file systems tell nothing.
  if (blocks === 0 || bavail * bsize >= leastFreeBytes) return;
  const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;
  throw new StartError(
    `the disk of the data directory ${dataDir} has ${megabytes(bavail * bsize)} free and ${megabytes(leastFreeBytes)} are needed: free some, or give another with --data-dir`,
  );
}

/**
 * Takes the directory for this process. A lock of a dead process is taken over.
 * @returns what gives it back
 * @throws StartError when another supervisor that lives has it
 */
export function lockDataDir(dataDir: string): () => void {
  const file = join(dataDir, lockFile);
  const lock = takeLock(file);
  if (!lock.taken) {
    throw new StartError(
      `another Keel (process ${String(lock.owner?.pid ?? '?')}) runs on ${dataDir}: stop it, or give another --data-dir`,
    );
  }
  return () => {
    giveBack(file);
  };
}
