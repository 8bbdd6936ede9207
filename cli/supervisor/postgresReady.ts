// Watches a PostgreSQL that was launched until a connection answers, and makes Keel's database when it is missing. Called by
// postgres.ts.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { KeelError } from '../../ports/errors.js';
import type { Launched } from './postgresProcess.js';

/** True once the server with this pid says in its own file that it takes connections. */
function saysReady(databaseDir: string, pid: number): boolean {
  try {
    const lines = readFileSync(join(databaseDir, 'data', 'postmaster.pid'), 'utf8').split('\n');
    return Number(lines[0]) === pid && lines[7]?.trim() === 'ready';
  } catch {
    return false;
  }
}

/**
 * Waits for a real connection to Keel's database, which is made when it is missing. Another server may answer on the
 * port on which ours is about to fail, so ours has to say first that it is ready.
 * @returns `ended` when the process has ended instead
 * @throws KeelError POSTGRES_START when neither happens in time, or the password is refused
 */
export async function readyOrEnded(
  server: Launched,
  url: string,
  options: { readonly databaseDir: string; readonly deadlineMs: number; readonly readOnly: boolean },
): Promise<'ready' | 'ended'> {
  const begun = performance.now();
  for (;;) {
    const answer = saysReady(options.databaseDir, server.pid)
      ? await Promise.race([server.ended, tryConnection(url, options.readOnly)])
      : starting;
    if (answer === 'ready' || answer === 'ended') return answer;
    const refused = answer.code === '28P01' || answer.code === '3D000';
    if (refused || performance.now() - begun > options.deadlineMs) {
      throw new KeelError(
        'POSTGRES_START',
        `The embedded PostgreSQL runs and does not let Keel in (${answer.message}). Look into its log, or start anew with --reset.`,
        { cause: answer },
      );
    }
    if ((await Promise.race([server.ended, sleep(40)])) === 'ended') return 'ended';
  }
}

interface ConnectionError {
  readonly message: string;
  readonly code?: string;
}
const starting: ConnectionError = { message: 'it is still starting' };

async function tryConnection(url: string, readOnly: boolean): Promise<'ready' | ConnectionError> {
  const error = await ask(url, 'select 1');
  if (error?.code !== '3D000' || readOnly) return error ?? 'ready';
  const maintenance = new URL(url);
  const name = maintenance.pathname.slice(1);
  maintenance.pathname = '/postgres';
  return (await ask(maintenance.href, `create database "${name}"`)) ?? 'ready';
}

async function ask(url: string, sql: string): Promise<ConnectionError | null> {
  const client = new Client({
    connectionString: url,
    connectionTimeoutMillis: 3000,
    query_timeout: 20_000,
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.query(sql);
    return null;
  } catch (error) {
    return error as ConnectionError;
  } finally {
    await client.end().catch(() => undefined);
  }
}
