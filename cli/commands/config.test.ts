import { expect, it } from 'vitest';
import { configCommand } from './config.js';

const services = {
  DATABASE_URL: 'postgres://127.0.0.1:5432/keel',
  TEMPORAL_ADDRESS: '127.0.0.1:7233',
  IBKR_BASE_URL: 'https://127.0.0.1:5000/v1/api',
  IBKR_CERT_SHA256: 'a'.repeat(64),
  KEEL_SIMULATOR_ADMIN_URL: 'http://127.0.0.1:5001',
  KEEL_SIMULATOR_ADMIN_TOKEN: 'a-token-of-sixteen',
  KEEL_AUTH_SECRET: 'a secret of thirty-two characters or more',
};

it('check looks at the files that a worker would read, and print shows what it has without them', () => {
  const env = { ...services, IBKR_CA_FILE: '/nowhere/gateway.pem' };
  const lines: string[] = [];
  const say = (line: string): void => {
    lines.push(line);
  };
  expect(() => configCommand(['check'], say, env)).toThrow(
    '"/nowhere/gateway.pem" (IBKR_CA_FILE): can not be read (ENOENT): correct IBKR_CA_FILE',
  );
  expect(lines).toEqual([]);
  expect(configCommand(['print'], say, env)).toBe(0);
  expect(lines.join('\n')).toContain('caFile: /nowhere/gateway.pem');
});
