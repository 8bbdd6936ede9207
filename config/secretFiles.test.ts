import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadConfig } from './load.js';
import { maskedConfig, secretValues } from './print.js';
import { secretVariables } from './variables.js';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'keel-secrets-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

const secret = (text: string): string => {
  const file = join(folder, 'secret');
  writeFileSync(file, text, { mode: 0o600 });
  return file;
};

const need = ['database', 'simulator', 'temporal'] as const;

describe('secrets from files', () => {
  it('take the place of their variable, without the last line break', () => {
    const env = {
      DATABASE_URL_FILE: secret('postgres://keel:from-a-file@db/keel\n'),
      TEMPORAL_ADDRESS: 'temporal:7233',
    };
    const config = loadConfig(env, { need });
    expect(config.database.url).toBe('postgres://keel:from-a-file@db/keel');
    expect(secretValues(config)).toContain('from-a-file');
    expect(JSON.stringify(maskedConfig(config))).not.toContain('from-a-file');
  });

  it.each(secretVariables)('%s_FILE is known', (name) => {
    expect(() => loadConfig({ [`${name}_FILE`]: secret('something') }, { need: ['log'] })).not.toThrow(
      /is no variable of Keel/,
    );
  });

  it('that are missing, empty or doubled are named without their text', () => {
    const refused = (env: NodeJS.ProcessEnv): string => {
      try {
        loadConfig(env, { need: ['log'] });
        return '';
      } catch (error) {
        return error instanceof Error ? error.message : '';
      }
    };
    expect(refused({ DATABASE_URL_FILE: join(folder, 'nowhere') })).toMatch(
      /DATABASE_URL_FILE names a file that can not be read .*ENOENT/,
    );
    expect(refused({ DATABASE_URL_FILE: secret('\n') })).toMatch(/names an empty file/);
    const both = {
      DATABASE_URL: 'postgres://u:never-shown@db/keel',
      DATABASE_URL_FILE: secret('never-shown'),
    };
    expect(refused(both)).toMatch(/is set together with DATABASE_URL/);
    expect(refused(both)).not.toContain('never-shown');
  });

  it('that stand in no table are refused like any misspelt variable', () => {
    expect(() => loadConfig({ KEEL_API_PORT_FILE: secret('3000') }, { need: ['log'] })).toThrow(
      /KEEL_API_PORT_FILE.*is no variable/,
    );
  });
});
