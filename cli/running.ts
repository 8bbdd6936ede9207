// Which Keel a command speaks to: one that runs on this machine, or an API elsewhere. Used by the commands that need one.
import { resolve } from 'node:path';
import type { Api } from './api.js';
import { createApi } from './api.js';
import { StartError } from './supervisor/dataDir.js';
import type { KeelState } from './supervisor/state.js';
import { readState } from './supervisor/state.js';

/** Of --data-dir, else of the environment. */
export const dataDirOf = (given: string | undefined, env: NodeJS.ProcessEnv): string =>
  resolve(given ?? env['KEEL_DATA_DIR'] ?? '.keel');

/** @throws StartError when no Keel runs on the directory */
export function requireState(dataDir: string): KeelState {
  const state = readState(dataDir);
  if (state !== null) return state;
  throw new StartError(
    `no Keel runs on ${dataDir}: start one with npm start, or name another with --data-dir or --api`,
  );
}

/** With the key of KEEL_API_KEY, which is of that API. */
export const apiElsewhere = (url: string, env: NodeJS.ProcessEnv): Api =>
  createApi(url.replace(/\/+$/, ''), env['KEEL_API_KEY'] || null);

/** Of --api, else of the Keel that runs on the data directory. */
export function apiOf(values: { api?: string; 'data-dir'?: string }, env: NodeJS.ProcessEnv): Api {
  if (values.api !== undefined) return apiElsewhere(values.api, env);
  const state = requireState(dataDirOf(values['data-dir'], env));
  return createApi(state.apiUrl, state.apiKey);
}
