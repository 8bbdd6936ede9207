// The one table from environment variables to settings. load.ts reads it; .env.example documents it.

export interface Variable {
  /** Path of the setting, dotted. */
  readonly path: string;
  /** A list of addresses keeps its colons; that of fingerprints does not. */
  readonly kind?: 'number' | 'list' | 'addresses' | 'yaml';
}

/** Environment variable → setting. */
export const variables: Readonly<Record<string, Variable>> = {
  /** Also names the file: config/<KEEL_ENV>.yaml. */
  KEEL_ENV: { path: 'environment' },
  KEEL_MODE: { path: 'mode' },
  KEEL_DATA_DIR: { path: 'dataDir' },
  KEEL_LOG_LEVEL: { path: 'log.level' },
  KEEL_METRICS_HOST: { path: 'metrics.host' },
  KEEL_API_METRICS_PORT: { path: 'metrics.apiPort', kind: 'number' },
  KEEL_WORKER_METRICS_PORT: { path: 'metrics.workerPort', kind: 'number' },
  OTEL_EXPORTER_OTLP_ENDPOINT: { path: 'tracing.otlpUrl' },
  SENTRY_DSN: { path: 'errorReports.dsn' },
  DATABASE_URL: { path: 'database.url' },
  TEMPORAL_ADDRESS: { path: 'temporal.address' },
  TEMPORAL_NAMESPACE: { path: 'temporal.namespace' },
  TEMPORAL_TLS_CA_FILE: { path: 'temporal.tlsCaFile' },
  TEMPORAL_TLS_CERT_FILE: { path: 'temporal.tlsCertFile' },
  TEMPORAL_TLS_KEY_FILE: { path: 'temporal.tlsKeyFile' },
  TEMPORAL_TLS_SERVER_NAME: { path: 'temporal.tlsServerName' },
  TEMPORAL_API_KEY: { path: 'temporal.apiKey' },
  KEEL_TEMPORAL_UI_URL: { path: 'temporal.uiUrl' },
  KEEL_OBJECT_DIR: { path: 'objectStore.directory' },
  MINIO_ENDPOINT: { path: 'objectStore.endpoint' },
  MINIO_BUCKET: { path: 'objectStore.bucket' },
  MINIO_ACCESS_KEY: { path: 'objectStore.accessKey' },
  MINIO_SECRET_KEY: { path: 'objectStore.secretKey' },
  MINIO_REGION: { path: 'objectStore.region' },
  KEEL_BROKER: { path: 'broker.kind' },
  IBKR_CONNECTION: { path: 'broker.connection' },
  IBKR_BASE_URL: { path: 'broker.baseUrl' },
  IBKR_CA_FILE: { path: 'broker.caFile' },
  IBKR_CERT_SHA256: { path: 'broker.certSha256', kind: 'list' },
  IBKR_ACCOUNT: { path: 'broker.accountId' },
  IBKR_USERNAME: { path: 'broker.username' },
  IBKR_SOCKET: { path: 'broker.socket' },
  IBKR_OAUTH_CONSUMER_KEY: { path: 'broker.oauth.consumerKey' },
  IBKR_OAUTH_ACCESS_TOKEN: { path: 'broker.oauth.accessToken' },
  IBKR_OAUTH_ACCESS_TOKEN_SECRET: { path: 'broker.oauth.accessTokenSecret' },
  IBKR_OAUTH_SIGNATURE_KEY_FILE: { path: 'broker.oauth.signatureKeyFile' },
  IBKR_OAUTH_ENCRYPTION_KEY_FILE: { path: 'broker.oauth.encryptionKeyFile' },
  IBKR_OAUTH_DH_PARAM_FILE: { path: 'broker.oauth.dhParamFile' },
  IBKR_OAUTH_REALM: { path: 'broker.oauth.realm' },
  IBKR_CONFIRM_MESSAGE_IDS: { path: 'broker.confirmMessageIds', kind: 'list' },
  IBKR_SUPPRESS_MESSAGE_IDS: { path: 'broker.suppressMessageIds', kind: 'list' },
  KEEL_PACING_FACTOR: { path: 'broker.pacingFactor', kind: 'number' },
  KEEL_SIMULATOR_HOST: { path: 'simulator.host' },
  KEEL_SIMULATOR_PORT: { path: 'simulator.port', kind: 'number' },
  KEEL_SIMULATOR_ADMIN_PORT: { path: 'simulator.adminPort', kind: 'number' },
  KEEL_SIMULATOR_API_PORT: { path: 'simulator.apiPort', kind: 'number' },
  KEEL_SIMULATOR_OAUTH_PORT: { path: 'simulator.oauthPort', kind: 'number' },
  KEEL_SIMULATOR_ADMIN_URL: { path: 'simulator.adminUrl' },
  KEEL_SIMULATOR_ADMIN_TOKEN: { path: 'simulator.adminToken' },
  KEEL_SIMULATOR_DIR: { path: 'simulator.directory' },
  KEEL_SIMULATOR_DATABASE_URL: { path: 'simulator.databaseUrl' },
  KEEL_SIMULATOR_PRICE_CHAIN: { path: 'simulator.priceChain', kind: 'list' },
  KEEL_SIMULATOR_SLIPPAGE: { path: 'simulator.slippage' },
  KEEL_SIMULATOR_SPREAD: { path: 'simulator.spread' },
  KEEL_SIMULATOR_COMMISSION_PER_SHARE: { path: 'simulator.commissionPerShare' },
  KEEL_SIMULATOR_COMMISSION_MINIMUM: { path: 'simulator.commissionMinimum' },
  KEEL_SIMULATOR_VOLUME_SHARE: { path: 'simulator.volumeShare' },
  KEEL_SIMULATOR_SETTLEMENT_SESSIONS: { path: 'simulator.settlementSessions', kind: 'number' },
  KEEL_SIMULATOR_LIMITS_FACTOR: { path: 'simulator.limitsFactor', kind: 'number' },
  KEEL_SIMULATOR_CLOCK_FACTOR: { path: 'simulator.clockFactor', kind: 'number' },
  KEEL_SIMULATOR_MIDNIGHT_RESET: { path: 'simulator.midnightReset' },
  KEEL_SIMULATOR_OAUTH: { path: 'simulator.oauth' },
  KEEL_API_HOST: { path: 'api.host' },
  KEEL_API_PORT: { path: 'api.port', kind: 'number' },
  KEEL_API_ALLOWED_HOSTS: { path: 'api.allowedHosts', kind: 'list' },
  KEEL_API_CORS_ORIGINS: { path: 'api.corsOrigins', kind: 'addresses' },
  KEEL_API_TRUSTED_PROXIES: { path: 'api.trustedProxies', kind: 'addresses' },
  KEEL_API_CALLS_PER_MINUTE: { path: 'api.callsPerMinute', kind: 'number' },
  KEEL_API_STREAMS_PER_USER: { path: 'api.streamsPerUser', kind: 'number' },
  KEEL_AUTH_SECRET: { path: 'auth.secret' },
  KEEL_AUTH_PREVIOUS_SECRET: { path: 'auth.previousSecret' },
  KEEL_AUTH_REGISTRATION: { path: 'auth.registration' },
  KEEL_OIDC_ISSUER: { path: 'oidc.issuer' },
  KEEL_OIDC_CLIENT_ID: { path: 'oidc.clientId' },
  KEEL_OIDC_CLIENT_SECRET: { path: 'oidc.clientSecret' },
  KEEL_OIDC_REDIRECT_URL: { path: 'oidc.redirectUrl' },
  KEEL_OIDC_NEW_USERS: { path: 'oidc.newUsers' },
  KEEL_STEP_DEADLINE_MS: { path: 'worker.stepDeadlineMs', kind: 'number' },
  KEEL_MONITORS: { path: 'monitors.state' },
  KEEL_RETENTION_CHART_DAYS: { path: 'retention.chartDays', kind: 'number' },
  KEEL_RETENTION_ANSWER_DAYS: { path: 'retention.answerDays', kind: 'number' },
  KEEL_RETENTION_ROW_DAYS: { path: 'retention.rowDays', kind: 'number' },
  KEEL_RETENTION_ORPHAN_HOURS: { path: 'retention.orphanHours', kind: 'number' },
  KEEL_SMTP_URL: { path: 'notifier.smtpUrl' },
  KEEL_MAIL_FROM: { path: 'notifier.from' },
  KEEL_TELEGRAM_URL: { path: 'notifier.telegramUrl' },
  KEEL_TELEGRAM_TOKEN: { path: 'notifier.telegramToken' },
  KEEL_NOTIFIER_PRIVATE_ADDRESSES: { path: 'notifier.privateAddresses' },
  REDIS_URL: { path: 'cache.redisUrl' },
  KEEL_PRICE_CHAIN: { path: 'prices.chain', kind: 'list' },
  KEEL_YAHOO_URL: { path: 'prices.yahooUrl' },
  KEEL_ALPHAVANTAGE_URL: { path: 'prices.alphaVantageUrl' },
  ALPHAVANTAGE_API_KEY: { path: 'prices.alphaVantageKey' },
  OPENAI_API_KEY: { path: 'model.apiKey' },
  OPENAI_BASE_URL: { path: 'model.baseUrl' },
  OPENAI_MODEL: { path: 'model.model' },
  OPENAI_API: { path: 'model.api' },
  KEEL_MODEL_PROFILES: { path: 'model.profiles', kind: 'yaml' },
  KEEL_MODEL_TIMEOUT_MS: { path: 'model.timeoutMs', kind: 'number' },
  KEEL_MODEL_STEP_DEADLINE_MS: { path: 'model.stepDeadlineMs', kind: 'number' },
  KEEL_MODEL_MAX_OUTPUT_TOKENS: { path: 'model.maxOutputTokens', kind: 'number' },
  KEEL_MODEL_PICTURE_MAX_BYTES: { path: 'model.pictureMaxBytes', kind: 'number' },
  KEEL_MODEL_BUDGET_RUN: { path: 'model.budget.run' },
  KEEL_MODEL_BUDGET_DAY: { path: 'model.budget.day' },
  KEEL_MODEL_BUDGET_MONTH: { path: 'model.budget.month' },
  KEEL_RISK_TRADING_STATE: { path: 'risk.tradingState' },
  KEEL_RISK_PER_TRADE: { path: 'risk.riskPerTrade' },
  KEEL_RISK_MAXIMUM_POSITION_SHARE: { path: 'risk.maximumPositionShare' },
  KEEL_RISK_MINIMUM_R_COEFFICIENT: { path: 'risk.minimumRCoefficient' },
  KEEL_RISK_PRICE_COLLAR: { path: 'risk.priceCollar' },
  KEEL_RISK_CASH_RESERVE: { path: 'risk.cashReserve' },
};

/** Read by the `keel` command alone: no setting of a process, and no typing error either. */
export const commandVariables: readonly string[] = ['KEEL_API_KEY'];

/** Read by Docker Compose alone, from the same .env: the tag of the images, and IBKR's gateway on this machine. */
export const composeVariables: readonly string[] = ['KEEL_TAG', 'IBKR_GATEWAY_DIR', 'IBKR_GATEWAY_USER'];

export const variableOf = (path: string): string | undefined =>
  Object.keys(variables).find((name) => variables[name]?.path === path);

/** Settings whose value is never shown. */
export const secretPaths: readonly string[] = [
  'errorReports.dsn',
  'temporal.apiKey',
  'database.url',
  'broker.oauth.consumerKey',
  'broker.oauth.accessToken',
  'broker.oauth.accessTokenSecret',
  'objectStore.accessKey',
  'objectStore.secretKey',
  'simulator.adminToken',
  'simulator.databaseUrl',
  'cache.redisUrl',
  'notifier.smtpUrl',
  'notifier.telegramToken',
  'prices.alphaVantageKey',
  'auth.secret',
  'auth.previousSecret',
  'oidc.clientSecret',
  'model.apiKey',
];

/** Variables whose value is never shown: those of the settings above. */
export const secretVariables: readonly string[] = secretPaths.flatMap((path) => variableOf(path) ?? []);

/**
 * Variables that may come from a file: secrets, the fingerprint that a simulator elsewhere leaves beside its certificate, and
 * what is too long for a line.
 */
export const fileVariables: readonly string[] = [
  ...secretVariables,
  'IBKR_CERT_SHA256',
  'KEEL_MODEL_PROFILES',
];
