import { DrizzleQueryError } from 'drizzle-orm/errors';
import { describe, expect, it } from 'vitest';
import { createRedact } from '../domain/redaction/redact.js';
import { tellCause, tellsCauses } from './causes.js';

const api = { host: '127.0.0.1', allowedHosts: [], trustedProxies: [], corsOrigins: [] };
const developing = { environment: 'development', mode: 'simulated', api } as const;

describe('the cause of an error that nobody foresaw', () => {
  it('is told in development, simulated, on this machine', () => {
    expect(tellsCauses(developing)).toBe(true);
  });

  it.each([
    ['in live mode', { mode: 'live' as const }],
    ['in paper mode', { mode: 'paper' as const }],
    ['in production', { environment: 'production' }],
    ['where others reach the API', { api: { ...api, host: '0.0.0.0' } }],
    ['behind a name of its own', { api: { ...api, allowedHosts: ['keel.example.com'] } }],
    ['behind a proxy of this machine', { api: { ...api, trustedProxies: ['127.0.0.1'] } }],
    ['to pages of other origins', { api: { ...api, corsOrigins: ['https://dashboard.example.com'] } }],
  ])('is not told %s', (_where, change) => {
    expect(tellsCauses({ ...developing, ...change })).toBe(false);
  });

  it('is its kind and its words, without secrets and not without end', () => {
    const tell = tellCause(createRedact(['hunter2hunter2']));
    expect(tell(new TypeError('x of hunter2hunter2 is undefined'))).toBe(
      'In development the cause is told: TypeError: x of [redacted] is undefined',
    );
    expect(tell('a string')).toMatch(/a string$/);
    expect(tell(new Error('x'.repeat(5000))).length).toBeLessThan(1100);
  });

  it('holds no statement of SQL and none of its values, however deep it lies', () => {
    const cause = Object.assign(new Error('duplicate key maria@example.com'), { code: '23505' });
    const failed = new DrizzleQueryError('insert into keel_user', ['maria@example.com'], cause);
    const tell = tellCause(createRedact());
    for (const error of [failed, new Error(`it failed: ${failed.message}`, { cause: failed })]) {
      expect(tell(error)).toMatch(/Error of a statement of PostgreSQL, 23505$/);
    }
  });

  it('is found in a ring of causes too', () => {
    const ring = new Error('round');
    ring.cause = ring;
    expect(tellCause(createRedact())(ring)).toMatch(/Error: round$/);
  });
});
