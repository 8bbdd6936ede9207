// docker-compose.yml and the Dockerfile: valid by the Compose Specification's schema, and as careful as the guide says.
import { spawnSync } from 'node:child_process';
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
import { parse } from 'yaml';
import { interpolate, readCompose, readComposeYaml, secondsOf } from '../cli/topology/compose.js';
import type { ComposeFile, ComposeService } from '../cli/topology/compose.js';
import { planOf } from '../cli/topology/plan.js';
import { loadConfig } from '../config/load.js';
import { fileVariables, variables } from '../config/variables.js';

const root = path.resolve(import.meta.dirname, '..');
const file = path.join(root, 'docker-compose.yml');
const chosen = { SECRETS_DIR: '/secrets', KEEL_MODE: 'simulated' };
const raw = readComposeYaml(file) as { services: Record<string, Record<string, unknown>> };
const compose: ComposeFile = readCompose(file, chosen);
const services = Object.entries(compose.services);
const own = services.filter(([, { image = '' }]) => image.startsWith('keel:'));

const validator = () =>
  new Ajv2020({ strict: false, validateFormats: false }).compile(
    JSON.parse(readFileSync(path.join(root, 'scripts/schemas/compose-spec.json'), 'utf8')) as object,
  );

/** Started once, waited for by its end. */
const oneShot = (name: string): boolean =>
  services.some(([, { depends_on: needs }]) => needs[name]?.condition === 'service_completed_successfully');

describe('docker-compose.yml', () => {
  it('is valid by the schema of the Compose Specification, which refuses a file that is not', () => {
    const valid = validator();
    expect(valid(raw) ? [] : valid.errors).toEqual([]);
    const { api, ...others } = raw.services;
    expect(valid({ ...raw, services: { ...others, api: { ...api, imagee: 'x' } } })).toBe(false);
    expect(valid({ ...raw, services: { ...others, api: { ...api, healthcheck: { test: 7 } } } })).toBe(false);
  });

  it.each([
    ['SECRETS_DIR', { KEEL_MODE: 'simulated' }, /prepare\.sh/],
    ['KEEL_MODE', { SECRETS_DIR: '/secrets' }, /simulated .*paper or live/],
    ['KEEL_MODE', { SECRETS_DIR: '/secrets', KEEL_MODE: '' }, /simulated .*paper or live/],
  ])('does not start without %s, and says how to set it', (name, env, how) => {
    expect(() => readCompose(file, env)).toThrow(how);
    expect(() => readCompose(file, env)).toThrow(`${name} is not set`);
  });

  it('replaces variables as Compose does', () => {
    const env = { SET: 'x', EMPTY: '' };
    expect(interpolate('${SET} ${EMPTY-d} ${EMPTY:-d} ${NONE-d} ${NONE} $$HOME $(x)', env)).toBe(
      'x  d d  $HOME $(x)',
    );
    expect(() => interpolate('${EMPTY:?say why}', env)).toThrow('EMPTY is not set: say why');
    expect(interpolate('${EMPTY?say why}', env)).toBe('');
  });

  it('has the parts that the guide names', () => {
    const names = [
      'postgres',
      'temporal',
      'temporal-ui',
      'minio',
      'redis',
      'setup',
      'api',
      'worker',
      'simulator',
    ];
    expect(Object.keys(compose.services)).toEqual([...names, 'market', 'ibkr-gateway']);
    expect(compose.services['ibkr-gateway']?.profiles).toEqual(['ibkr']);
  });

  it.each(services)('%s runs without root, pinned, hardened and watched', (name, service) => {
    expect(service.user).toMatch(/^[1-9]\d*:[1-9]\d*$/);
    expect(service.image).toMatch(
      /^(keel(-minio)?:\w+|[a-z0-9./-]+:[A-Za-z]*\.?\d[\w.-]*(@sha256:[0-9a-f]{64})?)$/,
    );
    expect(service.image).not.toMatch(/:latest|^keel:latest/);
    expect(service).toMatchObject({ cap_drop: ['ALL'], security_opt: ['no-new-privileges:true'] });
    expect(service).not.toHaveProperty('container_name');
    expect(service).not.toHaveProperty('privileged');
    expect(service).not.toHaveProperty('network_mode');
    if (!oneShot(name)) expect(service.healthcheck?.test.length).toBeGreaterThan(1);
    expect(secondsOf(service.stop_grace_period ?? '10s')).toBeGreaterThanOrEqual(10);
  });

  it.each(services)('%s opens ports on loopback alone', (_name, { ports }) => {
    for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:[\d-]+:\d+$/);
  });

  it('lets workers be as many as wanted: no port, no name, two of them to begin with', () => {
    expect(compose.services['worker']).toMatchObject({ ports: [], deploy: { replicas: 2 } });
  });

  it.each(services)('%s holds no secret', (_name, { environment }) => {
    for (const [variable, value] of Object.entries(environment)) {
      const text = String(value ?? '');
      expect(text).not.toMatch(/:\/\/[^/]*:[^/]*@/);
      const secret =
        /(PASSWORD|PWD|SECRET|TOKEN|ACCESS_KEY|API_KEY|DSN|DATABASE_URL|REDIS_URL|SMTP_URL)/.test(variable);
      if (secret && !variable.endsWith('_FILE')) expect(`${variable}=${text}`).toBe(`${variable}=`);
      if (variable.endsWith('_FILE') && text !== '') expect(text).toMatch(/^\/(run\/secrets|broker)\//);
    }
  });

  it.each(own)('%s gets variables that Keel knows, and no other', (_name, { environment }) => {
    const known = [...Object.keys(variables), ...fileVariables.map((variable) => `${variable}_FILE`)];
    expect(Object.keys(environment).filter((variable) => !known.includes(variable))).toEqual([]);
  });

  it.each(own)('%s finds every file that it can be told of: a secret, or under a mount', (_name, service) => {
    const mounts = ((service['volumes'] ?? []) as string[]).flatMap((each) => each.split(':')[1] ?? []);
    const folders = [...mounts, ...service.secrets.map((secret) => `/run/secrets/${secret}`)];
    for (const [variable, value] of Object.entries(service.environment)) {
      if (!variable.endsWith('_FILE')) continue;
      // Without a value it comes from .env, where the guide says to name a file of /run/optional.
      const told = String(value ?? '') === '' ? '/run/optional/it' : String(value);
      const found = folders.some((folder) => told === folder || told.startsWith(`${folder}/`));
      expect([variable, told, found]).toEqual([variable, told, true]);
    }
  });

  it.each([
    ['api', /^(api|auth|oidc|model)\./, 16],
    ['worker', /^(broker|model|notifier|retention|monitors|prices|risk)\./, 40],
    ['simulator', /^simulator\.(?!adminUrl)/, 15],
  ])('tells the %s every variable of its part', (service, settings, atLeast) => {
    const told = Object.keys(compose.services[service]?.environment ?? {});
    const wanted = Object.entries(variables)
      .filter(([, { path: setting }]) => settings.test(setting))
      .map(([variable]) => [variable, `${variable}_FILE`]);
    expect(wanted.length).toBeGreaterThanOrEqual(atLeast);
    expect(wanted.filter((names) => !names.some((name) => told.includes(name)))).toEqual([]);
  });

  it('is scraped by deploy/prometheus: every replica of API and worker, on the ports of production', () => {
    const folder = path.join(root, 'deploy/prometheus');
    const { rule_files: rules, scrape_configs: jobs } = parse(
      readFileSync(path.join(folder, 'prometheus.yml'), 'utf8'),
    ) as {
      rule_files: string[];
      scrape_configs: { dns_sd_configs: { names: string[]; type: string; port: number }[] }[];
    };
    const { metrics } = loadConfig({ KEEL_ENV: 'production' }, { need: ['metrics'] });
    expect(jobs.map(({ dns_sd_configs: found }) => found)).toMatchObject([
      [{ names: ['api'], type: 'A', port: metrics.apiPort }],
      [{ names: ['worker'], type: 'A', port: metrics.workerPort }],
    ]);
    for (const rule of rules) expect(existsSync(path.join(folder, rule))).toBe(true);
    for (const name of ['api', 'worker']) {
      expect(raw.services[name]?.['networks']).toContain('data');
      expect(Object.keys(compose.services[name]?.environment ?? {})).toContain('KEEL_METRICS_HOST');
    }
  });

  it('takes every variable of .env.example from .env, or the guide says why not', () => {
    const text = readFileSync(path.join(root, '.env.example'), 'utf8');
    const named = [...text.matchAll(/^#([A-Z][A-Z0-9_]+)=/gm)].map(([, name = '']) => name);
    const open = own.flatMap(([name]) =>
      Object.entries(raw.services[name]?.['environment'] as Record<string, string | null>),
    );
    const takes = (name: string): boolean =>
      [name, `${name}_FILE`].some((each) =>
        open.some(
          ([variable, value]) =>
            (variable === each && value === null) || new RegExp(`\\$\\{${each}\\b`).test(value ?? ''),
        ),
      );
    const guide = readFileSync(path.join(root, 'docs/deploy.md'), 'utf8');
    const [, section = ''] =
      /^### Settings, and those that Compose does not take\n(.*?)^### /ms.exec(guide) ?? [];
    const excused = [...section.matchAll(/^\| ([^|]+) \| [^|]{20,} \|$/gm)].flatMap(([, cell = '']) =>
      [...cell.matchAll(/`([A-Z0-9_]+)`/g)].map(([, name = '']) => name),
    );
    expect(named.length).toBeGreaterThan(100);
    expect(named.filter((name) => !takes(name) && !excused.includes(name))).toEqual([]);
    expect(excused.filter((name) => takes(name) || !named.includes(name))).toEqual([]);
  });

  it('is what the override for a Temporal elsewhere, as the guide prints it, goes with', () => {
    const guide = readFileSync(path.join(root, 'docs/deploy.md'), 'utf8');
    const [, text = ''] = /```yaml\n(# docker-compose\.override\.yml\n.*?)```/s.exec(guide) ?? [];
    // Compose's own tag: the value replaces that of the file.
    const override = { tag: '!override', collection: 'map', resolve: (map: unknown) => map } as const;
    const over = parse(text, { merge: true, customTags: [override] }) as ComposeFile;
    const known = Object.keys(compose.services);
    const askers = services.filter(([, { environment }]) => 'TEMPORAL_ADDRESS' in environment);
    const keels = askers.filter(([, { image = '' }]) => image.startsWith('keel:')).map(([name]) => name);
    expect(keels.sort()).toEqual(['api', 'market', 'setup', 'worker']);
    for (const name of keels) {
      const service = over.services[name];
      expect(Object.keys(service?.environment ?? {})).toContain('TEMPORAL_API_KEY_FILE');
      const waited = Object.keys(service?.depends_on ?? {});
      expect(known).toEqual(expect.arrayContaining(waited));
      expect(waited).not.toContain('temporal');
      if (name !== 'setup') expect(waited).toContain('setup');
    }
    expect(Object.keys(over.services).filter((name) => !known.includes(name))).toEqual([]);
  });

  it('declares the secrets that are used, and prepare.sh makes them', () => {
    const used = new Set(services.flatMap(([, { secrets }]) => secrets));
    expect([...used].sort()).toEqual(Object.keys(compose.secrets).sort());
    for (const [name, { secrets, environment }] of services) {
      const named = Object.values(environment).flatMap(
        (value) => /^\/run\/secrets\/([\w-]+)$/.exec(String(value ?? ''))?.[1] ?? [],
      );
      const inCommands = [...JSON.stringify(raw.services[name]).matchAll(/\/run\/secrets\/([\w-]+)/g)].map(
        ([, secret]) => secret,
      );
      for (const secret of [...named, ...inCommands]) expect(secrets).toContain(secret);
    }
  });

  it('waits for what it needs, and only for what there is', () => {
    for (const [, { depends_on: needs }] of services) {
      for (const [name, { condition, required }] of Object.entries(needs)) {
        const needed = compose.services[name];
        expect(needed).toBeDefined();
        expect(condition).toBe(oneShot(name) ? 'service_completed_successfully' : 'service_healthy');
        // A service of a profile may be absent.
        if ((needed?.profiles ?? []).length > 0) expect(required).toBe(false);
      }
    }
  });

  it('gives worker and API the time that they take to stop', () => {
    const grace = (name: string): number =>
      secondsOf(compose.services[name]?.stop_grace_period ?? '10s') * 1000;
    const { worker } = loadConfig({ KEEL_ENV: 'production' }, { need: ['worker'] });
    expect(grace('worker')).toBeGreaterThanOrEqual(worker.shutdownGraceMs + 20_000);
    const drainMs = Number(
      /drainMs = ([\d_]+)/
        .exec(readFileSync(path.join(root, 'api/listen.ts'), 'utf8'))?.[1]
        ?.replace('_', ''),
    );
    expect(grace('api')).toBeGreaterThan(drainMs);
  });
});

describe('what the containers are told', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'keel-compose-'));
  const secrets = path.join(folder, 'secrets');
  beforeAll(() => {
    const made = spawnSync('sh', [path.join(root, 'deploy/compose/prepare.sh'), secrets], {
      encoding: 'utf8',
    });
    expect(made.status).toBe(0);
    mkdirSync(path.join(folder, 'broker'));
    writeFileSync(path.join(folder, 'broker/tls-cert.sha256'), 'ab'.repeat(32));
  });
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  const places = {
    addresses: {},
    folders: { '/run/secrets': secrets, '/broker': path.join(folder, 'broker') },
  };
  const configOf = (name: string, env: NodeJS.ProcessEnv = {}) =>
    planOf(readCompose(file, { ...chosen, ...env }), name, places, env).env;

  it('are secrets of the script: each one made, none twice, kept when it runs again', () => {
    expect(readdirSync(secrets).sort()).toEqual([...Object.keys(compose.secrets), 'optional'].sort());
    const read = (name: string): string => readFileSync(path.join(secrets, name), 'utf8');
    const texts = Object.keys(compose.secrets).map(read);
    expect(new Set(texts).size).toBe(texts.length);
    expect(read('database-url')).toContain(read('keel-database-password').trim());
    spawnSync('sh', [path.join(root, 'deploy/compose/prepare.sh'), secrets]);
    expect(Object.keys(compose.secrets).map(read)).toEqual(texts);
  });

  it.each([
    ['worker', 'simulated'],
    ['worker', 'paper'],
    ['worker', 'live'],
  ])('is a whole configuration of the %s in %s mode', (name, mode) => {
    const account = mode === 'paper' ? 'DU1234567' : 'U1234567';
    const env = mode === 'simulated' ? {} : { KEEL_MODE: mode, IBKR_ACCOUNT: account };
    const config = loadConfig(configOf(name, env), { without: ['auth'] });
    expect(config).toMatchObject({ mode, environment: 'production', objectStore: { kind: 'minio' } });
    expect(config.broker.certSha256).toEqual(['ab'.repeat(32)]);
    expect(config.cache.redisUrl).toMatch(/^redis:\/\/:\w+@redis:6379$/);
    expect(config.risk.tradingState).toBe(mode === 'live' ? 'HALTED' : 'ACTIVE');
  });

  it('gives the worker its own paths, whatever a Keel without containers has in the same .env', () => {
    const ofTrust = {
      IBKR_BASE_URL: 'https://localhost:5000/v1/api',
      IBKR_CA_FILE: '/home/maria/keel/.keel/ibkr/gateway.pem',
      IBKR_CERT_SHA256: 'cd'.repeat(32),
    };
    const env = {
      KEEL_MODE: 'paper',
      IBKR_ACCOUNT: 'DU1234567',
      BROKER_BASE_URL: 'https://ibkr-gateway:5000/v1/api',
    };
    const { broker } = loadConfig(configOf('worker', { ...env, ...ofTrust }), { without: ['auth'] });
    expect(broker).toMatchObject({
      baseUrl: 'https://ibkr-gateway:5000/v1/api',
      caFile: path.join(folder, 'broker/tls-cert.pem'),
      certSha256: ['ab'.repeat(32)],
    });
  });

  it('needs no certificate for OAuth, as the guide sets it', () => {
    const guide = readFileSync(path.join(root, 'docs/deploy.md'), 'utf8');
    const [, text = ''] = /```ini\n(IBKR_CONNECTION=oauth\n.*?)```/s.exec(guide) ?? [];
    const shown = Object.fromEntries(
      text
        .trim()
        .split('\n')
        .map((line) => line.split(/=(.*)/s).slice(0, 2)),
    ) as Record<string, string>;
    expect(shown).toMatchObject({ IBKR_CONNECTION: 'oauth', BROKER_CA_FILE: '' });
    const optional = path.join(secrets, 'optional');
    for (const [name, file] of Object.entries(shown)) {
      if (name.startsWith('IBKR_OAUTH') && name.endsWith('_FILE'))
        writeFileSync(path.join(optional, path.basename(file)), 'x');
    }
    const moved = {
      ...places,
      folders: { '/run/secrets': secrets, '/run/optional': optional, '/broker': path.join(folder, 'none') },
    };
    const env = { ...chosen, KEEL_MODE: 'paper', IBKR_ACCOUNT: 'DU1234567', ...shown };
    const { broker } = loadConfig(planOf(readCompose(file, env), 'worker', moved, env).env, {
      without: ['auth'],
    });
    expect(broker).toMatchObject({ connection: 'oauth', caFile: '', baseUrl: 'https://api.ibkr.com/v1/api' });
    expect(broker.oauth.signatureKeyFile).toBe(path.join(optional, 'signature.pem'));
  });

  it('is a whole configuration of the API, which signs with its secret', () => {
    const { api, auth } = loadConfig(configOf('api'), { need: ['api', 'auth', 'database', 'simulator'] });
    expect(api).toMatchObject({ port: 3000, allowedHosts: ['api'] });
    expect(compose.services['api']?.environment['KEEL_API_HOST']).toBe('0.0.0.0');
    expect(auth.secret.length).toBeGreaterThanOrEqual(64);
    expect(auth.registration).toBe('closed');
  });

  it('does not give the worker what signs tokens', () => {
    expect(Object.keys(configOf('worker')).filter((name) => name.includes('AUTH'))).toEqual([]);
    expect((compose.services['worker'] as ComposeService).secrets).not.toContain('auth-secret');
  });
});

describe('.dockerignore', () => {
  it('leaves out what a Keel or a topology on this machine holds: its keys and passwords', () => {
    const patterns = readFileSync(path.join(root, '.dockerignore'), 'utf8').split('\n');
    for (const secret of ['.keel', '.keel-topology', '.env', 'secrets', 'backup', 'backups']) {
      const fits = (pattern: string): boolean =>
        pattern === secret || (pattern.endsWith('*') && secret.startsWith(pattern.slice(0, -1)));
      expect([secret, patterns.some((pattern) => pattern !== '' && fits(pattern))]).toEqual([secret, true]);
    }
  });
});

describe('Dockerfile', () => {
  const text = readFileSync(path.join(root, 'Dockerfile'), 'utf8');
  const stages = text.split(/^(?=FROM )/m).slice(1);

  it('builds on pinned images, and ends each image as a user that is not root', () => {
    for (const stage of stages) expect(stage).toMatch(/^FROM \S+:[\w.-]*\d[\w.-]* AS \w+/);
    for (const name of ['keel', 'minio']) {
      const stage = stages.find((each) => each.includes(` AS ${name}\n`)) ?? '';
      expect([...stage.matchAll(/^USER (\S+)/gm)].at(-1)?.[1]).toMatch(/^[1-9]\d*:[1-9]\d*$/);
    }
  });

  it('copies what there is, and every program that a container starts', () => {
    const copied = [...text.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, names = '']) =>
      names.split(' '),
    );
    for (const name of copied) expect(existsSync(path.join(root, name))).toBe(true);
    const programs = own.flatMap(([, { entrypoint = [], command = [], healthcheck }]) =>
      [...entrypoint, ...command, ...(healthcheck?.test ?? [])].filter((word) => /\.m?js$/.test(word)),
    );
    expect(programs.length).toBeGreaterThan(5);
    for (const program of programs) {
      const source = program.replace(/^dist\/(.+)\.js$/, '$1.ts');
      expect(existsSync(path.join(root, source))).toBe(true);
    }
  });
});
