// A configuration as it may be shown: `keel config print` and the log line at start use it.
import type { Config } from './schema.js';
import { getPath } from './layers.js';
import { secretPaths } from './variables.js';

const maskedUrls = ['database.url', 'cache.redisUrl', 'notifier.smtpUrl'];

/** A copy with every secret masked: the password in a URL, keys and tokens whole. Sections may be missing. */
export function maskedConfig<T extends Partial<Config>>(config: T): T {
  const copy = structuredClone(config);
  for (const path of secretPaths) {
    const [section = '', key = ''] = path.split('.');
    const value = getPath(copy, [section, key]);
    if (typeof value !== 'string' || value === '') continue;
    (copy as unknown as Record<string, Record<string, string>>)[section] = {
      ...(getPath(copy, [section]) as Record<string, string>),
      [key]: maskedUrls.includes(path) ? maskedUrl(value) : '****',
    };
  }
  return copy;
}

/** The URL without password and without parameters, which may hold one too; `****` when it is no URL. */
function maskedUrl(text: string): string {
  if (!URL.canParse(text)) return '****';
  const url = new URL(text);
  if (url.password !== '') url.password = '****';
  if (url.search !== '') url.search = '****';
  return url.href;
}
