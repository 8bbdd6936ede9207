// Runs every command that README.md shows, as a reader would, against a Keel in a folder of its own.
import { spawn, type ChildProcess } from 'node:child_process';
import { readFileSync, readdirSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { resetCluster } from '../cli/supervisor/postgres.js';
import { readState } from '../cli/supervisor/state.js';
import { tempFolder } from './support/temp.js';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Commands that are not run here, and why. */
const excluded: Readonly<Record<string, string>> = {
  'npm test': 'runs this very test',
};

interface Example {
  readonly command: string;
  /** A line of what it prints. */
  readonly prints: RegExp;
}

/** With nothing running, in this order: the second command checks what the first has written. */
const alone: readonly Example[] = [
  {
    command: 'npm start -- --once --json out.json',
    prints: /^Run 2014-07-07 .*\(AAPL, simulated\): FILLED/m,
  },
  { command: 'npx keel verify out.json', prints: /^Verified: all \d+ checks hold\.$/m },
  { command: 'npx keel replay out.json', prints: /^Replayed: buy by rules 2, the same \d+ bytes/m },
  { command: 'npx keel explain out.json', prints: /^Every hash holds\.$/m },
  { command: 'npm start -- --help', prints: /^ {2}--as-of DATE/m },
  { command: 'npx keel config print', prints: /^mode: simulated$/m },
  {
    command: 'npx keel indicators --csv node_modules/@observablehq/sample-datasets/aapl.csv',
    prints: /^rsi14 .* 69\.2355$/m,
  },
  {
    command:
      'npx keel chart --csv node_modules/@observablehq/sample-datasets/aapl.csv --out aapl.png --timeframe weekly',
    prints: /aapl\.png: AAPL, 260 of 261 weekly bars, 1200×900 pixels/m,
  },
  {
    command: 'npx keel eval --data aapl --out eval-aapl',
    prints: /^AAPL: 97 decisions, 2014-07-03 to 2018-04-26$/m,
  },
  { command: 'npx keel completion bash', prints: /^complete .*_keel keel$/m },
  { command: 'npx keel --help', prints: /^ {2}verify +checks the summary of a run/m },
];

/** Started and left up; the commands of `running` come after it. */
const start: Example = { command: 'npm start', prints: /^Press Ctrl-C to stop\.$/m };

const running: readonly Example[] = [
  {
    command: 'npx keel run AAPL',
    prints: /^Run 20\d\d-\d\d-\d\d after-close of demo-aapl \(AAPL, simulated\): [A-Z]/m,
  },
  { command: 'npx keel runs --symbol AAPL --limit 10', prints: /2014-07-07/m },
  { command: 'npx keel spending --by month', prints: /^a run +0\.25 USD at most$/m },
  { command: 'npx keel strategies list', prints: /^demo-aapl +1 +AAPL +standard 1 +after-close/m },
  {
    command: 'npx keel workflows create --file docs/workflows/daily-only.yaml',
    prints: /^Made the workflow daily-only, version 1\.$/m,
  },
  { command: 'npx keel workflows show daily-only', prints: /^ {2}- timeframesAgree$/m },
  { command: 'npx keel admin', prints: /^Admin "admin", one-time password: ([a-z2-7]{5}-){3}[a-z2-7]{5}$/m },
  {
    command: 'npx keel audit list --limit 20',
    prints: /^\d+ +20\d\d-\S+Z +keel admin +user\.password +user:admin /m,
  },
  { command: 'npx keel audit verify', prints: /^The audit trail is whole\. It ends at \d+:[0-9a-f]{64}$/m },
  { command: 'npx keel simulator status', prints: /^ {2}"ok": true,$/m },
  { command: 'npx keel migrate status', prints: /^20\d\d-\S+Z {2}0001_strategies_and_runs$/m },
  { command: 'npx keel backup backup', prints: /^Backed up to .*: \d+ rows of \d+ tables and \d+ objects/m },
  { command: 'npx keel restore backup --check', prints: /^The backup is whole: \d+ rows/m },
  {
    command: 'npx keel retention --dry-run',
    prints: /^Would delete 0 charts, 0 prompts and answers, 0 rows, 0 orphans/m,
  },
  { command: 'npx keel doctor', prints: /^No fault found\.$/m },
];

/** Once it is stopped. */
const stopped: readonly Example[] = [
  {
    command: 'npx keel restore backup --replace --data-dir .keel',
    prints: /^Restored: \d+ rows of \d+ tables and \d+ objects/m,
  },
];

/** README's `bash` blocks in one shell, as somebody pastes them who puts in his address and his passwords. */
function logins(apiUrl: string, oneTime: string): string {
  const text = readFileSync(path.join(root, 'README.md'), 'utf8');
  const blocks = [...text.matchAll(/^```bash\n(.*?)^```$/gms)].map(([, block = '']) => block);
  return blocks
    .join("echo; echo '-- next'\n")
    .replaceAll('http://127.0.0.1:3000', apiUrl)
    .replaceAll('the printed one', oneTime)
    .replaceAll('your own', 'brass kettle orbit 29 lanterns');
}

/** The lines of README's `sh` blocks. */
function shownCommands(): string[] {
  const text = readFileSync(path.join(root, 'README.md'), 'utf8');
  return [...text.matchAll(/^```sh\n(.*?)^```$/gms)]
    .flatMap((match) => (match[1] ?? '').split('\n'))
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
}

interface Ran {
  readonly code: number | null;
  readonly output: string;
}

const folder = tempFolder('readme').path;
const dataDir = path.join(folder, 'data');
const children = new Set<ChildProcess>();
let env: NodeJS.ProcessEnv;

/** Files that the examples write go to the test's folder. */
const inFolder = (command: string): string =>
  command
    .replace(/\b(out\.json|aapl\.png|eval-aapl|backup(?= --|$))\b/, (name) => path.join(folder, name))
    .replace('--data-dir .keel', `--data-dir ${dataDir}`);

function run(command: string): { readonly ran: Promise<Ran>; readonly output: () => string } {
  const child = spawn(inFolder(command), {
    cwd: root,
    env,
    shell: true,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.add(child);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  }
  const ran = new Promise<Ran>((resolve) => {
    child.once('close', (code) => {
      children.delete(child);
      resolve({ code, output });
    });
  });
  return { ran, output: () => output };
}

async function expectToWork({ command, prints }: Example): Promise<string> {
  const { code, output } = await run(command).ran;
  expect(output).toMatch(prints);
  expect(code, output).toBe(0);
  return output;
}

/** What a reader sees who logs in, sets his password, gets the next tokens and logs out; then nobody has that token. */
async function expectLoginsToWork(oneTime: string): Promise<void> {
  const script = `${logins(readState(dataDir)?.apiUrl ?? '', oneTime)}\ncurl -s "$api/auth/me" -H "authorization: Bearer $token"`;
  const { code, output } = await run(script).ran;
  expect(code, output).toBe(0);
  const [first = '', second = ''] = output.split('-- next');
  expect(first).toMatch(/"goodKeys":\d+/);
  expect(first).toMatch(/"username":"admin"/);
  expect(second).toMatch(/"id":"demo-aapl"/);
  expect(second.trim().split('\n').at(-1)).toMatch(/"code":"TOKEN_REFUSED"/);
}

/** Files of the data directory that somebody else than its owner could read; servers at work take some away meanwhile. */
const openFiles = (): string[] =>
  readdirSync(dataDir)
    .filter((name) => name !== 'postgres')
    .map((name) => path.join(dataDir, name))
    .flatMap((top) => [top, ...filesBelow(top)])
    .filter((file) => ((statSync(file, { throwIfNoEntry: false })?.mode ?? 0) & 0o077) !== 0);

const filesBelow = (top: string): string[] =>
  statSync(top, { throwIfNoEntry: false })?.isDirectory() === true
    ? readdirSync(top, { recursive: true, encoding: 'utf8' }).map((name) => path.join(top, name))
    : [];

beforeAll(() => {
  // A reader's machine: no service is given, everything is embedded.
  const given = /^(KEEL_|DATABASE_URL$|TEMPORAL_|MINIO_|IBKR_)/;
  const cli = inject('temporalCli');
  env = {
    ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !given.test(name))),
    KEEL_DATA_DIR: dataDir,
    ...(cli === null ? {} : { TEMPORAL_CLI_PATH: cli }),
  };
});

afterAll(async () => {
  const ends = [...children].map(async (child) => {
    const closed = new Promise((resolve) => child.once('close', resolve));
    // Its own process group, so that the shell and npm do not stand between.
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGTERM');
    await closed;
  });
  await Promise.all(ends);
  // As root the cluster may live outside the folder.
  resetCluster(dataDir);
  rmSync(folder, { recursive: true, force: true });
});

describe('README.md', () => {
  it('shows the commands that are tried here, and no other', () => {
    const tried = [...alone, start, ...running, ...stopped].map(({ command }) => command);
    expect(shownCommands().sort()).toEqual([...tried, ...Object.keys(excluded)].sort());
  });

  it.each(alone)(
    '$command',
    async (example) => {
      await expectToWork(example);
    },
    180_000,
  );

  it('writes the picture that its example names', () => {
    expect(statSync(path.join(folder, 'aapl.png')).size).toBeGreaterThan(50_000);
  });

  it('npm start, its commands beside it, and Ctrl-C', async () => {
    const keel = run(start.command);
    const ended = keel.ran.then(({ code, output }) => {
      throw new Error(`npm start ended with ${String(code)}:\n${output}`);
    });
    const up = async (): Promise<void> => {
      while (!start.prints.test(keel.output())) await new Promise((resolve) => setTimeout(resolve, 50));
    };
    await Promise.race([up(), ended]);
    const said = new Map<string, string>();
    for (const example of running) said.set(example.command, await expectToWork(example));
    const oneTime = /one-time password: (\S+)$/m.exec(said.get('npx keel admin') ?? '')?.[1] ?? '';
    await expectLoginsToWork(oneTime);
    expect(statSync(dataDir).mode & 0o067).toBe(0);
    expect(openFiles()).toEqual([]);
    ended.catch(() => undefined);
    // What Ctrl-C means to the supervisor; the shell and npm around it then end by themselves.
    process.kill(readState(dataDir)?.pid ?? NaN, 'SIGINT');
    const { code, output } = await keel.ran;
    expect(output).toMatch(/^ {2}✓ postgres stopped/m);
    // npm has nothing to add.
    expect(output).not.toMatch(/npm notice/);
    expect(code).toBe(0);
    for (const example of stopped) await expectToWork(example);
    expect(openFiles()).toEqual([]);
  }, 600_000);

  it('counts what the rules decide as cli/demoDates.json has it', () => {
    const text = readFileSync(path.join(root, 'README.md'), 'utf8');
    const { symbols } = JSON.parse(readFileSync(path.join(root, 'cli/demoDates.json'), 'utf8')) as {
      symbols: Record<string, { first: string; last: string; counts: Record<string, number> }>;
    };
    for (const [symbol, { first, last, counts }] of Object.entries(symbols)) {
      const row = text.split('\n').find((line) => line.startsWith(`| \`${symbol}\``) && line.includes(first));
      const cells = row?.split('|').map((cell) => cell.trim().replace(/^`|`$/g, '')) ?? [];
      const numbers = ['buy', 'sell', 'hold'].map((action) => (counts[action] ?? 0).toLocaleString('en-US'));
      expect(cells.slice(1, -1)).toEqual([symbol, `${first} to ${last}`, ...numbers]);
    }
  });
});
