import { expect, it } from 'vitest';
import { maskedConfig, secretValues } from './print.js';
import type { Config } from './schema.js';
import { secretPaths } from './variables.js';

/** A tree in which each secret has a value of its own. */
function planted(valueOf: (path: string) => string): Partial<Config> {
  const tree: Record<string, unknown> = {};
  for (const path of secretPaths) {
    const parts = path.split('.');
    let at = tree;
    for (const part of parts.slice(0, -1)) at = (at[part] ??= {}) as Record<string, unknown>;
    at[parts.at(-1) ?? ''] = valueOf(path);
  }
  return tree;
}

it.each(secretPaths)('%s is shown masked, and known by its value', (path) => {
  const config = planted((each) => `planted-${each}`);
  expect(JSON.stringify(maskedConfig(config))).not.toContain(`planted-${path}`);
  expect(secretValues(config)).toContain(`planted-${path}`);
});

it('changes nothing of what it is given', () => {
  const config = planted(() => 'x-secret');
  const before = structuredClone(config);
  maskedConfig(config);
  expect(config).toEqual(before);
});

it('takes the password of a URL as it stands and as it is meant, also with a raw %', () => {
  const values = secretValues({
    notifier: { smtpUrl: 'smtps://u:pa%ss@mail.test' },
    database: { url: 'postgres://keel:a%2Fb@db/keel' },
  } as unknown as Partial<Config>);
  expect(values).toEqual(expect.arrayContaining(['pa%ss', 'a%2Fb', 'a/b']));
});
