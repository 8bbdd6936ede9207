// One whole Keel from the supervisor's side: a run and its proof, what a second start does, and what is left of a start
// that was killed. The tests share a data directory and build on each other.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, inject, it } from 'vitest';
import { resetCluster } from '../cli/supervisor/postgres.js';
import { isAlive } from '../cli/supervisor/processTable.js';
import type { ProcessRecord } from '../cli/supervisor/records.js';
import { readRecords } from '../cli/supervisor/records.js';
import type { Summary } from '../cli/summary.js';
import { tempFolder } from './support/temp.js';

const dist = fileURLToPath(new URL('../dist/cli/', import.meta.url));
const { path: folder, remove } = tempFolder('supervisor');
const dataDir = path.join(folder, 'data');
const out = path.join(folder, 'out.json');

function start(entry: 'supervisor/main.js' | 'main.js', ...args: string[]) {
  const code = `const { main } = await import(${JSON.stringify(path.join(dist, entry))});
process.exit(await main(process.argv.slice(1)));`;
  const cli = inject('temporalCli');
  // Nothing of the machine's own services: this Keel brings all of its own.
  const given = { DATABASE_URL: '', TEMPORAL_ADDRESS: '', MINIO_ENDPOINT: '' };
  const child = spawn(process.execPath, ['--input-type=module', '-e', code, '--', ...args], {
    cwd: folder,
    env: {
      ...process.env,
      ...given,
      KEEL_ENV: 'testing',
      ...(cli === null ? {} : { TEMPORAL_CLI_PATH: cli }),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  const exited = once(child, 'close') as Promise<[number | null, string | null]>;
  const hear = (text: Buffer): void => {
    said += text.toString();
  };
  child.stdout.on('data', hear);
  child.stderr.on('data', hear);
  return {
    child,
    said: () => said,
    exited: exited.then(([exit]) => exit),
    /** Resolves once it has said the words; rejects when it ends first. */
    until: (words: string): Promise<void> =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          if (said.includes(words)) resolve();
        };
        child.stdout.on('data', look);
        child.once('close', () => {
          reject(new Error(`it ended before it said "${words}":\n${said}`));
        });
        look();
      }),
  };
}

const keel = (...args: string[]) => start('supervisor/main.js', '--data-dir', dataDir, ...args);
const verify = () => start('main.js', 'verify', out);
const summary = (): Summary => JSON.parse(readFileSync(out, 'utf8')) as Summary;
const living = (records: readonly ProcessRecord[]): string[] =>
  records.filter((record) => isAlive(record)).map(({ role }) => role);

const others = ['one', 'two'].map((name) => path.join(folder, name));

afterAll(() => {
  for (const each of [dataDir, ...others]) {
    for (const record of readRecords(each).filter((one) => isAlive(one)))
      process.kill(-record.pid, 'SIGKILL');
    resetCluster(each);
  }
  remove();
});

describe('npm start', () => {
  it('runs the demo to its natural end, writes the summary and leaves no process', async () => {
    const run = keel('--once', '--json', out);
    await run.until('ready after');
    const records = readRecords(dataDir);
    expect(living(records).sort()).toEqual(['api', 'postgres', 'simulator', 'temporal', 'worker']);
    expect(await run.exited, run.said()).toBe(0);
    expect(living(records)).toEqual([]);
    expect(readRecords(dataDir)).toEqual([]);
    expect(summary()).toMatchObject({ symbol: 'AAPL', session: '2014-07-07', outcome: 'FILLED' });
    expect(summary().regime).toMatchObject({ kind: 'trending', direction: 'up' });
    expect(summary().order).toMatchObject({ status: 'FILLED' });
  });

  it('is proved by keel verify, and one changed byte in stored bars disproves it', async () => {
    const good = verify();
    expect(await good.exited, good.said()).toBe(0);
    const file = path.join(dataDir, 'objects', summary().bars['daily']?.key ?? '');
    const bytes = readFileSync(file);
    const changed = Buffer.from(bytes);
    changed[200] = (changed[200] ?? 0) ^ 1;
    writeFileSync(file, changed);
    const bad = verify();
    expect(await bad.exited, bad.said()).toBe(1);
    expect(bad.said()).toContain('NOT verified');
    writeFileSync(file, bytes);
  });

  it('shows the stored run for the same date, and refuses a date before the market', async () => {
    // Addresses may differ from start to start.
    const facts = () => ({ ...summary(), temporalUrl: null, apiUrl: null });
    const before = facts();
    const same = keel('--once', '--json', out, '--as-of', '2014-07-07');
    expect(await same.exited, same.said()).toBe(0);
    expect(facts()).toEqual(before);
    const earlier = keel('--once', '--as-of', '2014-07-03');
    expect(await earlier.exited).toBe(1);
    expect(earlier.said()).toMatch(/2014-07-03 lies before 2014-07-0[78].*--reset/);
  });

  it('refuses a second supervisor, restarts a worker that dies, and stops on SIGINT', async () => {
    const first = keel();
    await first.until('Press Ctrl-C');
    const second = keel('--once');
    expect(await second.exited).toBe(1);
    expect(second.said()).toContain(`process ${String(first.child.pid)}`);
    const worker = readRecords(dataDir).find(({ role }) => role === 'worker');
    process.kill(worker?.pid ?? 0, 'SIGKILL');
    await first.until('worker ended unexpectedly (signal SIGKILL)');
    await expect.poll(() => first.said().match(/✓ worker/g)?.length, { timeout: 60_000 }).toBe(2);
    const records = readRecords(dataDir);
    first.child.kill('SIGINT');
    expect(await first.exited, first.said()).toBe(0);
    expect(living(records)).toEqual([]);
  });

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('ends with %s before its run as %i, and leaves no process', async (signal, code) => {
    const run = keel('--once');
    await run.until('✓ temporal');
    const records = readRecords(dataDir);
    run.child.kill(signal);
    expect(await run.exited, run.said()).toBe(code);
    expect(living(records)).toEqual([]);
    expect(readRecords(dataDir)).toEqual([]);
  });

  it('ends what a killed start has left, and finishes its run', async () => {
    const killed = keel();
    await killed.until('openRun');
    const left = readRecords(dataDir);
    killed.child.kill('SIGKILL');
    await killed.exited;
    expect(living(left)).toHaveLength(5);
    const next = keel('--once', '--json', out);
    expect(await next.exited, next.said()).toBe(0);
    expect(next.said()).toContain('left by a start that was killed');
    expect(living(left)).toEqual([]);
    const proof = verify();
    expect(await proof.exited, proof.said()).toBe(0);
  });

  it('takes no port that a start of the same moment in another directory has chosen', async () => {
    const starts = others.map((each) => start('supervisor/main.js', '--data-dir', each));
    await Promise.all(starts.map((each) => each.until('ready after')));
    const records = others.flatMap((each) => readRecords(each));
    expect(living(records)).toHaveLength(10);
    const ports = records.flatMap((record) => record.ports);
    expect(new Set(ports).size).toBe(ports.length);
    for (const each of starts) each.child.kill('SIGINT');
    await Promise.all(starts.map((each) => each.exited));
    expect(living(records)).toEqual([]);
  });

  it('begins anew with --reset', async () => {
    const run = keel('--once', '--reset', '--as-of', '2014-07-03', '--json', out);
    expect(await run.exited, run.said()).toBe(0);
    expect(summary()).toMatchObject({ session: '2014-07-03' });
    expect(readdirSync(dataDir)).not.toContain('state.json');
  });
});
