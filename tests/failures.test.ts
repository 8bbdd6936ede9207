// What goes wrong before a run: `npm start` refuses with one line that says what to do, and leaves nothing behind.
// docs/failures.md names these tests.
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import path from 'node:path';
import { Client as PgClient } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startOwnPostgres, type TestPostgres } from './support/postgres.js';
import { keel, launchStart, npmStart, type Ended } from './support/start.js';
import { tempFolder } from './support/temp.js';
import { startTemporal, type TestTemporal } from './support/temporal.js';

const base = tempFolder('failures');
let count = 0;
/** A directory that is not there yet. */
const fresh = (): string => path.join(base.path, `data-${String((count += 1))}`);

afterAll(() => {
  base.remove();
});

/** The one line, after `keel: `, of a process that refused; the lines of the set-up are not counted. */
function refusal({ code, err }: Ended, expected = 1): string {
  const lines = err.filter((line) => !/^[·✓✗] /.test(line));
  expect(lines, err.join('\n')).toHaveLength(1);
  expect(code).toBe(expected);
  expect(lines[0]).toMatch(/^keel: /);
  return lines[0] ?? '';
}

/** No process is recorded, none holds the directory, and nobody is told that a Keel runs here. */
function expectNothingLeft(dataDir: string): void {
  const names = existsSync(dataDir) ? readdirSync(dataDir) : [];
  expect(names.filter((name) => /processes|state|lock|probe|new$/.test(name))).toEqual([]);
}

const tmpfs = (folder: string, options: string): boolean =>
  process.platform === 'linux' &&
  spawnSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', folder]).status === 0;
const readOnly = path.join(base.path, 'read-only');
mkdirSync(readOnly);
const mounted = tmpfs(readOnly, 'ro,size=1m');
const small = path.join(base.path, 'small');
mkdirSync(small);
const smallMounted = tmpfs(small, 'size=1m,mode=755');
afterAll(() => {
  for (const folder of [readOnly, small]) spawnSync('umount', [folder]);
});

describe('npm start, before anything is started', () => {
  it.each([
    [['--as-of', '2013-02-30'], /--as-of 2013-02-30 is no date: write it as YYYY-MM-DD/],
    [['--symbol', 'a b'], /--symbol A B is no symbol/],
    [['--jsn', 'x'], /there is no option --jsn; did you mean --json\?/],
    [['extra'], /Unexpected argument 'extra'/],
  ])('refuses the options %j', async (args, words) => {
    const dataDir = fresh();
    const line = refusal(await npmStart([...args, '--data-dir', dataDir]), 2);
    expect(line).toMatch(words);
    expect(line).toContain('--help shows the options');
    expect(existsSync(dataDir)).toBe(false);
  });

  it('names every problem of the configuration at once, each with its fix', async () => {
    const dataDir = fresh();
    const env = {
      KEEL_RISK_PER_TRADE: '2',
      KEEL_API_PORT: 'http',
      KEEL_API_PROT: '1',
      KEEL_RISK_PRICE_COLLAR: '',
    };
    const { code, out, err } = await npmStart(['--data-dir', dataDir], env);
    expect([code, out]).toEqual([1, []]);
    expect(err[0]).toBe('keel: The configuration has 4 problems:');
    expect(err.slice(1).sort()).toEqual([
      expect.stringMatching(/KEEL_API_PROT is no variable of Keel: did you mean KEEL_API_PORT\?/),
      expect.stringMatching(/api\.port is "http" \(KEEL_API_PORT\): .*correct KEEL_API_PORT/),
      expect.stringMatching(/risk\.priceCollar .*KEEL_RISK_PRICE_COLLAR/),
      expect.stringMatching(/risk\.riskPerTrade is "2" \(KEEL_RISK_PER_TRADE\): a share is .*correct/),
    ]);
    expectNothingLeft(dataDir);
  });

  it('refuses a data directory that is a file, or holds files of somebody else', async () => {
    const file = fresh();
    writeFileSync(file, 'a file');
    expect(refusal(await npmStart(['--data-dir', file]))).toMatch(
      /cannot be written \(it, or a part of its path, is a file\).*--data-dir/,
    );
    const foreign = fresh();
    mkdirSync(foreign);
    writeFileSync(path.join(foreign, 'thesis.doc'), 'years of work');
    expect(refusal(await npmStart(['--data-dir', foreign, '--reset']))).toContain("not Keel's (thesis.doc)");
    expect(readdirSync(foreign)).toEqual(['thesis.doc']);
  });

  it.skipIf(!mounted)('refuses a read-only data directory', async () => {
    const line = refusal(await npmStart(['--data-dir', readOnly]));
    expect(line).toMatch(
      /cannot be written \(its file system is read-only\): make it writable, or .*--data-dir/,
    );
    expect(readdirSync(readOnly)).toEqual([]);
  });

  it('refuses a summary that has no place before the run, not after it', async () => {
    const dataDir = fresh();
    const ended = await npmStart(['--once', '--data-dir', dataDir, '--json', '/no/such/folder/out.json']);
    expect(refusal(ended)).toMatch(
      /--json \/no\/such\/folder\/out\.json: there is no folder .* that can be written/,
    );
    expect(ended.out).toEqual([]);
    const written = await npmStart(['--once', '--data-dir', dataDir, '--json', base.path]);
    expect(refusal(written)).toContain(`--json ${base.path} is a folder: give the name of a file`);
    expectNothingLeft(dataDir);
  });

  it('refuses another Node.js', async () => {
    const older = 'data:text/javascript,Object.defineProperty(process.versions,"node",{value:"18.20.0"})';
    expect(refusal(await npmStart([], {}, ['--import', older]))).toMatch(
      /Node\.js 18\.20\.0 can not run Keel: it needs 20\.19 or later, up to 24\. Install/,
    );
  });

  describe('without a Temporal CLI', () => {
    // Node and what npm needs, but neither `temporal` nor `go`; the proxy leads nowhere, so nothing is downloaded.
    const closed = {
      TEMPORAL_CLI_PATH: undefined,
      PATH: fresh(),
      HTTPS_PROXY: 'http://127.0.0.1:1',
      https_proxy: 'http://127.0.0.1:1',
      HTTP_PROXY: 'http://127.0.0.1:1',
      http_proxy: 'http://127.0.0.1:1',
    };

    it('names every road that is closed, and every one that can be opened', async () => {
      const ended = await npmStart(['--data-dir', fresh()], { ...closed, XDG_CACHE_HOME: fresh() });
      expect(ended.code).toBe(1);
      const text = ended.err.filter((line) => !/^[·✓✗] /.test(line)).join('\n');
      expect(text).toMatch(/^keel: no Temporal server: there is no CLI/);
      expect(text).toContain('download by the Temporal SDK: ');
      expect(text).toContain('no Go compiler on PATH');
      expect(ended.err).toContainEqual(
        expect.stringMatching(/^· download by the Temporal SDK: .{10,}; now by Go$/),
      );
      for (const way of ['TEMPORAL_ADDRESS', 'TEMPORAL_CLI_PATH', 'install Go']) expect(text).toContain(way);
      expect(text).not.toMatch(/^ +at /m);
    });

    it('says so when the cache cannot be written', async () => {
      const file = fresh();
      writeFileSync(file, 'a file');
      const line = refusal(await npmStart(['--data-dir', fresh()], { ...closed, XDG_CACHE_HOME: file }));
      expect(line).toMatch(/cannot be written .*make it writable.*XDG_CACHE_HOME/);
    });
  });

  it.skipIf(!smallMounted)('refuses a data directory whose disk is nearly full', async () => {
    const line = refusal(await npmStart(['--once', '--data-dir', small]));
    expect(line).toMatch(
      /the disk of the data directory .* has .* free and 100\.0 MB are needed: free some, or .*--data-dir/,
    );
    expectNothingLeft(small);
  });
});

describe('npm start with given services', () => {
  let postgres: TestPostgres;
  let temporal: TestTemporal;
  let given: { DATABASE_URL: string; TEMPORAL_ADDRESS: string };
  beforeAll(async () => {
    [postgres, temporal] = await Promise.all([startOwnPostgres(), startTemporal()]);
    given = { DATABASE_URL: postgres.url, TEMPORAL_ADDRESS: temporal.address };
  });
  afterAll(async () => {
    await temporal.stop();
    await postgres.stop();
  });

  const rows = async (sql: string): Promise<readonly unknown[]> => {
    const client = new PgClient({ connectionString: postgres.url });
    await client.connect();
    try {
      return (await client.query(sql)).rows as unknown[];
    } finally {
      await client.end();
    }
  };

  it('ends when PostgreSQL is away', async () => {
    const dataDir = fresh();
    const env = { ...given, DATABASE_URL: 'postgres://keel:hunter2@127.0.0.1:1/keel' };
    const line = refusal(await npmStart(['--once', '--data-dir', dataDir], env));
    expect(line).toMatch(
      /PostgreSQL at 127\.0\.0\.1:1\/keel does not answer .*Start it, or correct DATABASE_URL/,
    );
    expect(line).not.toContain('hunter2');
    expectNothingLeft(dataDir);
  });

  it('ends when PostgreSQL is frozen', async () => {
    const dataDir = fresh();
    process.kill(postgres.pid ?? 0, 'SIGSTOP');
    try {
      const line = refusal(await npmStart(['--once', '--data-dir', dataDir], given));
      expect(line).toMatch(/PostgreSQL at .* does not answer \(timeout expired\)\. Start it/);
    } finally {
      process.kill(postgres.pid ?? 0, 'SIGCONT');
    }
    expectNothingLeft(dataDir);
  });

  it('ends when Temporal is away, or has no such namespace', async () => {
    const dataDir = fresh();
    const away = await npmStart(['--once', '--data-dir', dataDir], {
      ...given,
      TEMPORAL_ADDRESS: '127.0.0.1:1',
    });
    expect(refusal(away)).toMatch(/Temporal does not answer at 127\.0\.0\.1:1: .*TEMPORAL_ADDRESS/);
    const nowhere = await npmStart(['--once', '--data-dir', dataDir], {
      ...given,
      TEMPORAL_NAMESPACE: 'nowhere',
    });
    expect(refusal(nowhere)).toMatch(/no namespace nowhere: create it, or correct TEMPORAL_NAMESPACE/);
    expectNothingLeft(dataDir);
  });

  describe('on one data directory', () => {
    const dataDir = fresh();
    const once_ = (args: readonly string[], env: NodeJS.ProcessEnv = {}) =>
      npmStart(['--once', '--data-dir', dataDir, ...args], { ...given, ...env });

    it('refuses an unknown symbol and names those that there are; a busy port was replaced and printed', async () => {
      const holder = createServer().listen(0, '127.0.0.1');
      await once(holder, 'listening');
      const { port } = holder.address() as AddressInfo;
      const ended = await once_(['--symbol', 'ZZZZ'], { KEEL_API_PORT: String(port) });
      holder.close();
      expect(refusal(ended)).toBe(
        'keel: the simulator has no symbol ZZZZ; it has AAPL, SPX, SYNTREND (synthetic), SYNFLAT (synthetic), SYNSPLIT (synthetic)',
      );
      const replaced = ended.out.find((line) => line.includes('is busy')) ?? '';
      expect(replaced).toMatch(new RegExp(`port ${String(port)} is busy: api takes \\d+$`));
      const taken = /(\d+)$/.exec(replaced)?.[1] ?? '';
      expect(ended.out.join('\n')).toContain(`http://127.0.0.1:${taken}/docs`);
      expect(await rows('select id from strategy')).toEqual([]);
      expect(await rows('select id from run')).toEqual([]);
      expectNothingLeft(dataDir);
    });

    it('refuses a date outside the data, and a day that is no session', async () => {
      expect(refusal(await once_(['--as-of', '2018-05-14']))).toMatch(
        /2018-05-14 lies outside the data of AAPL, which go from 2013-05-13 to 2018-05-11/,
      );
      const shut = await once_(['--as-of', '2014-07-05']);
      expect(refusal(shut)).toMatch(
        /2014-07-05 is no session of the exchange; the nearest: 2014-07-03 and 2014-07-07/,
      );
      // The calendar alone knows it, so nothing was started.
      expect(shut.out.join('\n')).not.toContain('Keel starts');
      expect(await rows('select id from run')).toEqual([]);
    });

    it('stores TOO_FEW_BARS as the end of a run at an early date, and ends with 1', async () => {
      const { code, out, err } = await once_(['--as-of', '2013-06-03']);
      expect([code, err.filter((line) => line.startsWith('keel:'))]).toEqual([1, []]);
      expect(out.join('\n')).toMatch(
        /TOO_FEW_BARS: AAPL has \d+ complete (daily|weekly) bars and \d+ are\s+needed/,
      );
      expect(
        await rows('select session, status, outcome, code, ended_at is not null as over from run'),
      ).toEqual([
        {
          session: expect.anything() as unknown,
          status: 'failed',
          outcome: 'FAILED',
          code: 'TOO_FEW_BARS',
          over: true,
        },
      ]);
      for (const table of ['market_data', 'chart', 'analysis', 'decision', 'order_intent']) {
        expect(await rows(`select 1 from ${table}`), table).toEqual([]);
      }
    });

    it('refuses an earlier day without a stored run, and shows the stored one again', async () => {
      expect(refusal(await once_(['--as-of', '2013-05-20']))).toMatch(
        /2013-05-20 lies before 2013-06-03, where the simulated market stands, and has no stored run of AAPL: .*--reset/,
      );
      const again = await once_(['--as-of', '2013-06-03']);
      expect(again.out.join('\n')).toContain('has run already');
      expect(await rows('select id from run')).toHaveLength(1);
    });

    it('refuses a second start while the first one runs', async () => {
      const first = launchStart(['--data-dir', dataDir, '--as-of', '2013-06-03'], given);
      await first.said('Press Ctrl-C to stop.');
      const line = refusal(await once_([]));
      expect(line).toMatch(
        new RegExp(`another Keel \\(process ${String(first.child.pid)}\\) runs on .*--data-dir`),
      );
      expect(existsSync(path.join(dataDir, 'state.json')), 'the first one is left alone').toBe(true);
      first.child.kill('SIGINT');
      await first.ended;
      expectNothingLeft(dataDir);
    });

    it('refuses a damaged ledger', async () => {
      appendFileSync(path.join(dataDir, 'simulator', 'ledger.jsonl'), 'no line of a ledger\n');
      expect(refusal(await once_([]))).toMatch(
        /simulator cannot start: LEDGER_DAMAGED: .*ledger\.jsonl is damaged at line \d+: it is no JSON\. Restore it .*--reset/,
      );
      expectNothingLeft(dataDir);
    });
  });
});

describe('the keel command', () => {
  it('names the nearest command for one that is not there, and says when no Keel runs', async () => {
    expect(refusal(await keel(['chrat']), 2)).toMatch(/there is no command chrat; did you mean chart\?/);
    expect(refusal(await keel(['runs'], { KEEL_DATA_DIR: fresh() }))).toMatch(/npm start/);
  });
});
