// The version of this Keel, from package.json: beside the sources, or one folder above the build. Called by the roots.
import { existsSync, readFileSync } from 'node:fs';

export function keelVersion(): string {
  const file = ['../package.json', '../../package.json']
    .map((path) => new URL(path, import.meta.url))
    .find((url) => existsSync(url));
  const read = file === undefined ? {} : (JSON.parse(readFileSync(file, 'utf8')) as { version?: string });
  return read.version ?? 'unknown';
}
