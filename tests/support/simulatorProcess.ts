// The simulator as a process of its own for tests that stop or kill it.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { TOKEN } from './simulator.js';
import type { Facts } from './simulator.js';

const main = path.resolve(import.meta.dirname, '../../dist/simulator/main.js');

/** What it says of itself once it listens. */
export type ReadyFacts = Facts & {
  readonly ready: boolean;
  readonly apiUrl: string;
  readonly ledgerFile: string;
  readonly ledgerCutBytes: number;
};

/** Starts it on free ports over a directory; `facts` is null where it refused to start. It ends with the tests. */
export async function launchSimulator(directory: string, env: Readonly<Record<string, string>> = {}) {
  const child = spawn(process.execPath, [main], {
    env: {
      PATH: process.env.PATH,
      KEEL_SIMULATOR_DIR: directory,
      KEEL_SIMULATOR_PORT: '0',
      KEEL_SIMULATOR_ADMIN_PORT: '0',
      KEEL_SIMULATOR_API_PORT: '0',
      KEEL_SIMULATOR_OAUTH_PORT: '0',
      KEEL_SIMULATOR_ADMIN_TOKEN: TOKEN,
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const killAtExit = (): void => {
    child.kill('SIGKILL');
  };
  process.once('exit', killAtExit);
  let errors = '';
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
  // `close` comes after the last output.
  const exit = once(child, 'close').then(([code, signal]: unknown[]) => {
    process.off('exit', killAtExit);
    return { code, signal, errors };
  });
  const line = await Promise.race([
    once(createInterface(child.stdout), 'line').then(([text]: unknown[]) => String(text)),
    exit.then(() => null),
  ]);
  const facts = line === null ? null : (JSON.parse(line) as ReadyFacts);
  /** Ends it by a signal; returns once it is gone. */
  const end = async (signal: 'SIGTERM' | 'SIGKILL'): Promise<void> => {
    child.kill(signal);
    await exit;
  };
  return { child, exit, facts, end };
}

/** The same where it has to start. @throws Error with its own words */
export async function launchReady(directory: string, env: Readonly<Record<string, string>> = {}) {
  const started = await launchSimulator(directory, env);
  if (started.facts === null) throw new Error((await started.exit).errors);
  return { ...started, facts: started.facts };
}
