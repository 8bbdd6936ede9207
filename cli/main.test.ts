// The manners of the whole command line: every command has help with examples, is completed, and refuses what it does not
// know with the name that was probably meant.
import { describe, expect, it } from 'vitest';
import { exitCodes, findings } from './exitCodes.js';
import { keel } from './main.js';

async function typed(...argv: string[]): Promise<{ code: number; out: string; err: string }> {
  const [out, err]: [string[], string[]] = [[], []];
  const code = await keel(argv, {
    out: (line) => out.push(line),
    err: (line) => err.push(line),
    env: () => ({ KEEL_DATA_DIR: '/nowhere' }),
  });
  return { code, out: out.join('\n'), err: err.join('\n') };
}

const overview = (await typed('--help')).out;
const names = [...overview.matchAll(/^ {2}([a-z]+) +\S/gm)].map(([, name = '']) => name);

describe('keel', () => {
  it('lists every command, each with what it does', () => {
    expect(names.length).toBeGreaterThan(14);
    expect(names).toContain('workflows');
  });

  it('ends with 2 and the list where nothing was asked', async () => {
    expect(await typed()).toEqual({ code: 2, out: overview, err: '' });
  });

  it.each([
    ['audit', 'list'],
    ['audit', 'verify'],
    ['admin', '--reset', 'anna'],
    ['migrate', 'status'],
  ])('takes --data-dir for %s %s, and says where no Keel runs', async (...argv) => {
    const { code, err } = await typed(...argv, '--data-dir', '/nowhere-else');
    expect([code, err]).toEqual([
      1,
      expect.stringMatching(/^keel: no Keel runs on \/nowhere-else: start it/),
    ]);
  });

  it('takes --data-dir for doctor too, and not for the tables of the simulator', async () => {
    const { err } = await typed('doctor', '--data-dir', '/nowhere-else', '--bundle', '');
    expect(err).toContain('--bundle needs the name of a file');
    const tables = await typed('simulator', 'migrate', 'status', '--data-dir', '/nowhere-else');
    expect(tables).toMatchObject({ code: 2, err: expect.stringContaining('names these tables') as string });
  });

  it('refuses a command that there is not, with the nearest one', async () => {
    expect(await typed('workflow', 'list')).toEqual({
      code: 2,
      out: '',
      err: 'keel: there is no command workflow; did you mean workflows? keel --help lists all.',
    });
  });

  it('guesses no name that is not near', async () => {
    expect((await typed('nonsense')).err).toBe('keel: there is no command nonsense. keel --help lists all.');
    expect((await typed('completion', 'tcsh')).err).toContain(
      'completion takes bash, zsh, fish, not tcsh. keel',
    );
    expect((await typed('runs', '--frobnicate')).err).toMatch(/there is no option --frobnicate\. keel/);
  });

  it('writes no escape sequence where it does not speak to a terminal', () => {
    // eslint's no-control-regex: the code is spelled out.
    expect(overview.includes(String.fromCharCode(27))).toBe(false);
  });
});

describe.each(names)('keel %s', (name) => {
  it('has help with its usage and an example that begins with it', async () => {
    const { code, out, err } = await typed(name, '--help');
    expect([code, err]).toEqual([0, '']);
    expect(out).toMatch(new RegExp(`^Usage: keel ${name}\\b`));
    expect(out).toMatch(
      new RegExp(`^Examples?:\\n(?: {2}\\S[^\\n]*\\n)*? {2}[^\\n]*\\bkeel ${name}\\b`, 'm'),
    );
    expect(out.includes(String.fromCharCode(27))).toBe(false);
  });

  it('refuses an option that there is not with 2, names it, and points to the help', async () => {
    const { code, out, err } = await typed(name, '--hepl');
    expect([code, out]).toEqual([2, '']);
    expect(err).toMatch(/^keel: there is no option --hepl/);
    expect(err).toContain(`keel ${name} --help shows the options.`);
    expect(err).not.toContain('\n');
  });

  it('is completed with its options in every shell', async () => {
    const { out: help } = await typed(name, '--help');
    const options = [...help.matchAll(/^ {2}(--[a-z-]+)/gm)].map(([, option = '']) => option);
    for (const shell of ['bash', 'zsh', 'fish']) {
      const { out } = await typed('completion', shell);
      const line = out
        .split('\n')
        .filter((text) => new RegExp(`\\b${name}\\b`).test(text))
        .join('\n');
      expect(line, shell).not.toBe('');
      for (const option of options)
        expect(line, shell).toContain(option.replace('--', shell === 'fish' ? '' : '--'));
    }
  });
});

describe('second words', () => {
  it.each([
    [
      ['workflows', 'lits'],
      'workflows takes list, show, versions, create, change, remove, not lits; did you mean list?',
    ],
    [['workflows'], 'workflows takes list, show, versions, create, change, remove'],
    [['workflows', 'show'], 'workflows show takes one ID'],
    [['workflows', 'list', 'x'], 'workflows list takes no ID'],
    [
      ['strategies', 'shwo', 'x'],
      'strategies takes list, show, create, change, not shwo; did you mean show?',
    ],
    [['migrate', 'sttus'], 'migrate takes up, down, status, history, not sttus; did you mean status?'],
    [['migrate', 'down', 'all'], 'migrate down takes a number of migrations'],
    [['config', 'prnt'], 'config takes print, check, not prnt; did you mean print?'],
    [['ibkr', 'login'], 'ibkr takes trust, login-url, not login; did you mean login-url?'],
    [['audit', 'verfy'], 'audit takes verify, list, not verfy; did you mean verify?'],
    [['completion', 'bsh'], 'completion takes bash, zsh, fish, not bsh; did you mean bash?'],
    [['run'], 'one SYMBOL is needed'],
    [
      ['simulator', 'run', '--speed', '-3'],
      '--speed is followed by a dash, which begins an option: a value that begins with one is written --speed=-VALUE',
    ],
    [['simulator', 'run', '--speed=-3'], 'run needs --speed N, a number above 0'],
    [['runs', '--limt', '5'], 'there is no option --limt; did you mean --limit?'],
  ])('refuse wrong use of %j', async (argv, message) => {
    const [name = ''] = argv;
    expect(await typed(...argv)).toEqual({
      code: 2,
      out: '',
      err: `keel: ${message}. keel ${name} --help shows the options.`.replace('?.', '?'),
    });
  });
});

describe('keel help', () => {
  it('shows the help of a command, and refuses a topic that there is not', async () => {
    expect(await typed('help', 'doctor')).toEqual(await typed('doctor', '--help'));
    const refused = await typed('help', 'exit-code');
    expect(refused).toMatchObject({ code: 2, out: '' });
    expect(refused.err).toContain('did you mean exit-codes?');
  });
});

describe('exit codes', () => {
  it('are stated by the overview: 0, 1 and 2', () => {
    expect(overview).toMatch(/^Exit codes: 0 it worked.*; 1 it did not.*; 2 wrong use\.$/m);
  });

  it('are listed whole by keel help exit-codes, with the commands that find something', async () => {
    const { code, out } = await typed('help', 'exit-codes');
    expect(code).toBe(0);
    for (const each of exitCodes)
      expect(out).toMatch(new RegExp(`^${String(each.code)} +${each.meaning.slice(0, 20)}`, 'm'));
    for (const name of Object.keys(findings)) {
      expect(names).toContain(name);
      expect(out).toMatch(new RegExp(`^${name} +\\S`, 'm'));
    }
  });

  it.each(names)('of keel %s: 0 for its help, 2 for an option that there is not', async (name) => {
    expect((await typed(name, '--help')).code).toBe(0);
    expect((await typed(name, '--no-such-option')).code).toBe(2);
  });

  it.each([
    ['runs'],
    ['strategies', 'list'],
    ['workflows', 'list'],
    ['run', 'AAPL'],
    ['admin'],
    ['audit', 'verify'],
    ['migrate', 'status'],
    ['verify', '/nowhere/summary.json'],
    ['replay', '/nowhere/summary.json'],
    ['explain', '/nowhere/summary.json'],
    ['restore', '/nowhere/backup', '--check'],
    ['chart', '--csv', '/nowhere/bars.csv', '--out', '/nowhere/chart.png'],
    ['indicators', '--csv', '/nowhere/bars.csv'],
  ])(
    'of keel %s: 1, with a line on standard error that says why, where what it needs is not there',
    async (...argv) => {
      const { code, err } = await typed(...argv);
      expect([code, err]).toEqual([1, expect.stringMatching(/\S/)]);
    },
  );

  it('are 0 after work, 1 after a failure, 2 after wrong use', async () => {
    expect((await typed('config', 'print')).code).toBe(0);
    const failed = await typed('runs');
    expect(failed).toMatchObject({ code: 1, out: '' });
    expect(failed.err).toMatch(/^keel: no Keel runs on \/nowhere: start one with npm start/);
    expect((await typed('runs', '--limit', 'many')).code).toBe(2);
  });
});
