// The shape of Keel's configuration: one zod schema, read once by each composition root (config/load.ts).
// Every safety limit is required here; the committed defaults set them, and unsetting one stops the start.
import { z } from 'zod';
import { modelSchema } from './model.js';
import { brokerAddress, decimal, milliseconds, port, share } from './parts.js';
import { simulatorSchema } from './simulator.js';

const wholeSeconds = z.number().int().multipleOf(1000).min(1000);
const days = z.number().int().min(0).max(36_500);

const messageId = z.string().regex(/^[a-z]\d{1,6}$/, 'a kind of question, such as "o354"');
/** Price, size and value limits that IBKR keeps by asking. */
const brokerLimits: readonly string[] = ['o163', 'o383', 'o451'];

export const configSchema = z.strictObject({
  /** Fixed when the process starts. */
  mode: z.enum(['simulated', 'paper', 'live']),
  environment: z.enum(['development', 'production', 'testing']),
  /** Directory for everything that the embedded parts keep. */
  dataDir: z.string().min(1),
  log: z.strictObject({ level: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'silent']) }),
  /** Prometheus metrics, each process on a port of its own; 0 serves none. */
  metrics: z.strictObject({ host: z.string().min(1), apiPort: port, workerPort: port }),
  /** Base address of an OTLP/HTTP collector; empty switches traces off. */
  tracing: z.strictObject({
    otlpUrl: z
      .string()
      .refine(
        (text) => text === '' || (/^https?:\/\//.test(text) && URL.canParse(text)),
        'http(s)://host:port, or empty',
      ),
  }),
  /** DSN of a Sentry-compatible error tracker; empty switches reports off. */
  errorReports: z.strictObject({
    dsn: z
      .string()
      .regex(
        /^(https?:\/\/[^@\s/]+@[^@\s/]+(\/\S*)?\/\d+)?$/,
        'https://<key>@<host>/<project number>, or empty',
      ),
  }),
  database: z.strictObject({
    /** postgres://…; holds a password, so it is masked wherever config is printed. */
    url: z.string().min(1),
    poolSize: z.number().int().min(1).max(100),
    connectTimeoutMs: milliseconds,
    statementTimeoutMs: milliseconds,
    lockTimeoutMs: milliseconds,
  }),
  temporal: z.strictObject({
    address: z.string().min(1),
    namespace: z.string().min(1),
    /** PEM files; TLS is on as soon as one of these or the API key is given. */
    tlsCaFile: z.string(),
    tlsCertFile: z.string(),
    tlsKeyFile: z.string(),
    /** Name in the server's certificate, where the address has another. */
    tlsServerName: z.string(),
    apiKey: z.string(),
    /** Base of the Web UI's links; empty where there is none. */
    uiUrl: z.string(),
    connectTimeoutMs: milliseconds,
  }),
  objectStore: z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('filesystem'), directory: z.string().min(1) }),
    z.strictObject({
      kind: z.literal('minio'),
      endpoint: z.string().min(1),
      bucket: z.string().min(3),
      accessKey: z.string().min(1),
      secretKey: z.string().min(1),
      region: z.string().min(1),
    }),
  ]),
  broker: z.strictObject({
    kind: z.enum(['simulator', 'ibkr']),
    /** gateway: a person logs in to it. oauth: Keel logs in at IBKR itself, with the keys of `oauth`. */
    connection: z.enum(['gateway', 'oauth']),
    /** https base of the Client Portal API: https://localhost:5000/v1/api, or https://api.ibkr.com/v1/api with oauth. */
    baseUrl: brokerAddress,
    /** PEM file of the gateway's certificate, used as the only trusted `ca`. Empty with oauth: the machine's authorities. */
    caFile: z.string().default(''),
    /** SHA-256 fingerprints of that certificate, hex, with or without colons; two during a rotation. */
    certSha256: z
      .array(z.string().regex(/^([0-9a-f]{2}:?){32}$/i, '64 hex digits, with or without colons'))
      .max(2, 'one fingerprint, or two while the certificate changes')
      .default([]),
    /** A consumer of IBKR's OAuth 1.0a, as the self-service portal makes it. */
    oauth: z.strictObject({
      consumerKey: z.string().regex(/^[A-Za-z0-9]*$/, 'letters and digits'),
      accessToken: z.string().regex(/^[A-Za-z0-9]*$/, 'letters and digits'),
      /** As the portal shows it: encrypted for the encryption key. */
      accessTokenSecret: z.string().regex(/^[A-Za-z0-9+/=]*$/, 'base64, as the portal shows it'),
      /** PEM files. */
      signatureKeyFile: z.string(),
      encryptionKeyFile: z.string(),
      dhParamFile: z.string(),
      realm: z.enum(['limited_poa', 'test_realm']),
    }),
    accountId: z.string().min(1),
    /** User name of the gateway's login; empty: the account's own. Keel never needs its password. */
    username: z.string().max(100),
    /** Kinds of questions about an order (such as o163) that Keel answers with yes; every other one with no. */
    confirmMessageIds: z.array(messageId).max(51),
    /** Kinds of questions that IBKR is asked not to ask in this session; its own limits cannot be among them. */
    suppressMessageIds: z
      .array(
        messageId.refine((id) => !brokerLimits.includes(id), 'is a limit of IBKR itself, a free safety net'),
      )
      .max(51),
    timeoutMs: milliseconds,
    /** Whether the broker's WebSocket is listened to, for hints when to look. */
    socket: z.enum(['on', 'off']),
    /** Whether Keel may push another login of the same user name (TWS, a phone) out of its session. */
    compete: z.boolean(),
    /** How long a run of paper or live waits for a login that is away, a person's included, before it fails. */
    sessionWaitMs: milliseconds,
    /** How much faster than IBKR's limits the gateway may be used; 1 for the real one, stated at start. */
    pacingFactor: z.number().positive(),
    /** A broker snapshot older than this (wall clock) is stale. */
    snapshotMaxAgeMs: milliseconds,
    /** Poll interval while an order is open, and while none is. */
    pollMs: milliseconds,
    idlePollMs: milliseconds,
  }),
  simulator: simulatorSchema,
  api: z.strictObject({
    host: z.string().min(1),
    port,
    bodyLimitKb: z.number().int().positive(),
    /** Names besides those of this machine under which the API may be asked; needed to listen beyond it. */
    allowedHosts: z.array(z.string().regex(/^[a-z0-9.-]+$/, 'a host name in lower case, without port')),
    /** Origins of pages, such as a dashboard that another server serves, which may read and act with a user's token. */
    corsOrigins: z.array(
      z
        .string()
        .regex(
          /^https?:\/\/([a-z0-9.-]+|\[[0-9a-f:]+\])(:\d{1,5})?$/,
          'an origin in lower case, such as https://dashboard.example.com, without a path',
        )
        // Browsers leave a scheme's own port out, so that one with it would never match.
        .refine(
          (text) => !URL.canParse(text) || new URL(text).origin === text,
          'an origin without its default port',
        ),
    ),
    /** Addresses or networks of proxies before the API, whose X-Forwarded-For is believed; nobody else's is. */
    trustedProxies: z.array(
      z.union([z.ipv4(), z.ipv6(), z.cidrv4(), z.cidrv6()], 'an address or a network, such as 10.0.0.0/24'),
    ),
    /** Of one user, for each API process. */
    callsPerMinute: z.number().int().positive(),
    streamsPerUser: z.number().int().positive(),
  }),
  auth: z.strictObject({
    /** Signs access tokens; every API on one database has the same. Whoever has it can be any user. */
    secret: z.string().min(32),
    /** The one before, while it is being changed: still checked, never signed with. Empty where there is none. */
    previousSecret: z.union([z.literal(''), z.string().min(32)]),
    /** Whether anybody who reaches the API may make himself a user, as a viewer. */
    registration: z.enum(['open', 'closed']),
  }),
  /** An identity provider; an empty issuer switches it off. */
  oidc: z.strictObject({
    issuer: z.string(),
    clientId: z.string(),
    /** Empty for a public client. */
    clientSecret: z.string(),
    /** https://<this API>/api/v1/auth/oidc/callback, as it is registered at the provider. */
    redirectUrl: z.string(),
    /** What becomes of a person whom nobody has linked to a user. */
    newUsers: z.enum(['deny', 'viewer']),
    timeoutMs: milliseconds,
  }),
  worker: z.strictObject({
    shutdownGraceMs: milliseconds,
    maxCachedWorkflows: z.number().int().positive(),
    maxConcurrentActivities: z.number().int().positive(),
    /** Payloads above this many bytes are refused before they reach the history. */
    payloadCapBytes: z.number().int().positive(),
    /** A step that cannot read what it needs gives up after this long, and the run ends with the reason. */
    stepDeadlineMs: milliseconds.default(120_000),
  }),
  cache: z.strictObject({
    /** redis://…; holds a password at times, so it is masked. Empty for the memory of each process. */
    redisUrl: z.string().regex(/^(rediss?:\/\/.+)?$/, 'redis://host:port, rediss:// with TLS, or empty'),
  }),
  prices: z.strictObject({
    /** Who is asked for the price of a symbol, in this order. */
    chain: z.array(z.enum(['yahoo', 'alphavantage', 'broker', 'replay'])).min(1),
    /** ISO 4217: a price in another currency is refused, never converted. */
    currency: z.string().regex(/^[A-Z]{3}$/, 'three capital letters, such as USD'),
    timeoutMs: milliseconds,
    /** A price is given from the cache for so long, and kept as the last known one for so long. */
    freshMs: milliseconds,
    keepMs: milliseconds,
    /** How often Yahoo is asked within a minute, and Alpha Vantage within a minute and 24 hours, by one process. */
    perMinute: z.number().int().min(1).max(6000),
    alphaVantagePerMinute: z.number().int().min(1).max(6000),
    alphaVantagePerDay: z.number().int().min(1).max(1_000_000),
    yahooUrl: z.url({ protocol: /^https?$/ }),
    alphaVantageUrl: z.url({ protocol: /^https?$/ }),
    /** Empty leaves Alpha Vantage out of the chain. */
    alphaVantageKey: z.string(),
  }),
  monitors: z.strictObject({
    /** off takes the schedules away. */
    state: z.enum(['on', 'off']),
    /** Between two looks of each; Temporal counts in whole seconds. */
    everyMs: z.strictObject({
      prices: wholeSeconds,
      portfolioSync: wholeSeconds,
      reconciliation: wholeSeconds,
      kpis: wholeSeconds,
      health: wholeSeconds,
    }),
    /** Looks that were missed while Temporal was away are made up when they are not older than this. */
    catchUpMs: z.number().int().min(10_000),
    /** A part that was told of is told as well again when no look has missed it for so long. */
    wellAfterMs: z.number().int().min(0).max(86_400_000),
  }),
  /** What is deleted by itself, and when; 0 keeps for ever. */
  retention: z.strictObject({
    everyMs: wholeSeconds,
    chartDays: days,
    answerDays: days,
    rowDays: days,
    /** Objects that no row names; only for a bucket that this Keel has for itself. */
    orphanHours: z.number().int().min(0).max(87_600),
  }),
  notifier: z.strictObject({
    /** smtp://user:password@host:port, smtps:// with TLS from the start, or empty for no e-mail. */
    smtpUrl: z
      .string()
      .refine(
        (text) => text === '' || (/^smtps?:\/\/./.test(text) && URL.canParse(text)),
        'smtp://…, smtps://…, or empty; signs such as / # ? @ of a password are written as %2F %23 %3F %40',
      ),
    from: z.string().min(3),
    telegramUrl: z.url({ protocol: /^https?$/ }),
    /** Of the bot; empty for no Telegram. */
    telegramToken: z.string(),
    /** allowed: webhooks may reach this machine and private networks, over http too. */
    privateAddresses: z.enum(['refused', 'allowed']),
    /** For one attempt. */
    timeoutMs: milliseconds,
    /** Between two looks into the outbox. */
    lookMs: milliseconds,
    /** What a dead worker had taken is taken again after this; longer than an attempt. */
    leaseMs: milliseconds,
  }),
  model: modelSchema,
  risk: z.strictObject({
    /** ACTIVE, REDUCING or HALTED at start; live always boots HALTED. */
    tradingState: z.enum(['ACTIVE', 'REDUCING', 'HALTED']),
    riskPerTrade: share,
    maximumPositionShare: share,
    minimumRCoefficient: decimal,
    priceCollar: share,
    cashReserve: share,
  }),
});

export type Config = z.infer<typeof configSchema>;
