import { describe, expect, test } from 'vitest';
import { checkNode, isInstalled } from './dependencies.mjs';

describe('checkNode', () => {
  test.each(['20.19.0', '20.20.2', '22.0.0', '24.99.1'])('Node %s runs Keel', (version) => {
    expect(() => {
      checkNode(version);
    }).not.toThrow();
  });

  test.each(['18.20.0', '20.18.9', '25.0.0'])(
    'Node %s is refused, and what to install is said',
    (version) => {
      expect(() => {
        checkNode(version);
      }).toThrow(new RegExp(`${version} can not run Keel.*Install`));
    },
  );
});

describe('isInstalled', () => {
  const lock = (packages: Record<string, object>): string => JSON.stringify({ packages });
  const wanted = {
    '': { name: 'keel' },
    'node_modules/a': { version: '1.0.0', integrity: 'sha512-a' },
    'node_modules/for-another-platform': { version: '1.0.0', integrity: 'sha512-b', optional: true },
    'adapters/local': { version: '0.0.1' },
  };

  test('what the lock wants is there; packages of other platforms may be absent', () => {
    const record = { 'node_modules/a': { version: '1.0.0', integrity: 'sha512-a' } };
    expect(isInstalled(lock(wanted), lock(record))).toBe(true);
  });

  test.each([
    ['a missing package', {}],
    ['another version', { 'node_modules/a': { version: '1.0.1', integrity: 'sha512-a' } }],
    ['other bytes', { 'node_modules/a': { version: '1.0.0', integrity: 'sha512-x' } }],
  ])('%s is no match', (_what, record) => {
    expect(isInstalled(lock(wanted), lock(record))).toBe(false);
  });
});
