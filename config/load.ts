// Reads the configuration once, for each composition root: defaults, the file of KEEL_ENV, environment variables,
// overrides. The only reader of process.env outside cli/ and tests.
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { z } from 'zod';
import type { Layer, Tree } from './layers.js';
import {
  closest,
  configDirectory,
  environmentLayer,
  getPath,
  isTree,
  merge,
  readFileLayers,
  unknownVariables,
} from './layers.js';
import type { Problem } from './problems.js';
import { ConfigError, told } from './problems.js';
import { fileProblems, settingsOfFiles } from './namedFiles.js';
import { withModelKeys } from './modelKeys.js';
import { crossProblems } from './rules.js';
import type { Config } from './schema.js';
import { configSchema } from './schema.js';
import { withSecretFiles } from './secretFiles.js';
import { secretPaths, variableOf } from './variables.js';

type Common = 'mode' | 'environment' | 'dataDir';
export type ConfigSection = Exclude<keyof Config, Common>;

type Partly<T> = T extends readonly unknown[] ? T : T extends object ? { [K in keyof T]?: Partly<T[K]> } : T;

export interface LoadOptions<S extends ConfigSection, N extends ConfigSection = never> {
  /** Sections that this process uses; the others are neither checked nor given. All when absent. */
  readonly need?: readonly S[];
  /** Sections that this process must not have; it takes all others. */
  readonly without?: readonly N[];
  /** Laid over everything else. */
  readonly overrides?: Partly<Config>;
  /** Sections whose files this process is about to read: each has to be there. */
  readonly files?: readonly ConfigSection[];
  /** What else is wrong in a mode, told with the rest. */
  readonly found?: (mode: unknown) => readonly Problem[];
  /** Folder of the YAML files, for tests. */
  readonly directory?: string;
}

/**
 * Reads, checks and freezes the configuration.
 * @returns the common settings and the needed sections; all paths absolute
 * @throws ConfigError with every problem at once, each with the value given (masked when secret) and its fix
 */
export function loadConfig<S extends ConfigSection = ConfigSection, N extends ConfigSection = never>(
  given: NodeJS.ProcessEnv = process.env,
  options: LoadOptions<S, N> = {},
): Pick<Config, Common | Exclude<S, N>> {
  const { env, problems: ofFiles } = withSecretFiles(given);
  const problems: Problem[] = [...unknownVariables(env), ...environmentProblems(env), ...ofFiles];
  const isRead = (section: string): boolean => (options.files ?? []).some((read) => read === section);
  const layers = readLayers(env, options, problems);
  const needs = (section: string): boolean =>
    (options.need === undefined || (options.need as readonly string[]).includes(section)) &&
    !(options.without ?? []).some((without) => without === section);
  const merged = withAbsolutePaths(layers.reduce<Tree>((under, { values }) => merge(under, values), {}));
  const tree = needs('model') ? withModelKeys(merged, env, problems) : merged;
  problems.push(...(options.found?.(tree['mode']) ?? []), ...unknownSections(tree));
  const schema = configSchema.pick(neededKeys(needs));
  const wanted = Object.fromEntries(Object.entries(tree).filter(([key]) => key in schema.shape));
  const result = schema.safeParse(wanted);
  // What a mode brings is missing with the mode: only the mode itself is wrong then.
  const knowsMode = configSchema.shape.mode.safeParse(tree['mode']).success;
  const issues = (result.error?.issues ?? []).filter(
    ({ path }) => knowsMode || getPath(tree, path.map(String)) !== undefined,
  );
  for (const issue of issues) problems.push(...issueProblems(issue, tree, layers));
  if (knowsMode) problems.push(...crossProblems(tree, needs));
  problems.push(...fileProblems(tree, (section) => needs(section) && isRead(section)));
  if (!result.success || problems.length > 0) throw new ConfigError(problems);
  return deepFreeze(result.data as unknown as Pick<Config, Common | Exclude<S, N>>);
}

function neededKeys(
  needs: (section: string) => boolean,
): Record<Common, true> & Partial<Record<ConfigSection, true>> {
  const keys = Object.keys(configSchema.shape).filter(
    (key) => ['mode', 'environment', 'dataDir'].includes(key) || needs(key),
  );
  return Object.fromEntries(keys.map((key) => [key, true])) as Record<Common, true>;
}

function readLayers<S extends ConfigSection>(
  env: NodeJS.ProcessEnv,
  { overrides = {}, directory = configDirectory() }: Pick<LoadOptions<S>, 'overrides' | 'directory'>,
  problems: Problem[],
): Layer[] {
  const environment = env['KEEL_ENV'] || 'development';
  const names = ['default.yaml'];
  if (/^[a-z]+$/.test(environment) && existsSync(join(directory, `${environment}.yaml`))) {
    names.push(`${environment}.yaml`);
  }
  const files = names.map((name) => readFileLayers(directory, name, problems));
  const fromEnvironment = environmentLayer(env);
  const last: Layer = { values: overrides, where: () => 'option' };
  const named: Layer = { values: { environment }, where: () => 'KEEL_ENV' };
  const mode = [...files.map(({ base }) => base), fromEnvironment, last].reduce<unknown>(
    (found, { values }) => values['mode'] ?? found,
    undefined,
  );
  const modeLayer = (byMode: (mode: string) => Layer): Layer => byMode(String(mode));
  return [...files.flatMap(({ base, byMode }) => [base, modeLayer(byMode)]), named, fromEnvironment, last];
}

function environmentProblems(env: NodeJS.ProcessEnv): Problem[] {
  const problem = (path: string, text: string, fix: string): Problem => ({
    path,
    given: null,
    from: null,
    problem: text,
    fix,
  });
  const result: Problem[] = [];
  if (env['NODE_TLS_REJECT_UNAUTHORIZED'] === '0') {
    const text = 'is 0, which would accept any certificate in place of the broker';
    result.push(
      problem('NODE_TLS_REJECT_UNAUTHORIZED', text, 'unset it; the gateway is checked by IBKR_CA_FILE'),
    );
  }
  const minio = ['MINIO_BUCKET', 'MINIO_ACCESS_KEY', 'MINIO_SECRET_KEY', 'MINIO_REGION'].filter(
    (name) => env[name],
  );
  if (minio[0] !== undefined && !env['MINIO_ENDPOINT']) {
    result.push(
      problem(minio.join(', '), 'set without MINIO_ENDPOINT', 'set MINIO_ENDPOINT as well, or unset them'),
    );
  }
  if (env['MINIO_ENDPOINT'] && env['KEEL_OBJECT_DIR']) {
    const text = 'is set together with MINIO_ENDPOINT';
    result.push(problem('KEEL_OBJECT_DIR', text, 'keep the one that names your object store'));
  }
  return result;
}

const fixOfSection = (near: string | null): string =>
  near === null ? 'take it out; config/default.yaml has all that there are' : `did you mean ${near}?`;

function unknownSections(tree: Tree): Problem[] {
  const known = Object.keys(configSchema.shape);
  return Object.keys(tree)
    .filter((key) => !known.includes(key))
    .map((key) => ({
      path: key,
      given: null,
      from: null,
      problem: 'is no setting of Keel',
      fix: fixOfSection(closest(key, known)),
    }));
}

type Issue = z.core.$ZodIssue;

const unsetFixes: Readonly<Record<string, string>> = {
  'auth.secret': 'set KEEL_AUTH_SECRET to at least 32 random characters, or use npm start, which makes one',
  'database.url': 'set DATABASE_URL, or use npm start, which brings its own PostgreSQL',
  'temporal.address': 'set TEMPORAL_ADDRESS, or use npm start, which brings its own Temporal server',
};

/** Nothing brings the gateway of paper and live. */
const unsetFix = (path: string, tree: Tree): string | undefined => {
  if (path !== 'broker.baseUrl') return unsetFixes[path];
  const mode = getPath(tree, ['mode']);
  return mode === 'paper' || mode === 'live'
    ? 'set IBKR_BASE_URL to your gateway, such as https://localhost:5000/v1/api'
    : 'set IBKR_BASE_URL, or use npm start, which starts the simulator';
};

function issueProblems(issue: Issue, tree: Tree, layers: readonly Layer[]): Problem[] {
  const keys = issue.path.map(String);
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      path: [...keys, key].join('.'),
      given: null,
      from: writer([...keys, key], layers),
      problem: 'is no setting of Keel',
      fix: 'remove it, or correct its name (config/default.yaml lists all)',
    }));
  }
  const path = keys.join('.');
  const value = getPath(tree, keys);
  // Of an item of a list, the setting is the list.
  const item = issue.path.findIndex((key) => typeof key === 'number');
  const setting = item === -1 ? path : keys.slice(0, item).join('.');
  const variable = variableOf(setting);
  const where =
    variable === undefined ? `${path} in config/*.yaml` : `${variable} (or ${setting} in config/*.yaml)`;
  if (value === undefined || value === null) {
    const fix = unsetFix(path, tree) ?? `set ${where}`;
    return [{ path, given: null, from: null, problem: 'is not set', fix }];
  }
  return [
    {
      path,
      given: secretPaths.includes(setting) || setting.startsWith('model.profiles') ? '****' : told(value),
      from: writer(keys, layers),
      problem: (issue.code === 'invalid_key' && issue.issues[0]?.message) || issue.message,
      fix: `correct ${where}`,
    },
  ];
}

/** Where the value that counts was written: the last layer that has the path. */
function writer(keys: readonly string[], layers: readonly Layer[]): string | null {
  for (const layer of [...layers].reverse()) {
    for (let length = keys.length; length > 0; length -= 1) {
      const part = keys.slice(0, length);
      const value = getPath(layer.values, part);
      if (value !== undefined && (length === keys.length || !isTree(value))) return layer.where(part);
    }
  }
  return null;
}

/** dataDir and the files that settings name are relative to the working directory, the other directories to dataDir. */
function withAbsolutePaths(tree: Tree): Tree {
  const within = (base: string, ...path: readonly string[]): Tree => {
    const value = getPath(tree, path);
    if (typeof value !== 'string' || value === '') return {};
    return path.reduceRight<Tree | string>((under, key) => ({ [key]: under }), resolve(base, value)) as Tree;
  };
  if (typeof tree['dataDir'] !== 'string' || tree['dataDir'] === '') return tree;
  const dataDir = resolve(tree['dataDir']);
  return [
    { dataDir },
    within(dataDir, 'objectStore', 'directory'),
    within(dataDir, 'simulator', 'directory'),
    ...settingsOfFiles.map((path) => within('.', ...path.split('.'))),
  ].reduce(merge, tree);
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const part of Object.values(value)) deepFreeze(part);
  }
  return value;
}
