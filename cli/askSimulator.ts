// Which simulator a command speaks with, and its admin HTTP. Called by commands/simulator.ts.
import { resolve } from 'node:path';
import { loadConfig } from '../config/load.js';
import { StartError } from './supervisor/dataDir.js';
import { UsageError } from './supervisor/options.js';
import { readState } from './supervisor/state.js';

interface Admin {
  readonly adminUrl: string;
  readonly adminToken: string;
}

/**
 * The simulator that the environment names, else that of the Keel on the data directory.
 * @throws UsageError when an option and the environment name two, StartError for half of what names one
 */
export function adminOf(dataDir: string | undefined, env: NodeJS.ProcessEnv): Admin {
  const directory = resolve(dataDir ?? env['KEEL_DATA_DIR'] ?? '.keel');
  const { adminUrl, adminToken } = loadConfig(env, { need: ['simulator'] }).simulator;
  const [url, token] = ['KEEL_SIMULATOR_ADMIN_URL', 'KEEL_SIMULATOR_ADMIN_TOKEN'];
  const running = readState(directory)?.simulator ?? null;
  if (dataDir !== undefined && running !== null && adminUrl !== '') {
    throw new UsageError(
      `--data-dir and ${url} (of the environment or of .env) name two simulators: give one of them`,
    );
  }
  if (adminUrl !== '' && adminToken !== '') return { adminUrl, adminToken };
  // Never filled up from the data directory: the token of one simulator would go to another.
  if (adminUrl !== '' || adminToken !== '') {
    const [given, other] = adminUrl === '' ? [token, url] : [url, token];
    throw new StartError(
      `${given} is set without ${other}: set both, or neither for the Keel on ${directory}`,
    );
  }
  if (running !== null) return running;
  throw new StartError(
    `no Keel with a simulator runs on ${directory}: start one, name it with --data-dir, or set ${url} and ${token}`,
  );
}

export async function ask(
  { adminUrl, adminToken }: Admin,
  path: string,
  body?: object,
  method = body === undefined ? 'GET' : 'POST',
): Promise<unknown> {
  const response = await fetch(`${adminUrl.replace(/\/+$/, '')}${path}`, {
    method,
    headers: { authorization: `Bearer ${adminToken}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(20_000),
  }).catch((error: unknown) => {
    throw new StartError(`the simulator does not answer at ${adminUrl}`, { cause: error });
  });
  const answer = (await response.json()) as { error?: string };
  if (response.ok) return answer;
  throw new StartError(
    `the simulator refused (${String(response.status)}): ${answer.error ?? 'no reason given'}`,
  );
}
