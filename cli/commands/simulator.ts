// `keel simulator`: runs the broker simulator in the foreground, or speaks with one that runs through its admin HTTP.
// Called by cli/main.ts.
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { loadConfig } from '../../config/load.js';
import { ofTables } from '../../simulator/tables/tables.js';
import { endpoints, faultKinds } from '../../simulator/faults.js';
import { parseArguments } from '../arguments.js';
import { adminOf, ask } from '../askSimulator.js';
import type { Say } from '../say.js';
import { compiled } from '../supervisor/boot.js';
import { driveMarket } from '../driveMarket.js';
import { migrateCommand } from './migrate.js';
import { StartError } from '../supervisor/dataDir.js';
import { UsageError } from '../supervisor/options.js';
import { meant } from '../unknownOption.js';

export const simulatorHelp = `Usage: keel simulator [command] [options]

Without a command: runs the broker simulator in the foreground until Ctrl-C. Its first line is JSON: addresses,
certificate and its SHA-256. Ports and folder: KEEL_SIMULATOR_PORT, _ADMIN_PORT, _API_PORT, _DIR, _ADMIN_TOKEN.

Commands for one that runs (that of KEEL_SIMULATOR_ADMIN_URL with KEEL_SIMULATOR_ADMIN_TOKEN, else a Keel's on --data-dir):
  status              clock, orders and executions
  symbols             what it has bars of, from when to when
  step --to INSTANT   steps the market clock, such as 2014-07-08T13:35:00.000Z; it never goes back
  run --speed N       lets the clock run, N times as fast as time
  stop                stops a running clock
  fault KIND          switches a fault on: ${faultKinds.slice(0, 6).join(', ')},
                      ${faultKinds.slice(6, 12).join(', ')},
                      ${faultKinds.slice(12, 17).join(', ')},
                      ${faultKinds.slice(17, 24).join(', ')},
                      ${faultKinds.slice(24).join(', ')}
    --on REQUESTS       which ones: any, ${endpoints.slice(0, 9).join(', ')},
                        ${endpoints.slice(9).join(', ')}
    --times N           acts N times, 1 when left out; 0: until it is cleared
    --skip N            after N requests that pass
    --share S --seed N  acts on this share of the requests, chosen by the seed
    --ms N              how long it lasts, milliseconds
    --accepted          reply-503: the order is taken all the same
    --message-ids A,B   question: what it asks, one after the other
                      docs/simulator-faults.md says what each kind does
  faults              lists the faults, and how often each has acted
  clear               takes all faults back
  user --email E      makes a user of its own API and shows the key, once; --cash N, or --account A that exists;
                      --expires INSTANT: when the key ends, such as 2027-01-31T00:00:00.000Z
  login               logs in as a person would in the browser
  migrate WORD        up, down [N], status or history of the tables in KEEL_SIMULATOR_DATABASE_URL; --json
  drive               moves the clock to what open runs wait for, until Ctrl-C: for a Keel that npm start has not started.
                      Needs DATABASE_URL, TEMPORAL_ADDRESS and the two variables above. --looked FILE: touched every
                      five seconds while the market answers. --from INSTANT: where a market in which no session has
                      closed yet is moved to first

Examples:
  keel simulator
  keel simulator status
  keel simulator step --to 2014-07-08T20:00:00.000Z
  keel simulator fault accept-then-drop --times 2`;

const text = { type: 'string' } as const;
const options = {
  to: text,
  speed: text,
  'data-dir': text,
  on: text,
  times: text,
  skip: text,
  share: text,
  seed: text,
  ms: text,
  accepted: { type: 'boolean' },
  'message-ids': text,
  email: text,
  cash: text,
  account: text,
  expires: text,
  looked: text,
  from: text,
} as const;

export async function simulatorCommand(
  args: readonly string[],
  out: Say,
  env: NodeJS.ProcessEnv,
  err: Say = out,
): Promise<number> {
  if (args[0] === 'migrate') return migrateTables(args.slice(1), out, err, env);
  const { command, kind, values } = readArguments(args);
  if (command === undefined) return foreground(err, env);
  const { looked, from } = values;
  if (from !== undefined && !/^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(from)) {
    throw new UsageError('--from needs an instant, such as 2014-07-07T20:00:00.000Z');
  }
  if (command === 'drive') return driveMarket(env, out, { looked, from });
  const { to, speed } = values;
  if (command === 'step' && to === undefined) throw new UsageError('step needs --to INSTANT');
  if (command === 'run' && !(Number(speed) > 0))
    throw new UsageError('run needs --speed N, a number above 0');
  if (command === 'user' && values.email === undefined) throw new UsageError('user needs --email E');
  if (command === 'fault' && !faultKinds.some((known) => known === kind)) {
    const near = kind === undefined ? '' : `, not ${kind}${meant(kind, faultKinds)}`;
    throw new UsageError(`fault needs its kind, one of ${faultKinds.join(', ')}${near}`);
  }
  const requests: Readonly<Record<string, Asked>> = {
    status: ['/health'],
    symbols: ['/symbols'],
    step: ['/clock/step', { to }],
    run: ['/clock/run', { speed: Number(speed) }],
    stop: ['/clock/stop', {}],
    fault: ['/faults', faultOf(kind, values)],
    faults: ['/faults'],
    clear: ['/faults', undefined, 'DELETE'],
    user: [
      '/users',
      { email: values.email, cash: values.cash, account: values.account, expiresAt: values.expires },
    ],
    login: ['/login', {}],
  };
  const request = requests[command];
  if (request === undefined) {
    const names = [...Object.keys(requests), 'drive', 'migrate'];
    throw new UsageError(`simulator takes ${names.join(', ')}, not ${command}${meant(command, names)}`);
  }
  out(JSON.stringify(await ask(adminOf(values['data-dir'], env), ...request), null, 2));
  return 0;
}

/** The tables of its own API; needs no simulator that runs. */
function migrateTables(args: readonly string[], out: Say, err: Say, env: NodeJS.ProcessEnv): Promise<number> {
  const variable = 'KEEL_SIMULATOR_DATABASE_URL';
  const { databaseUrl } = loadConfig(env, { need: ['simulator'] }).simulator;
  const url = (dataDir: string | undefined): string => {
    if (dataDir !== undefined) throw new UsageError(`${variable} names these tables, not --data-dir`);
    if (databaseUrl !== '') return databaseUrl;
    throw new StartError(`set ${variable} to the database of the simulator's tables`);
  };
  return migrateCommand(args, out, err, url, { command: 'simulator migrate', variable, ...ofTables() });
}

function readArguments(args: readonly string[]) {
  try {
    const { values, positionals } = parseArguments({
      args: [...args],
      allowPositionals: true,
      options,
    });
    const [command, kind, ...rest] = positionals;
    if (rest.length > 0 || (kind !== undefined && command !== 'fault'))
      throw new Error('one command at a time');
    return { command, kind, values };
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error), { cause: error });
  }
}

type Asked = readonly [path: string, body?: object | undefined, method?: 'DELETE'];

/** The fault as the admin front takes it; what was not given is left to it. */
function faultOf(
  kind: string | undefined,
  values: Readonly<Record<string, string | boolean | undefined>>,
): object {
  const numbers = ['times', 'skip', 'share', 'seed', 'ms'].flatMap((name) => {
    const value = values[name];
    if (value === undefined) return [];
    const number = Number(value);
    if (!Number.isFinite(number) || value === '') throw new UsageError(`--${name} needs a number`);
    return [[name, name === 'times' && number === 0 ? null : number] as const];
  });
  const { on, accepted, 'message-ids': ids } = values;
  if (accepted !== undefined && kind !== 'reply-503')
    throw new UsageError('--accepted is of reply-503 alone');
  if (ids !== undefined && kind !== 'question') throw new UsageError('--message-ids is of question alone');
  return {
    kind,
    ...Object.fromEntries(numbers),
    ...(on === undefined ? {} : { on }),
    ...(accepted === undefined ? {} : { accepted }),
    ...(ids === undefined ? {} : { messageIds: String(ids).split(',') }),
  };
}

/** The process itself, as the supervisor starts it; it ends with this one. */
async function foreground(err: Say, env: NodeJS.ProcessEnv): Promise<number> {
  // Problems of the configuration are told here, before there is a process.
  const { simulator } = loadConfig(env, { need: ['simulator'] });
  const token = simulator.adminToken === '' ? randomBytes(24).toString('base64url') : simulator.adminToken;
  const child = spawn(process.execPath, [compiled('simulator/main.js')], {
    env: { ...env, KEEL_SIMULATOR_ADMIN_TOKEN: token },
    stdio: ['inherit', 'pipe', 'inherit'],
  });
  // Its first words are that it is ready; one that refuses to start has no token.
  child.stdout.once('data', () => {
    if (simulator.adminToken === '') err(`admin token of this run: ${token}`);
  });
  child.stdout.pipe(process.stdout, { end: false });
  const pass = (signal: NodeJS.Signals): void => {
    child.kill(signal);
  };
  process.on('SIGINT', pass);
  process.on('SIGTERM', pass);
  try {
    const [code] = (await once(child, 'close')) as [number | null];
    return code ?? 1;
  } finally {
    process.off('SIGINT', pass);
    process.off('SIGTERM', pass);
  }
}
