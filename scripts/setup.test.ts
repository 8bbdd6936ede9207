// The chains that find servers. What is downloaded or built is not tried here: it takes minutes and a network.
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { ensureS3Server, ensureTemporal } from './setup.mjs';

const base = mkdtempSync(path.join(tmpdir(), 'keel-setup-'));
afterAll(() => {
  rmSync(base, { recursive: true, force: true });
});

const program = (name: string, body: string): string => {
  const file = path.join(base, name);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, `#!/bin/sh\n${body}\n`);
  chmodSync(file, 0o755);
  return file;
};
const works = 'test "$1" = --version';

describe('ensureTemporal', () => {
  const onPath = program('path/temporal', works);
  const given = program('given/my-temporal', works);
  const cached = program('cache/keel/temporal-1.5.1/temporal', works);
  const broken = program('broken/temporal', 'echo cannot execute >&2; exit 126');
  const env = { PATH: path.dirname(onPath), XDG_CACHE_HOME: path.join(base, 'cache') };

  test('needs no CLI where TEMPORAL_ADDRESS is set, unless servers of our own are wanted', async () => {
    const withAddress = { ...env, TEMPORAL_ADDRESS: 'temporal:7233' };
    expect(await ensureTemporal({ env: withAddress })).toBe(null);
    expect(await ensureTemporal({ env: withAddress, evenWithAddress: true })).toBe(onPath);
  });

  test('takes TEMPORAL_CLI_PATH before PATH, and PATH before the cache', async () => {
    expect(await ensureTemporal({ env: { ...env, TEMPORAL_CLI_PATH: given } })).toBe(given);
    expect(await ensureTemporal({ env })).toBe(onPath);
    expect(await ensureTemporal({ env: { ...env, PATH: '' } })).toBe(cached);
  });

  test('finds the cache below HOME where XDG_CACHE_HOME is not set', async () => {
    const home = path.join(base, 'home');
    const file = program('home/.cache/keel/temporal-1.5.1/temporal', works);
    expect(await ensureTemporal({ env: { PATH: '', HOME: home } })).toBe(file);
  });

  test('passes over a broken `temporal` on PATH', async () => {
    expect(await ensureTemporal({ env: { ...env, PATH: path.dirname(broken) } })).toBe(cached);
  });

  test.each([
    ['does not run', broken, /TEMPORAL_CLI_PATH is .*broken.*cannot execute.*Correct or unset it/],
    ['is not there', '/no/such/temporal', /TEMPORAL_CLI_PATH is \/no\/such\/temporal.*no such executable/],
  ])('a TEMPORAL_CLI_PATH that %s is an error, never passed over', async (_what, file, message) => {
    await expect(ensureTemporal({ env: { ...env, TEMPORAL_CLI_PATH: file } })).rejects.toThrow(message);
  });
});

describe('ensureS3Server', () => {
  const onPath = program('s3path/minio', works);
  const cached = program('cache/keel/minio/minio', works);
  const env = { PATH: path.dirname(onPath), XDG_CACHE_HOME: path.join(base, 'cache') };
  const running = { MINIO_ENDPOINT: 'http://s3:9000', MINIO_ACCESS_KEY: 'a', MINIO_SECRET_KEY: 's' };

  test('takes MINIO_ENDPOINT before PATH, and PATH before the cache', async () => {
    expect(await ensureS3Server({ ...env, ...running })).toEqual({
      kind: 'running',
      endpoint: 'http://s3:9000',
      accessKey: 'a',
      secretKey: 's',
    });
    expect(await ensureS3Server(env)).toEqual({ kind: 'binary', path: onPath });
    expect(await ensureS3Server({ ...env, PATH: '' })).toEqual({ kind: 'binary', path: cached });
  });

  test('a MINIO_ENDPOINT without keys is an error that names them', async () => {
    await expect(ensureS3Server({ ...running, MINIO_SECRET_KEY: '' })).rejects.toThrow(/MINIO_SECRET_KEY/);
  });

  test('TESTS_S3=none means none', async () => {
    expect(await ensureS3Server({ ...env, ...running, TESTS_S3: 'none' })).toBe(null);
  });
});
