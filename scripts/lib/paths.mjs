// Where the set-up finds and keeps things. Used by every other file of scripts/.
import { homedir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** The checkout. */
export const root = path.resolve(fileURLToPath(import.meta.url), '../../..');

/** A tool of node_modules/.bin. */
export const bin = (name) => path.join(root, 'node_modules', '.bin', name);

/** Where servers built or downloaded once are kept, for every checkout of this user. */
export const cacheDir = (env = process.env) =>
  path.join(env.XDG_CACHE_HOME || path.join(env.HOME || homedir(), '.cache'), 'keel');

/** The folders of the import table that hold compiled code. */
export const layers = [
  'domain',
  'contracts',
  'ports',
  'workflows',
  'activities',
  'adapters',
  'simulator',
  'db',
  'config',
  'worker',
  'api',
  'cli',
  'bench',
];
