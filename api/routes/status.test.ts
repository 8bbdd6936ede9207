// Migrations over HTTP where the audit itself is what has to be migrated. The rest is tested against PostgreSQL.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { KeelError } from '../../ports/errors.js';
import { serveWorld, type ServedApi } from '../testing/serve.js';
import { MemoryWorld } from '../testing/world.js';

let world: MemoryWorld;
let api: ServedApi;
let migrated: boolean;
beforeEach(() => {
  world = new MemoryWorld();
  migrated = false;
});
afterEach(async () => {
  world.stop.abort();
  await api.close();
});

const pending = [{ name: '0105_audit.sql', sha256: 'a'.repeat(64), appliedAt: null }];

/** An audit that fails with a code until the migrations are applied. */
const serve = (code: string) =>
  serveWorld(world, {
    migrations: {
      status: () => Promise.resolve(pending),
      run: () => {
        migrated = true;
        return Promise.resolve(['0105_audit.sql']);
      },
    },
    audit: {
      append: (entry) => {
        if (!migrated) return Promise.reject(new KeelError(code, 'The audit can not be written.'));
        world.audit.push(entry);
        return Promise.resolve();
      },
      list: () => Promise.resolve({ entries: [], next: null }),
    },
  });
const run = () => api.ask('POST', '/api/v1/migrations/run', { as: 'admin' });

describe('migrations that are run over HTTP', () => {
  it('are run although the audit waits for one of them, and what was applied is written down after', async () => {
    api = await serve('DATABASE_NOT_MIGRATED');
    expect((await run()).json()).toEqual({ applied: ['0105_audit.sql'] });
    expect(world.audit).toEqual([
      {
        actor: 'user:admin',
        action: 'migrations.run',
        subject: 'database',
        facts: { applied: ['0105_audit.sql'] },
      },
    ]);
  });

  it('are not run where the audit can not be written for another reason', async () => {
    api = await serve('DATABASE_READ_ONLY');
    expect((await run()).status).toBe(503);
    expect(migrated).toBe(false);
  });
});
