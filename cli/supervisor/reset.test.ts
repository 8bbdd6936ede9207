// What `--reset` deletes, and what it leaves alone with a word.
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { resetData } from './reset.js';
import type { Cleared } from './reset.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'keel-reset-'));
  for (const name of ['objects', 'simulator', 'mine']) mkdirSync(join(folder, name));
  writeFileSync(join(folder, 'simulator', 'ledger.jsonl'), '{}\n');
  writeFileSync(join(folder, 'mine', 'notes'), 'kept');
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

interface Change {
  readonly databaseUrl?: string;
  readonly directory?: string;
  readonly given?: Partial<Cleared['given']>;
}
const reset = ({ databaseUrl = '', directory, given }: Change = {}): void => {
  resetData(folder, {
    config: {
      objectStore: { kind: 'filesystem', directory: join(folder, 'objects') },
      simulator: { directory: directory ?? join(folder, 'simulator'), databaseUrl },
    },
    given: { database: false, temporal: false, minio: false, ...given },
  });
};
const ledger = (): boolean => existsSync(join(folder, 'simulator', 'ledger.jsonl'));

describe('--reset', () => {
  it('deletes what Keel keeps there and nothing else', () => {
    reset();
    expect([ledger(), existsSync(join(folder, 'objects'))]).toEqual([false, false]);
    expect(existsSync(join(folder, 'mine', 'notes'))).toBe(true);
  });

  it.each<[string, Change]>([
    ['KEEL_SIMULATOR_DATABASE_URL', { databaseUrl: 'postgres://keel:a-password@localhost/simulator' }],
    ['KEEL_SIMULATOR_DIR', { directory: join(tmpdir(), 'elsewhere') }],
    ['DATABASE_URL', { given: { database: true } }],
    ['TEMPORAL_ADDRESS', { given: { temporal: true } }],
    ['MINIO_ENDPOINT', { given: { minio: true } }],
  ])('deletes nothing where %s names another place, and says so without a password', (name, change) => {
    expect(() => {
      reset(change);
    }).toThrow(new RegExp(`and ${name} says that a part is elsewhere`));
    expect(() => {
      reset(change);
    }).not.toThrow(/a-password/);
    expect(ledger()).toBe(true);
  });
});
