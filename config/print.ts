// A configuration as it may be shown: `keel config print` and the log line at start use it.
import type { Config } from './schema.js';
import { getPath, isTree } from './layers.js';
import { secretPaths } from './variables.js';

const maskedUrls = ['database.url', 'simulator.databaseUrl', 'cache.redisUrl', 'notifier.smtpUrl'];

/** A copy with every secret masked: the password in a URL, keys and tokens whole. Sections may be missing. */
export function maskedConfig<T extends Partial<Config>>(config: T): T {
  const copy = structuredClone(config);
  for (const path of secretPaths) {
    const parts = path.split('.');
    const section = getPath(copy, parts.slice(0, -1));
    const key = parts.at(-1) ?? '';
    if (!isTree(section)) continue;
    const value = section[key];
    if (typeof value !== 'string' || value === '') continue;
    section[key] = maskedUrls.includes(path) ? maskedUrl(value) : '****';
  }
  for (const profile of profilesOf(copy)) {
    if (profile.apiKey !== '') profile.apiKey = '****';
  }
  return copy;
}

const profilesOf = (config: Partial<Config>): { apiKey: string }[] =>
  Object.values(config.model?.profiles ?? {});

/** Every secret of a configuration by value, and the passwords inside its URLs: for whoever takes them out of texts. */
export function secretValues(config: Partial<Config>): readonly string[] {
  const values = secretPaths
    .map((path) => getPath(config, path.split('.')))
    .concat(profilesOf(config).map(({ apiKey }) => apiKey))
    .filter((value): value is string => typeof value === 'string' && value !== '');
  return [...values, ...values.flatMap(passwordsIn)];
}

/** The password of a URL as it stands there and as it is meant; none where the text is no URL or has none. */
export function passwordsIn(text: string): string[] {
  if (!URL.canParse(text)) return [];
  const { password } = new URL(text);
  return password === '' ? [] : [password, decoded(password)];
}

/** A raw % that begins no escape is meant as it stands. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** The URL without password and without parameters, which may hold one too; `****` when it is no URL. */
function maskedUrl(text: string): string {
  if (!URL.canParse(text)) return '****';
  const url = new URL(text);
  if (url.password !== '') url.password = '****';
  if (url.search !== '') url.search = '****';
  return url.href;
}
