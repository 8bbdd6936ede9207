import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { readSettings } from './settings.js';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'keel-settings-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

it.each(['KEEL_AUTH_SECRET_FILE', 'DATABASE_URL_FILE'])(
  'puts nothing of its own in the place of a secret that %s does not give',
  async (name) => {
    await expect(readSettings({ [name]: join(folder, 'nowhere') }, folder)).rejects.toThrow(
      new RegExp(`one problem:\\n.*${name} names a file that can not be read`),
    );
    expect(readdirSync(folder)).toEqual([]);
  },
);
