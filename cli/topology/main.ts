// `npm run topology`: the processes of docker-compose.yml on this machine until Ctrl-C. Called by scripts/topology.mjs.
import { mkdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { sayTo } from '../say.js';
import { lockDataDir } from '../supervisor/dataDir.js';
import { errorText } from '../supervisor/main.js';
import type { Topology } from './start.js';
import { startTopology } from './start.js';

const help = `Usage: npm run topology -- [--data-dir DIR]

Starts what docker-compose.yml starts, with the same variables, as processes of this machine: PostgreSQL, Temporal's
development server, MinIO and Redis where they are on PATH, a simulator, two workers and two APIs. Ctrl-C stops them.
A new simulated market is moved to the close of 2014-07-07 (MARKET_FROM=INSTANT: elsewhere), so that a strategy of AAPL has
a session to run; a command that is printed moves it on.

  --data-dir DIR   .keel-topology when not given`;

const quoted = (text: string): string =>
  /^[\w./:-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;

/** How its simulated market is looked at and moved on: its address and token are its own, and those of no `npm start`. */
export function marketWords(
  { adminUrl, adminTokenFile }: Pick<Topology['simulator'], 'adminUrl' | 'adminTokenFile'>,
  dataDir: string,
): readonly string[] {
  const settings = {
    KEEL_DATA_DIR: dataDir,
    KEEL_SIMULATOR_ADMIN_URL: adminUrl,
    KEEL_SIMULATOR_ADMIN_TOKEN_FILE: adminTokenFile,
  };
  const given = Object.entries(settings).map(([name, value]) => `${name}=${quoted(value)}`);
  return [
    '  Market     one session is run once; where it stands, and how it is moved on to the next one:',
    `export ${given.join(' ')}`,
    'npx keel simulator status',
    'npx keel simulator step --to 2014-07-08T20:00:00.000Z',
  ];
}

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
      for (const line of marketWords(topology.simulator, dataDir)) say(line);
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
