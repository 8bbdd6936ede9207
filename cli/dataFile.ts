// A file of YAML or JSON that a person wrote, such as a workflow definition. Used by `keel workflows` and `keel strategies`.
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { StartError } from './supervisor/dataDir.js';
import { UsageError } from './supervisor/options.js';

/** The object in it, as it stands: the API says what is wrong with its fields. @throws UsageError, StartError */
export function readDataFile(file: string | undefined): Record<string, unknown> {
  if (file === undefined || file === '') throw new UsageError('--file FILE is needed, YAML or JSON');
  let value: unknown;
  try {
    value = parse(readFileSync(file, 'utf8'));
  } catch (error) {
    const reason = error instanceof Error ? error.message.split('\n', 1)[0] : String(error);
    throw new StartError(`${file} can not be read as YAML or JSON: ${reason ?? ''}`, { cause: error });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new StartError(`${file} holds no object: write fields and values, such as "id: daily-only"`);
  }
  return value as Record<string, unknown>;
}

/**
 * What a file changes of a thing that is there. The file that made it may be given again: its id has to be that of the
 * thing, and its name is left out, which stays as it was.
 * @throws UsageError, StartError
 */
export function readChange(file: string | undefined, id: string): Record<string, unknown> {
  const { id: named = id, ...contents } = readDataFile(file);
  if (named !== id) throw new UsageError(`${file ?? ''} is of ${JSON.stringify(named)}, not of ${id}`);
  return Object.fromEntries(Object.entries(contents).filter(([field]) => field !== 'name'));
}
