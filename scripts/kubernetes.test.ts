// The manifests of deploy/kubernetes: valid by Kubernetes' own schemas, and as careful as the compose file. They were never
// applied to a cluster.
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { z } from 'zod';
import { loadConfig } from '../config/load.js';
import { fileVariables, variables } from '../config/variables.js';

const root = path.resolve(import.meta.dirname, '..');
const folder = path.join(root, 'deploy/kubernetes');
const schemas = JSON.parse(readFileSync(path.join(root, 'scripts/schemas/kubernetes.json'), 'utf8')) as {
  kinds: Record<string, object>;
  $defs: object;
};

const container = z.looseObject({
  image: z.string(),
  command: z.array(z.string()),
  envFrom: z.array(z.looseObject({ configMapRef: z.looseObject({ name: z.string() }) })),
  env: z.array(z.looseObject({ name: z.string(), value: z.string() })).default([]),
  volumeMounts: z.array(z.looseObject({ name: z.string(), mountPath: z.string() })),
});
const pod = z.looseObject({
  terminationGracePeriodSeconds: z.number().default(30),
  securityContext: z.looseObject({}),
  containers: z.array(container).length(1),
  volumes: z.array(z.looseObject({ name: z.string() })),
});
const manifest = z.looseObject({
  kind: z.string(),
  metadata: z.looseObject({ name: z.string() }),
  data: z.record(z.string(), z.string()).optional(),
  spec: z.looseObject({ template: z.looseObject({ spec: pod }).optional() }).optional(),
});
type Manifest = z.infer<typeof manifest>;

const raw: readonly unknown[] = readdirSync(folder)
  .filter((name) => name.endsWith('.yaml'))
  .flatMap((name) =>
    parseAllDocuments(readFileSync(path.join(folder, name), 'utf8')).map(
      (document) => document.toJS() as unknown,
    ),
  );
const all: readonly Manifest[] = raw.map((each) => manifest.parse(each));
const named = all.map((each, index) => [`${each.kind} ${each.metadata.name}`, raw[index]] as const);
const pods = all.flatMap((each) => {
  const spec = each.spec?.template?.spec;
  return spec === undefined ? [] : [[each.metadata.name, spec, spec.containers[0]] as const];
});

const check = (value: unknown): readonly unknown[] => {
  const kind = schemas.kinds[manifest.parse(value).kind];
  if (kind === undefined) return ['no schema of this kind'];
  const ajv = new Ajv2020({ strict: false, validateFormats: false });
  const valid = ajv.compile({ ...kind, $defs: schemas.$defs });
  return valid(value) ? [] : (valid.errors ?? []);
};

/** What Kubernetes gives to the container. */
function environmentOf(name: string): Record<string, string> {
  const { envFrom, env } = container.parse(pods.find(([each]) => each === name)?.[2]);
  const maps = envFrom.map(
    ({ configMapRef }) => all.find(({ metadata }) => metadata.name === configMapRef.name)?.data,
  );
  const own = Object.fromEntries(env.map((each) => [each.name, each.value]));
  return Object.assign({}, ...maps, own) as Record<string, string>;
}

describe('deploy/kubernetes', () => {
  it.each(named)('%s is valid by the schema of its kind', (_name, value) => {
    expect(check(value)).toEqual([]);
  });

  it('is held to schemas that refuse a field that there is not', () => {
    const worker = raw.find((value) => manifest.parse(value).metadata.name === 'keel-worker') as {
      spec: object;
    };
    expect(check({ ...worker, spec: { ...worker.spec, replica: 2 } })).not.toEqual([]);
  });

  it.each(pods)(
    '%s runs without root, on a file system that it can not write, pinned, with limits',
    (_name, spec, one) => {
      expect(spec).toMatchObject({
        automountServiceAccountToken: false,
        securityContext: { runAsNonRoot: true, runAsUser: 10001, seccompProfile: { type: 'RuntimeDefault' } },
      });
      expect(one).toMatchObject({
        securityContext: {
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        },
        resources: { limits: {}, requests: {} },
      });
      expect(one?.image).toMatch(/:\d+\.\d+\.\d+$/);
      const mounted = one?.volumeMounts.map(({ name }) => name).sort();
      expect(spec.volumes.map(({ name }) => name).sort()).toEqual(mounted);
    },
  );

  it.each(pods)('%s starts a program that there is, and has probes when it stays', (name, _spec, one) => {
    const program = one?.command.find((word) => /\.m?js$/.test(word)) ?? '';
    expect(existsSync(path.join(root, program.replace(/^dist\/(.+)\.js$/, '$1.ts')))).toBe(true);
    if (name !== 'keel-migrate') {
      const probe = { httpGet: { path: expect.stringMatching(/^\/(health|metrics)$/) as string } };
      expect(one).toMatchObject({ startupProbe: probe, readinessProbe: probe, livenessProbe: probe });
    }
  });

  it.each(pods)('%s gets variables that Keel knows, and no secret in clear', (name) => {
    const known = [...Object.keys(variables), ...fileVariables.map((variable) => `${variable}_FILE`)];
    const given = environmentOf(name);
    expect(Object.keys(given).filter((variable) => !known.includes(variable))).toEqual([]);
    for (const [variable, value] of Object.entries(given)) {
      expect(value).not.toMatch(/:\/\/[^/]*:[^/]*@/);
      if (fileVariables.includes(variable)) expect(`${variable} in clear`).toBe('a file');
    }
  });

  it('mounts secrets for which the guide has a command, each with every file that is read', () => {
    const guide = readFileSync(path.join(root, 'docs/deploy.md'), 'utf8').replaceAll(/\\\n\s*/g, '');
    const made = new Map(
      [...guide.matchAll(/create secret generic (\S+)((?: +--from-file=\S+)+)/g)].map(
        ([, name = '', files = '']) =>
          [name, [...files.matchAll(/=(\S+)/g)].map(([, file = '']) => file)] as const,
      ),
    );
    const mounted = pods.flatMap(([name, { volumes }, one]) =>
      volumes.flatMap((volume) => {
        const { secretName } = (volume['secret'] ?? {}) as { secretName?: string };
        if (secretName === undefined) return [];
        const at = one?.volumeMounts.find((mount) => mount.name === volume.name)?.mountPath ?? '';
        const read = Object.values(environmentOf(name)).filter((value) => value.startsWith(`${at}/`));
        return [[secretName, read.map((value) => value.slice(at.length + 1))] as const];
      }),
    );
    expect([...made.keys()].sort()).toEqual(['keel-auth', 'keel-broker', 'keel-secrets']);
    expect(new Set(mounted.map(([name]) => name))).toEqual(new Set(made.keys()));
    for (const [name, files] of mounted) {
      expect(files.length).toBeGreaterThan(0);
      expect([name, made.get(name)]).toEqual([name, expect.arrayContaining(files)]);
    }
    // And the table says what each of them holds.
    for (const files of made.values()) for (const each of files) expect(guide).toContain(`| \`${each}\` `);
  });

  it('is restored with variables that Keel knows, as the guide shows them', () => {
    const guide = readFileSync(path.join(root, 'docs/deploy.md'), 'utf8');
    const shown = Object.fromEntries(
      [...guide.matchAll(/^export (.+)$/gm)]
        .flatMap(([, line = '']) => line.split(' '))
        .map((each) => each.split('=') as [string, string]),
    );
    const folderOfFiles = mkdtempSync(path.join(tmpdir(), 'keel-restore-'));
    const env = Object.fromEntries(
      Object.entries(shown).map(([name, value]) => {
        const file = path.join(folderOfFiles, path.basename(value));
        if (!name.endsWith('_FILE')) return [name, value];
        writeFileSync(file, name.startsWith('DATABASE') ? 'postgres://keel:x@db/keel' : 'x'.repeat(20));
        return [name, file];
      }),
    );
    const config = loadConfig(env, { need: ['database', 'objectStore'] });
    rmSync(folderOfFiles, { recursive: true });
    const { KEEL_MODE: mode, MINIO_ENDPOINT: endpoint, MINIO_BUCKET: bucket } = environmentOf('keel-migrate');
    expect(config).toMatchObject({ mode, objectStore: { kind: 'minio', endpoint, bucket } });
    expect(config.database.url).toContain('@db/');
  });

  it('gives a worker longer to stop than it takes', () => {
    const { worker } = loadConfig({ KEEL_ENV: 'production' }, { need: ['worker'] });
    const grace = pods.find(([name]) => name === 'keel-worker')?.[1].terminationGracePeriodSeconds ?? 0;
    expect(grace * 1000).toBeGreaterThanOrEqual(worker.shutdownGraceMs + 20_000);
  });

  describe('with its secrets', () => {
    const mounted = mkdtempSync(path.join(tmpdir(), 'keel-kubernetes-'));
    const write = (name: string, text: string): void => {
      mkdirSync(path.dirname(path.join(mounted, name)), { recursive: true });
      writeFileSync(path.join(mounted, name), text);
    };
    beforeAll(() => {
      write('keel/database-url', 'postgres://keel:x@db/keel');
      write('keel/minio-access-key', 'access');
      write('keel/minio-secret-key', 'secret');
      write('keel/redis-url', 'rediss://:x@redis:6379');
      write('keel-auth/auth-secret', 'x'.repeat(64));
      write('broker/tls-cert.sha256', 'ab'.repeat(32));
    });
    afterAll(() => {
      rmSync(mounted, { recursive: true, force: true });
    });
    const moved = (name: string): Record<string, string> =>
      Object.fromEntries(
        Object.entries(environmentOf(name)).map(([key, value]) => [
          key,
          value.replace(/^\/run\//, `${mounted}/`),
        ]),
      );

    it('is a whole configuration of the worker, which gets nothing that signs tokens', () => {
      const config = loadConfig(moved('keel-worker'), { without: ['auth'] });
      expect(config).toMatchObject({ mode: 'paper', environment: 'production', broker: { kind: 'ibkr' } });
      expect(Object.keys(environmentOf('keel-worker')).filter((name) => name.includes('AUTH'))).toEqual([]);
    });

    it('is a whole configuration of the API, and of the migrations', () => {
      const { api, auth } = loadConfig(moved('keel-api'), {
        need: ['api', 'auth', 'database', 'temporal', 'objectStore'],
      });
      expect(api).toMatchObject({ host: '0.0.0.0', port: 3000, allowedHosts: ['keel.example.com'] });
      expect(auth.secret.length).toBe(64);
      expect(loadConfig(moved('keel-migrate'), { need: ['database'] }).database.url).toContain('@db/');
    });
  });
});
