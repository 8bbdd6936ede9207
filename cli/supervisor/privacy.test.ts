// A data directory of an earlier release, open to everybody, is closed at the next start.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { tempFolder } from '../../tests/support/temp.js';
import { startChild } from './child.js';
import { prepareDataDir } from './dataDir.js';
import { makePrivate } from './privacy.js';
import { unreachableParent } from './postgresPlace.js';

const modeOf = (path: string): number => lstatSync(path).mode & 0o777;

/** As root nobody but the group of PostgreSQL's user passes, and nobody looks. */
const closed = process.getuid?.() === 0 ? [0o700, 0o710, 0o711] : [0o700];

const removals: (() => void)[] = [];
const makeFolder = (purpose: string): string => {
  const { path, remove } = tempFolder(purpose);
  removals.push(remove);
  return path;
};
afterEach(() => {
  for (const remove of removals.splice(0)) remove();
});

function open(folder: string): void {
  mkdirSync(join(folder, 'objects', 'bars'), { recursive: true, mode: 0o755 });
  for (const name of ['keel.json', 'temporal.db', 'objects/bars/one.json']) {
    writeFileSync(join(folder, name), 'kept', { mode: 0o644 });
  }
  chmodSync(folder, 0o755);
}

describe('the data directory', () => {
  it('may hold what keel ibkr trust put there before the first start, and nothing of others', () => {
    const folder = makeFolder('trusted');
    mkdirSync(join(folder, 'ibkr'));
    expect(prepareDataDir(folder)).toEqual({ fresh: true });
    expect(prepareDataDir(folder)).toEqual({ fresh: false });
    const other = makeFolder('foreign');
    mkdirSync(join(other, 'ibkr'));
    writeFileSync(join(other, 'letter.txt'), '');
    expect(() => prepareDataDir(other)).toThrow(/not Keel's \(letter\.txt\)/);
  });

  it('of an earlier release is closed with all that is in it, and nothing in it is lost', () => {
    const folder = makeFolder('privacy');
    open(folder);
    prepareDataDir(folder);
    expect(closed).toContain(modeOf(folder));
    for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
      const path = join(entry.parentPath, entry.name);
      expect([path, modeOf(path)]).toEqual([path, entry.isDirectory() ? 0o700 : 0o600]);
    }
    expect(readFileSync(join(folder, 'objects/bars/one.json'), 'utf8')).toBe('kept');
  });

  it('is closed from the beginning where it is made', () => {
    const folder = join(makeFolder('privacy'), 'a', 'b');
    prepareDataDir(folder);
    expect(closed).toContain(modeOf(folder));
    expect(modeOf(join(folder, 'keel.json'))).toBe(0o600);
  });

  it('leaves alone what a link leads to, what the server owns, and a directory that was closed', () => {
    const folder = makeFolder('privacy');
    const elsewhere = makeFolder('elsewhere');
    writeFileSync(join(elsewhere, 'file'), '', { mode: 0o644 });
    open(folder);
    mkdirSync(join(folder, 'postgres'), { mode: 0o755 });
    symlinkSync(elsewhere, join(folder, 'logs'));
    symlinkSync(join(elsewhere, 'file'), join(folder, 'state.json'));
    chmodSync(folder, 0o700);
    prepareDataDir(folder);
    expect(modeOf(folder)).toBe(0o700);
    expect(modeOf(join(elsewhere, 'file'))).toBe(0o644);
    expect(modeOf(join(folder, 'postgres'))).toBe(0o755);
  });

  it('is closed beside one who swaps its files for links and takes them away, and follows no such link', async () => {
    const folder = makeFolder('privacy');
    const target = join(makeFolder('elsewhere'), 'file');
    writeFileSync(target, '', { mode: 0o644 });
    open(folder);
    prepareDataDir(folder);
    const script = `const fs = require('fs'); process.chdir('${folder}'); process.stdout.write('up');
      for (;;) { fs.writeFileSync('a', ''); fs.chmodSync('a', 0o644); fs.renameSync('a', 'swapped');
        fs.symlinkSync('${target}', 'b'); fs.renameSync('b', 'swapped'); fs.rmSync('swapped'); }`;
    const other = spawn(process.execPath, ['-e', script]);
    await once(other.stdout, 'data');
    for (let round = 0; round < 300; round += 1) makePrivate(folder);
    other.kill('SIGKILL');
    await once(other, 'exit');
    expect(modeOf(target)).toBe(0o644);
  });

  it.runIf(process.getuid?.() === 0)('lets the user of PostgreSQL pass, where root starts it', () => {
    const folder = makeFolder('privacy');
    const { uid } = statSync('/');
    mkdirSync(join(folder, 'postgres'));
    chmodSync(folder, 0o755);
    writeFileSync(join(folder, 'keel.json'), '');
    prepareDataDir(folder);
    const { gid, mode } = statSync(folder);
    expect(mode & 0o007).toBe(gid === uid ? 0o001 : 0);
    expect(unreachableParent(folder, { uid: 4_000_000, gid })).toBeNull();
  });

  it('gets from a child files that are private, and leaves this process as it was', async () => {
    const folder = makeFolder('privacy');
    writeFileSync(join(folder, 'before'), '');
    const script = `require('fs').mkdirSync('${folder}/made'); require('fs').writeFileSync('${folder}/made/file', '')`;
    const child = await startChild({
      role: 'temporal',
      command: process.execPath,
      args: ['-e', script],
      env: {},
      logs: join(folder, 'logs'),
    });
    expect(
      await new Promise((resolve) => {
        child.onEnd(resolve);
      }),
    ).toBe('exit code 0');
    expect([modeOf(join(folder, 'made')), modeOf(join(folder, 'made/file'))]).toEqual([0o700, 0o600]);
    expect([modeOf(join(folder, 'logs')), modeOf(child.logFile)]).toEqual([0o700, 0o600]);
    writeFileSync(join(folder, 'after'), '');
    expect(modeOf(join(folder, 'after'))).toBe(modeOf(join(folder, 'before')));
  });
});
