// The data directory and its parents: a place that can be written, is Keel's, has room, and keeps its secrets. Called by
// examine.ts.
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  rmdirSync,
  statSync,
  statfsSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { foreignName, leastFreeBytes } from '../supervisor/dataDir.js';
import { findLeftovers } from '../supervisor/leftovers.js';
import { isRoot, serverUser, sharedRoot, unreachableParent } from '../supervisor/postgresPlace.js';
import { isAlive } from '../supervisor/processTable.js';
import { readRecords } from '../supervisor/records.js';
import type { Finding, Patient } from './types.js';
import { reasonOf } from './types.js';

const check = 'data directory';

export function checkDataDirectory(patient: Patient): Finding[] {
  const { dataDir } = patient;
  const place = nearest(dataDir);
  const blocked = problemOfPlace(place, dataDir);
  if (blocked !== null) return [blocked];
  const found = [
    ...roomIn(place),
    ...(existsSync(dataDir) ? [...strangers(dataDir), ...leftBehind(patient), ...openSecrets(dataDir)] : []),
    ...unreachable(patient, place),
  ];
  if (found.length > 0) return found;
  const there = existsSync(dataDir);
  return [{ check, status: 'ok', found: there ? `${dataDir} can be written` : `${dataDir} can be made` }];
}

/** The directory itself, or the first parent that exists. */
function nearest(path: string): string {
  return existsSync(path) || dirname(path) === path ? path : nearest(dirname(path));
}

function problemOfPlace(place: string, dataDir: string): Finding | null {
  try {
    if (!statSync(place).isDirectory()) {
      return {
        check,
        status: 'fault',
        found: `${dataDir} can not be a directory`,
        cause: `${place} is a file`,
        fix: 'move that file away, or give another directory in KEEL_DATA_DIR',
      };
    }
    // Root passes every access check: only writing tells a read-only file system.
    rmdirSync(mkdtempSync(join(place, '.keel-doctor-')));
    return null;
  } catch (error) {
    return {
      check,
      status: 'fault',
      found: `${place} can not be written`,
      cause: reasonOf(error),
      fix: 'make it writable for this user, or give another directory in KEEL_DATA_DIR',
    };
  }
}

function roomIn(place: string): Finding[] {
  const { bavail, bsize, blocks } = statfsSync(place);
  const free = bavail * bsize;
  // Some network file systems tell nothing.
  if (blocks === 0 || free >= leastFreeBytes) return [];
  return [
    {
      check,
      status: 'fault',
      found: `the disk of ${place} has ${String(Math.floor(free / 1e6))} MB free`,
      cause: `${String(leastFreeBytes / 1e6)} MB are needed`,
      fix: 'free some, or give a directory on another disk in KEEL_DATA_DIR',
    },
  ];
}

function strangers(dataDir: string): Finding[] {
  const names = readdirSync(dataDir);
  if (names.includes('keel.json')) return [];
  const foreign = foreignName(names);
  if (foreign === undefined) return [];
  return [
    {
      check,
      status: 'fault',
      found: `${dataDir} holds files that are not Keel's (${foreign})`,
      cause: 'the directory belongs to something else',
      fix: 'give a new or empty directory in KEEL_DATA_DIR',
    },
  ];
}

/** What a supervisor that was killed could not tidy up. */
function leftBehind({ dataDir, running }: Patient): Finding[] {
  if (running !== null) return [];
  const processes = findLeftovers(readRecords(dataDir));
  const result: Finding[] = processes.map(({ role, pid }) => ({
    check,
    status: 'warning',
    found: `process ${String(pid)} (${role}) of an earlier start still runs`,
    cause: 'its supervisor was killed',
    fix: 'npm start ends it first; nothing else is needed',
  }));
  const lock = join(dataDir, 'supervisor.lock');
  if (!existsSync(lock) || ownerLives(lock)) return result;
  return [
    ...result,
    {
      check,
      status: 'warning',
      found: `${lock} is left of a process that has ended`,
      cause: 'its supervisor was killed',
      fix: 'keel doctor --fix removes it; npm start takes it over',
      repair: () => {
        if (!ownerLives(lock)) rmSync(lock, { force: true });
        return `removed ${lock}`;
      },
    },
  ];
}

function ownerLives(lock: string): boolean {
  try {
    const owner = JSON.parse(readFileSync(lock, 'utf8')) as { pid?: number; startTime?: string };
    return isAlive({ pid: owner.pid ?? 0, startTime: owner.startTime ?? '' });
  } catch {
    return false;
  }
}

const secretFiles = ['state.json', 'simulator/tls-key.pem'];

function openSecrets(dataDir: string): Finding[] {
  return secretFiles
    .map((name) => join(dataDir, name))
    .filter((file) => existsSync(file) && (statSync(file).mode & 0o077) !== 0)
    .map((file) => ({
      check,
      status: 'warning',
      found: `${file} can be read by other users`,
      cause: 'it holds secrets, and its rights were widened',
      fix: `chmod 600 ${file}; keel doctor --fix does it`,
      repair: () => {
        chmodSync(file, 0o600);
        return `made ${file} readable by its owner only`;
      },
    }));
}

/** As root PostgreSQL runs as another user, who has to get there. */
function unreachable({ env, dataDir }: Patient, place: string): Finding[] {
  if (!isRoot() || env['DATABASE_URL']) return [];
  const blocked = unreachableParent(place, serverUser(place) ?? { uid: -1, gid: -1 });
  if (blocked === null) return [];
  return [
    {
      check,
      status: 'warning',
      found: `PostgreSQL's user can not enter ${blocked}, a part of ${dataDir}`,
      cause: 'as root, PostgreSQL has to run as another user',
      fix: `nothing needs doing: its data go to ${sharedRoot}. Or chmod o+x ${blocked}`,
    },
  ];
}

/** Made with `--fix` only, so that looking changes nothing. */
export function checkDirectoryExists({ dataDir, running }: Patient): Finding[] {
  if (running !== null || existsSync(dataDir) || problemOfPlace(nearest(dataDir), dataDir) !== null)
    return [];
  return [
    {
      check,
      status: 'warning',
      found: `${dataDir} does not exist yet`,
      cause: 'Keel has not been started here',
      fix: 'npm start makes it; so does keel doctor --fix',
      repair: () => {
        mkdirSync(dataDir, { recursive: true, mode: 0o755 });
        return `made ${dataDir}`;
      },
    },
  ];
}
