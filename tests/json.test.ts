// Every command of the `keel` command line with --json, as a script calls it: standard output is one JSON document and nothing
// else, words go to standard error, the exit code is as `keel help exit-codes` says. Which commands there are is read from
// their own help, so a new one is tried as well. Against one Keel that runs.
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { wordsOf } from '../cli/commands/completion.js';
import { keel as keelHere } from '../cli/main.js';
import { resetCluster } from '../cli/supervisor/postgres.js';
import { readState } from '../cli/supervisor/state.js';
import { keel, launchKeel, launchStart, type Ended } from './support/start.js';
import { tempFolder } from './support/temp.js';

const folder = tempFolder('json').path;
const dataDir = path.join(folder, 'data');
const bars = 'node_modules/@observablehq/sample-datasets/aapl.csv';
const file = (name: string): string => path.join(folder, name);
let up: ReturnType<typeof launchStart>;

/** In this process: for what needs nothing that runs. */
async function typed(...argv: string[]): Promise<Ended> {
  const [out, err]: [string[], string[]] = [[], []];
  const code = await keelHere(argv, {
    out: (line) => out.push(line),
    err: (line) => err.push(line),
    env: () => ({ KEEL_DATA_DIR: '/nowhere' }),
  });
  return { code, out, err };
}

const helpOf = async (...topic: string[]): Promise<string> => (await typed('help', ...topic)).out.join('\n');

/** Every command, and every command with one of its second words. */
async function allCalls(): Promise<string[]> {
  const names = [...(await helpOf()).matchAll(/^ {2}([a-z]+) +\S/gm)].map(([, name = '']) => name);
  const calls = await Promise.all(
    names.map(async (name) => {
      const words = wordsOf({ summary: '', help: await helpOf(name) });
      return [name, ...words.filter((word) => !word.startsWith('-')).map((word) => `${name} ${word}`)];
    }),
  );
  return calls.flat();
}
const calls = await allCalls();

/** What each call that takes --json needs besides; all of them work. In this order: some make what others take. */
const documents: Readonly<Record<string, readonly string[]>> = {
  runs: [],
  spending: [],
  'strategies list': [],
  'strategies show': ['demo-aapl'],
  'strategies create': ['--file', file('strategy.json')],
  'strategies change': ['made', '--file', file('strategy.json')],
  'workflows list': [],
  'workflows show': ['standard'],
  'workflows versions': ['standard'],
  'workflows create': ['--file', 'docs/workflows/daily-only.yaml'],
  'workflows change': ['daily-only', '--file', 'docs/workflows/daily-only.yaml'],
  'workflows remove': ['daily-only'],
  indicators: ['--csv', bars],
  'migrate up': [],
  'migrate status': [],
  'migrate history': [],
  'audit list': [],
  retention: ['--dry-run'],
  doctor: [],
  'simulator migrate': ['status'],
};
/** Takes --json too, and is not done to the Keel that the others ask. */
const notDone = ['migrate down'];

const environment = (): NodeJS.ProcessEnv => ({
  KEEL_DATA_DIR: dataDir,
  KEEL_SIMULATOR_DATABASE_URL: readState(dataDir)?.databaseUrl ?? '',
});
const ask = (call: string, more: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Ended> =>
  keel([...call.split(' '), ...more, '--json'], { ...environment(), ...env });

beforeAll(async () => {
  up = launchStart(['--data-dir', dataDir]);
  await up.said('Press Ctrl-C');
  const shown = await keel(['strategies', 'show', 'demo-aapl', '--json'], environment());
  const { name, settings } = JSON.parse(shown.out.join('\n')) as { name: string; settings: object };
  writeFileSync(file('strategy.json'), JSON.stringify({ id: 'made', name, settings }));
});
afterAll(async () => {
  up.child.kill('SIGINT');
  await up.ended;
  resetCluster(dataDir);
});

it('has a place for each call here, and no other', () => {
  expect(calls.length).toBeGreaterThan(40);
  expect(Object.keys(documents).filter((call) => !calls.includes(call))).toEqual([]);
});

describe('a call that takes --json', () => {
  it.each(Object.entries(documents))('keel %s gives one document and ends with 0', async (call, more) => {
    const { code, out, err } = await ask(call, more);
    expect(code, err.join('\n')).toBe(0);
    expect(JSON.parse(out.join('\n'))).toBeTypeOf('object');
  });

  it.each([
    ['runs', ['--api', 'http://127.0.0.1:1'], { KEEL_API_KEY: 'keel_none' }],
    ['spending', ['--api', 'http://127.0.0.1:1'], { KEEL_API_KEY: 'keel_none' }],
    ['strategies show', ['nobody'], {}],
    ['strategies create', ['--file', '/nowhere.json'], {}],
    ['workflows show', ['nobody'], {}],
    ['indicators', ['--csv', '/nowhere.csv'], {}],
    ['migrate status', [], { DATABASE_URL: 'postgres://keel@127.0.0.1:1/keel' }],
    ['audit list', [], { DATABASE_URL: 'postgres://keel@127.0.0.1:1/keel' }],
    ['retention', ['--data-dir', '/nowhere'], {}],
    ['simulator migrate', ['status'], { KEEL_SIMULATOR_DATABASE_URL: '' }],
  ] as const)(
    'keel %s %j that does not work says so in words alone, and ends with 1',
    async (call, more, env) => {
      const { code, out, err } = await ask(call, more, env);
      expect([code, out]).toEqual([1, []]);
      expect(err.join('\n')).toMatch(/\w/);
    },
  );

  it('keel doctor that finds a fault tells it in the document, and ends with 1', async () => {
    // Of no Keel that runs: the database is then that of the environment.
    const env = { KEEL_DATA_DIR: file('none'), DATABASE_URL: 'postgres://keel@127.0.0.1:1/keel' };
    const { code, out } = await ask('doctor', [], env);
    expect(code).toBe(1);
    expect(JSON.parse(out.join('\n'))).toMatchObject({ healthy: false });
  });
});

describe('any other call', () => {
  const others = calls.filter((call) => !Object.hasOwn(documents, call) && !notDone.includes(call));

  it.each(others)(
    'keel %s refuses --json, or what is missing besides, in one line, and ends with 2',
    async (call) => {
      const { code, out, err } = await typed(...call.split(' '), '--json');
      expect([code, out]).toEqual([2, []]);
      expect(err).toEqual([expect.stringMatching(/^keel: .* --help shows the options\.$/)]);
    },
  );
});

describe('once Keel is stopped', () => {
  it('keel retention starts its PostgreSQL, and what that says is no part of the document', async () => {
    up.child.kill('SIGINT');
    await up.ended;
    const { code, out, err } = await ask('retention', ['--dry-run']);
    expect(code, err.join('\n')).toBe(0);
    expect(JSON.parse(out.join('\n'))).toMatchObject({ dryRun: true });
  });
});

describe('without --json', () => {
  it('keel simulator has one JSON line first, and its token on standard error', async () => {
    const free = { KEEL_SIMULATOR_DIR: file('simulator'), KEEL_SIMULATOR_ADMIN_TOKEN: '' };
    const alone = launchKeel(['simulator'], { ...environment(), ...free, KEEL_SIMULATOR_DATABASE_URL: '' });
    await alone.said('"ready":true');
    alone.child.kill('SIGTERM');
    const { out, err } = await alone.ended;
    expect(JSON.parse(out[0] ?? '')).toMatchObject({ ready: true });
    expect(err.join('\n')).toContain('admin token of this run');
  });

  it('keel simulator tells no token where it refuses to start', async () => {
    const { code, out, err } = await keel(['simulator'], {
      ...{ ...environment(), KEEL_SIMULATOR_DATABASE_URL: '', KEEL_SIMULATOR_ADMIN_TOKEN: '' },
      ...{ KEEL_SIMULATOR_DIR: file('refused'), KEEL_SIMULATOR_HOST: 'nohost.invalid' },
    });
    expect([code, out]).toEqual([1, []]);
    expect(err).toEqual([
      expect.stringMatching(/^simulator: SIMULATOR_ADDRESS: .* correct KEEL_SIMULATOR_HOST/),
    ]);
  });
});
