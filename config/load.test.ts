import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { configDirectory } from './layers.js';
import type { LoadOptions } from './load.js';
import { loadConfig } from './load.js';
import { ConfigError } from './problems.js';
import { maskedConfig } from './print.js';
import { commandVariables, composeVariables, variables } from './variables.js';

const services = {
  DATABASE_URL: 'postgres://keel:hunter2@127.0.0.1:5432/keel',
  TEMPORAL_ADDRESS: '127.0.0.1:7233',
  IBKR_BASE_URL: 'https://127.0.0.1:5000/v1/api',
  IBKR_CA_FILE: '/tmp/ca.pem',
  IBKR_CERT_SHA256: 'a'.repeat(64),
  KEEL_SIMULATOR_ADMIN_URL: 'http://127.0.0.1:5001',
  KEEL_SIMULATOR_ADMIN_TOKEN: 'token-that-nobody-may-see',
  KEEL_AUTH_SECRET: 'secret-that-nobody-may-see-either',
};

const problemsOf = (env: NodeJS.ProcessEnv, options: LoadOptions<never> = {}): ConfigError => {
  try {
    loadConfig(env, options as object);
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error('the configuration was accepted');
};

describe('loadConfig', () => {
  it('gives the simulator in development, and paces it faster than a real gateway', () => {
    const config = loadConfig(services);
    expect(config.mode).toBe('simulated');
    expect(config.broker).toMatchObject({
      kind: 'simulator',
      accountId: 'DU1234567',
      pacingFactor: 50,
      pollMs: 300,
      snapshotMaxAgeMs: 15000,
    });
    expect(config.risk).toEqual({
      tradingState: 'ACTIVE',
      riskPerTrade: '0.01',
      maximumPositionShare: '0.10',
      minimumRCoefficient: '1.5',
      priceCollar: '0.05',
      cashReserve: '0.01',
    });
  });

  it.each(['paper', 'live'])('advises nobody in %s mode to get a gateway from npm start', (mode) => {
    const none = { IBKR_BASE_URL: undefined, IBKR_CA_FILE: undefined, IBKR_CERT_SHA256: undefined };
    const text = problemsOf({ ...services, ...none, KEEL_MODE: mode, KEEL_BROKER: 'ibkr' }).message;
    expect(text).toContain('set IBKR_BASE_URL to your gateway, such as https://localhost:5000/v1/api');
    expect(text).not.toContain('npm start');
  });

  it('freezes everything, all the way down', () => {
    const config = loadConfig(services);
    expect(() => {
      config.broker.certSha256.push('b');
    }).toThrow(TypeError);
    expect(() => {
      (config.risk as { riskPerTrade: string }).riskPerTrade = '1';
    }).toThrow(TypeError);
  });

  it('names every missing service and how to get it', () => {
    const error = problemsOf({});
    expect(error.problems.map(({ path }) => path)).toEqual(
      expect.arrayContaining(['database.url', 'temporal.address', 'broker.baseUrl', 'simulator.adminUrl']),
    );
    expect(error.message).toContain(
      'database.url is not set: set DATABASE_URL, or use npm start, which brings its own PostgreSQL',
    );
  });

  it('asks the simulator process for no database and no broker', () => {
    const config = loadConfig({}, { need: ['simulator', 'log'] });
    expect(Object.keys(config).sort()).toEqual(['dataDir', 'environment', 'log', 'mode', 'simulator']);
    expect(config.simulator).toMatchObject({
      cash: '100000.00',
      slippage: '0.0005',
      commissionPerShare: '0.005',
    });
  });

  it('lays variables over files and overrides over variables', () => {
    const env = { ...services, KEEL_API_PORT: '4000', KEEL_LOG_LEVEL: 'error' };
    const config = loadConfig(env, { overrides: { api: { port: 5555 } } });
    expect(config.api).toMatchObject({ host: '127.0.0.1', port: 5555, bodyLimitKb: 100, allowedHosts: [] });
    expect(config.log.level).toBe('error');
  });

  it('keeps the colons of addresses, and refuses a proxy that is none', () => {
    const read = (proxies: string) =>
      loadConfig({ ...services, KEEL_API_TRUSTED_PROXIES: proxies }).api.trustedProxies;
    expect(read('10.0.0.0/24, ::1,2001:db8::/32')).toEqual(['10.0.0.0/24', '::1', '2001:db8::/32']);
    expect(() => read('proxy.example.com')).toThrow(
      /api\.trustedProxies\.0.*an address or a network.*KEEL_API_TRUSTED_PROXIES \(or api\.trustedProxies in/,
    );
  });

  it('makes directories absolute, below the data directory', () => {
    const config = loadConfig({ ...services, KEEL_DATA_DIR: '/var/keel' });
    expect(config.objectStore).toEqual({ kind: 'filesystem', directory: '/var/keel/objects' });
    expect(config.simulator.directory).toBe('/var/keel/simulator');
  });

  it('turns the object store to MinIO when its endpoint is given', () => {
    const minio = { MINIO_ENDPOINT: 'http://127.0.0.1:9000', MINIO_ACCESS_KEY: 'a', MINIO_SECRET_KEY: 's' };
    expect(loadConfig({ ...services, ...minio }).objectStore).toEqual({
      kind: 'minio',
      endpoint: 'http://127.0.0.1:9000',
      bucket: 'keel',
      accessKey: 'a',
      secretKey: 's',
      region: 'us-east-1',
    });
    expect(problemsOf({ ...services, MINIO_BUCKET: 'keel' }).message).toContain('set MINIO_ENDPOINT as well');
  });

  it('refuses a mistyped variable and names the nearest one', () => {
    expect(problemsOf({ ...services, KEEL_RISK_PERTRADE: '0.5' }).message).toMatch(
      /KEEL_RISK_PERTRADE.*did you mean KEEL_RISK_PER_TRADE/,
    );
  });

  it('guesses no variable that is not near', () => {
    expect(problemsOf({ ...services, KEEL_FOO: '1' }).lines).toEqual([
      expect.stringMatching(/^KEEL_FOO is no variable of Keel: take it out/),
    ]);
  });

  it('refuses a mistyped variable of the broker like one of its own, and knows those of Compose and other programs', () => {
    expect(problemsOf({ ...services, IBKR_ACOUNT: 'DU1' }).lines).toEqual([
      expect.stringMatching(/^IBKR_ACOUNT is no variable of Keel: did you mean IBKR_ACCOUNT\?/),
    ]);
    const ofCompose = { IBKR_GATEWAY_DIR: '/opt/clientportal.gw', IBKR_GATEWAY_USER: '1000:1000' };
    const ofOthers = { IBKR_USERNAME: 'maria', IBKR_HOST: '127.0.0.1', IBKR_CLIENT_ID: '7' };
    const another = { IBKR_ACCOUNT: 'DU1', IBKR_ACCOUNT_2: 'DU2' };
    expect(() => loadConfig({ ...services, ...ofCompose, ...ofOthers, ...another })).not.toThrow();
  });

  it.each(['foo', 'http://localhost:5000/v1/api', 'https://localhost:5000/v1/api?a=b'])(
    'refuses %s as the address of the gateway, and names the variable',
    (url) => {
      expect(problemsOf({ ...services, IBKR_BASE_URL: url }).lines).toEqual([
        `broker.baseUrl is ${JSON.stringify(url)} (IBKR_BASE_URL): an https address without user, password and query, such as https://localhost:5000/v1/api: correct IBKR_BASE_URL (or broker.baseUrl in config/*.yaml)`,
      ]);
    },
  );

  it('does not show an address that may hold a password', () => {
    const { message } = problemsOf({ ...services, IBKR_BASE_URL: 'https://maria:hunter2@localhost/v1/api' });
    expect(message).toContain('"https://****@localhost/v1/api" (IBKR_BASE_URL)');
    expect(message).not.toContain('hunter2');
  });

  it('names the variable of a fingerprint that is none, and of too many', () => {
    const [a, b, c] = ['a', 'b', 'c'].map((digit) => digit.repeat(64));
    expect(problemsOf({ ...services, IBKR_CERT_SHA256: 'SHA-256' }).lines).toEqual([
      expect.stringMatching(/is "SHA-256" \(IBKR_CERT_SHA256\): 64 hex digits.*: correct IBKR_CERT_SHA256 /),
    ]);
    expect(problemsOf({ ...services, IBKR_CERT_SHA256: [a, b, c].join() }).message).toContain(
      'one fingerprint, or two while the certificate changes: correct IBKR_CERT_SHA256',
    );
  });

  it('says of a wrong mode that alone, and not what is missing without it', () => {
    const { lines } = problemsOf({ ...services, KEEL_MODE: 'papre', KEEL_API_PORT: '99999' });
    expect(lines).toHaveLength(2);
    expect(lines.join('\n')).toMatch(/papre/);
    expect(lines.join('\n')).toMatch(/99999/);
  });

  it('shows the value, where it was given and the fix', () => {
    const env = { ...services, KEEL_RISK_PER_TRADE: '2', KEEL_API_PORT: 'http', KEEL_PACING_FACTOR: '0' };
    const { message, problems } = problemsOf(env);
    expect(problems).toHaveLength(3);
    expect(message).toMatch(/risk\.riskPerTrade is "2" \(KEEL_RISK_PER_TRADE\): a share is .*correct/);
    expect(message).toMatch(/api\.port is "http" \(KEEL_API_PORT\)/);
  });

  it.each(['mail.test:25', 'smtp://user:a/b@mail.test:25', 'smtp://user:a#b@mail.test:25'])(
    'refuses %s as the address of a mail server, without showing it',
    (url) => {
      const { message, problems } = problemsOf({ ...services, KEEL_SMTP_URL: url });
      expect(problems.map(({ path }) => path)).toEqual(['notifier.smtpUrl']);
      expect(message).toContain('%2F');
      expect(message).not.toContain(url);
    },
  );

  it('never shows a secret', () => {
    const env = { ...services, MINIO_ENDPOINT: 'http://x', MINIO_BUCKET: 'k', MINIO_SECRET_KEY: 'zq-secret' };
    expect(problemsOf(env).message).not.toContain('zq-secret');
    const shown = JSON.stringify(maskedConfig(loadConfig(services)));
    expect(shown).not.toContain('hunter2');
    expect(shown).not.toContain('token-that-nobody-may-see');
    expect(shown).not.toContain('secret-that-nobody-may-see-either');
    expect(shown).toContain('keel:****@127.0.0.1');
  });

  it('does not start with an unset safety limit', () => {
    expect(problemsOf({ ...services, KEEL_RISK_PRICE_COLLAR: '' }).problems[0]?.path).toBe(
      'risk.priceCollar',
    );
  });

  it.each([
    ['tracing.otlpUrl', { OTEL_EXPORTER_OTLP_ENDPOINT: 'ftp://collector.test' }],
    ['errorReports.dsn', { SENTRY_DSN: 'https://hunter3.tracker.test/7' }],
    ['errorReports.dsn', { SENTRY_DSN: 'https://hunter3@tracker.test/project' }],
    ['simulator.slippage', { KEEL_SIMULATOR_SLIPPAGE: '0.5' }],
    ['simulator.commissionMinimum', { KEEL_SIMULATOR_COMMISSION_MINIMUM: '0.001' }],
  ])('names %s among the problems', (path, given) => {
    const { problems } = problemsOf({ ...services, ...given });
    expect(problems.map((problem) => problem.path)).toEqual([path]);
    expect(JSON.stringify(problems)).not.toContain('hunter3');
  });

  it('refuses an unknown environment', () => {
    expect(problemsOf({ ...services, KEEL_ENV: 'staging' }).message).toMatch(
      /environment is "staging" \(KEEL_ENV\)/,
    );
  });

  it('refuses to start without TLS checks', () => {
    expect(problemsOf({ ...services, NODE_TLS_REJECT_UNAUTHORIZED: '0' }).message).toContain(
      'NODE_TLS_REJECT_UNAUTHORIZED is 0',
    );
  });
});

describe('modes', () => {
  const paper = { ...services, KEEL_MODE: 'paper', IBKR_ACCOUNT: 'DU7654321' };

  it('uses the real limits and the real broker in paper mode', () => {
    expect(loadConfig(paper).broker).toMatchObject({ kind: 'ibkr', pacingFactor: 1, pollMs: 5000 });
  });

  it('takes no account for granted outside simulated mode', () => {
    expect(problemsOf({ ...services, KEEL_MODE: 'paper' }).message).toContain('broker.accountId is not set');
  });

  it('starts live mode HALTED and refuses anything else', () => {
    const live = { ...services, KEEL_MODE: 'live', IBKR_ACCOUNT: 'U7654321' };
    expect(loadConfig(live).risk.tradingState).toBe('HALTED');
    expect(problemsOf({ ...live, KEEL_RISK_TRADING_STATE: 'ACTIVE' }).message).toContain('starts HALTED');
  });

  it('refuses an account of the other mode', () => {
    expect(problemsOf({ ...paper, IBKR_ACCOUNT: 'U7654321' }).message).toContain('no paper account');
    expect(problemsOf({ ...paper, KEEL_MODE: 'live' }).message).toContain('paper account in live mode');
  });

  it('wants the certificate of a gateway, and the whole consumer of an OAuth login', () => {
    const bare = { ...paper, IBKR_CA_FILE: '', IBKR_CERT_SHA256: '' };
    expect(problemsOf(bare).lines).toEqual([
      expect.stringContaining('broker.caFile is not set: set IBKR_CA_FILE'),
      expect.stringContaining('broker.certSha256 is not set: set IBKR_CERT_SHA256'),
    ]);
    const oauth = { ...bare, IBKR_CONNECTION: 'oauth', IBKR_BASE_URL: 'https://api.ibkr.com/v1/api' };
    expect(problemsOf(oauth).lines.map((line) => line.replace(/ is not set.*/, ''))).toEqual([
      'broker.oauth.consumerKey',
      'broker.oauth.accessToken',
      'broker.oauth.accessTokenSecret',
      'broker.oauth.signatureKeyFile',
      'broker.oauth.encryptionKeyFile',
      'broker.oauth.dhParamFile',
    ]);
    const consumer = {
      IBKR_OAUTH_CONSUMER_KEY: 'TESTCONS',
      IBKR_OAUTH_ACCESS_TOKEN: 'a1b2c3d4',
      IBKR_OAUTH_ACCESS_TOKEN_SECRET: 'c2VjcmV0',
      IBKR_OAUTH_SIGNATURE_KEY_FILE: 'signature.pem',
      IBKR_OAUTH_ENCRYPTION_KEY_FILE: '/keys/encryption.pem',
      IBKR_OAUTH_DH_PARAM_FILE: '/keys/dhparam.pem',
    };
    const { broker } = loadConfig({ ...oauth, ...consumer });
    expect(broker).toMatchObject({ connection: 'oauth', caFile: '', certSha256: [] });
    expect(broker.oauth).toMatchObject({
      realm: 'limited_poa',
      signatureKeyFile: join(process.cwd(), 'signature.pem'),
    });
    const simulated = { ...services, IBKR_CONNECTION: 'oauth' };
    expect(loadConfig({ ...simulated, ...consumer }).broker.connection).toBe('oauth');
    const told = problemsOf({ ...simulated, IBKR_CA_FILE: '' }).lines;
    expect(told).toHaveLength(7);
    for (const line of told) expect(line).toContain('set KEEL_SIMULATOR_OAUTH=on for npm start, or set');
    // Without a pinned certificate the address alone keeps simulated orders from IBKR.
    const elsewhere = { ...simulated, ...consumer, IBKR_BASE_URL: 'https://api.ibkr.com/v1/api' };
    expect(problemsOf(elsewhere).lines).toEqual([expect.stringContaining('is not where the simulator is')]);
    // A header is made of it.
    const { message } = problemsOf({ ...oauth, ...consumer, IBKR_OAUTH_CONSUMER_KEY: 'A", realm="B' });
    expect(message).toContain('letters and digits');
    expect(message).not.toContain('realm="B');
  });

  it('refuses the simulator outside simulated mode, and a real gateway within', () => {
    expect(problemsOf({ ...paper, KEEL_BROKER: 'simulator' }).message).toContain('no broker for paper mode');
    const real = { ...services, KEEL_BROKER: 'ibkr', IBKR_BASE_URL: 'https://gateway.example/v1/api' };
    expect(problemsOf(real).message).toContain('only point at the simulator');
    expect(() => loadConfig({ ...services, KEEL_BROKER: 'ibkr' })).not.toThrow();
  });
});

describe('live prices of the simulator', () => {
  const chain = { KEEL_SIMULATOR_PRICE_CHAIN: 'yahoo,alphavantage' };

  it('are for a simulator that runs alone', () => {
    const { simulator } = loadConfig(chain, { need: ['simulator', 'prices', 'cache'] });
    expect(simulator.priceChain).toEqual(['yahoo', 'alphavantage']);
    expect(simulator.priceFreshMs).toBe(180_000);
    expect(loadConfig({}, { need: ['simulator'] }).simulator.priceChain).toEqual([]);
  });

  it('refuses live prices of the simulator for a Keel', () => {
    expect(problemsOf({ ...services, ...chain }).message).toMatch(
      /simulator\.priceChain .* leaves the simulator without the bars that Keel trades on/,
    );
  });

  it('need a source that works without a key, or the key', () => {
    const alone = { KEEL_SIMULATOR_PRICE_CHAIN: 'alphavantage' };
    const need = { need: ['simulator', 'prices', 'cache'] } as const;
    expect(() => loadConfig(alone, need)).toThrow(/works without a key.*ALPHAVANTAGE_API_KEY/);
    const { simulator } = loadConfig({ ...alone, ALPHAVANTAGE_API_KEY: 'a-key' }, need);
    expect(simulator.priceChain).toEqual(['alphavantage']);
    expect(() => loadConfig({ KEEL_SIMULATOR_PRICE_CHAIN: 'replay' }, need)).toThrow(/priceChain/);
  });
});

describe('YAML files', () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'keel-config-'));
    mkdirSync(directory, { recursive: true });
  });
  afterEach(() => {
    rmSync(directory, { recursive: true });
  });

  it('are broken with file and line', () => {
    writeFileSync(join(directory, 'default.yaml'), 'mode: simulated\nlog: {level: info\napi: 3\n');
    expect(problemsOf(services, { directory }).message).toMatch(
      /config\/default\.yaml:\d+:\d+ is no valid YAML/,
    );
  });

  it('have unknown settings and wrong values shown with their line', () => {
    writeFileSync(
      join(directory, 'default.yaml'),
      'mode: simulated\ndataDir: x\nlog:\n  levle: info\n  level: loud\n',
    );
    const { message } = problemsOf(services, { directory });
    expect(message).toMatch(/log\.level is "loud" \(config\/default\.yaml:5\)/);
    expect(message).toMatch(/log\.levle.*config\/default\.yaml:4/);
  });

  it('of all three environments are complete', () => {
    expect(configDirectory()).toMatch(/config$/);
    for (const KEEL_ENV of ['development', 'production', 'testing']) {
      expect(loadConfig({ ...services, KEEL_ENV }).environment).toBe(KEEL_ENV);
    }
  });
});

describe('.env.example', () => {
  it('may hold what Docker Compose alone reads, and npx keel starts beside it', () => {
    for (const name of composeVariables) {
      expect(loadConfig({ ...services, [name]: 'mine' }).mode).toBe('simulated');
    }
    expect(() => loadConfig({ ...services, KEEL_TAGS: 'mine' })).toThrow('KEEL_TAGS');
  });

  it('names every variable and no other', () => {
    const text = readFileSync(join(configDirectory(), '..', '.env.example'), 'utf8');
    const named = [...text.matchAll(/^#([A-Z][A-Z0-9_]+)=/gm)].map((match) => match[1] ?? '');
    expect(named.sort()).toEqual(
      [...Object.keys(variables), ...commandVariables, ...composeVariables].sort(),
    );
  });
});
