// <dataDir>/state.json: where a running Keel can be found. Written by the supervisor once all is up, removed when it
// stops; read by the `keel` commands. It holds secrets of the embedded parts, so only its owner can read it.
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { isAlive } from './processTable.js';
import { writeFileAtomically } from './records.js';

const simulator = z.object({
  baseUrl: z.string(),
  caFile: z.string(),
  certSha256: z.string(),
  adminUrl: z.string(),
  adminToken: z.string(),
  ledgerFile: z.string(),
});

const stateSchema = z.object({
  pid: z.number(),
  startTime: z.string(),
  mode: z.enum(['simulated', 'paper', 'live']),
  accountId: z.string(),
  apiUrl: z.string(),
  /** With which the `keel` command asks the API; made anew at each start. */
  apiKey: z.string(),
  databaseUrl: z.string(),
  /** Directory of the embedded cluster; null with DATABASE_URL. */
  databaseDir: z.string().nullable(),
  /** Directory of the object store; null with MinIO. */
  objectDir: z.string().nullable(),
  temporal: z.object({
    address: z.string(),
    namespace: z.string(),
    uiUrl: z.string(),
    /** Of a server that was given. */
    security: z
      .object({
        tlsCaFile: z.string(),
        tlsCertFile: z.string(),
        tlsKeyFile: z.string(),
        tlsServerName: z.string(),
        apiKey: z.string(),
      })
      .optional(),
  }),
  /** Whether its webhooks may reach private addresses; of a state that was written before there was this, not known. */
  privateAddresses: z.enum(['allowed', 'refused']).optional(),
  /** Null outside simulated mode. */
  simulator: simulator.nullable(),
});

export type KeelState = z.infer<typeof stateSchema>;

const fileOf = (dataDir: string): string => join(dataDir, 'state.json');

export function writeState(dataDir: string, state: KeelState): void {
  writeFileAtomically(fileOf(dataDir), `${JSON.stringify(state, null, 2)}\n`);
}

export function removeState(dataDir: string): void {
  rmSync(fileOf(dataDir), { force: true });
}

/** The Keel that runs on a data directory; null when none does. */
export function readState(dataDir: string): KeelState | null {
  let text: string;
  try {
    text = readFileSync(fileOf(dataDir), 'utf8');
  } catch {
    return null;
  }
  try {
    const state = stateSchema.parse(JSON.parse(text));
    return isAlive(state) ? state : null;
  } catch {
    return null;
  }
}
