// `npm run topology`: the processes of docker-compose.yml on this machine until Ctrl-C. Called by scripts/topology.mjs.
import { mkdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { sayTo } from '../say.js';
import { lockDataDir } from '../supervisor/dataDir.js';
import { errorText } from '../supervisor/main.js';
import { startTopology } from './start.js';

const help = `Usage: npm run topology -- [--data-dir DIR]

Starts what docker-compose.yml starts, with the same variables, as processes of this machine: PostgreSQL, Temporal's
development server, MinIO and Redis where they are on PATH, a simulator, two workers and two APIs. Ctrl-C stops them.

  --data-dir DIR   .keel-topology when not given`;

/** @returns the exit code */
export async function main(argv: readonly string[], temporalCli: string): Promise<number> {
  const say = sayTo(process.stdout);
  const { values } = parseArgs({
    args: [...argv],
    options: { 'data-dir': { type: 'string' }, help: { type: 'boolean', short: 'h' } },
  });
  if (values.help === true) {
    say(help);
    return 0;
  }
  const dataDir = resolve(values['data-dir'] ?? '.keel-topology');
  mkdirSync(dataDir, { recursive: true });
  const stopped = new Promise<void>((done) => {
    process.once('SIGINT', () => {
      done();
    });
    process.once('SIGTERM', () => {
      done();
    });
  });
  try {
    const unlock = lockDataDir(dataDir);
    try {
      const topology = await startTopology({ dataDir, say, temporalCli, env: process.env });
      for (const { url } of topology.apis) say(`  API        ${url}/docs`);
      say(`  Temporal   ${topology.temporalUiUrl}`);
      say('Ctrl-C stops it.');
      await stopped;
      await topology.stop();
    } finally {
      unlock();
    }
    return 0;
  } catch (error) {
    sayTo(process.stderr)(`topology: ${errorText(error, false)}`);
    return 1;
  }
}
