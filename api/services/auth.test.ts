// The change of a password where a store fails in the middle; all else of it is tested against PostgreSQL.
import { afterEach, describe, expect, it } from 'vitest';
import { KeelError } from '../../ports/errors.js';
import { memoryDeps } from '../testing/memory.js';
import { serveWorld, type ServedApi } from '../testing/serve.js';
import { MemoryWorld } from '../testing/world.js';

const world = new MemoryWorld();
let api: ServedApi;
afterEach(async () => {
  world.stop.abort();
  await api.close();
});

describe('the change of a password', () => {
  it('fails before it is done where the keys can not be read, and not after', async () => {
    const { users, apiKeys } = memoryDeps(world);
    let set = 0;
    api = await serveWorld(world, {
      users: {
        ...users,
        passwordHash: () => Promise.resolve('hash'),
        setPassword: () => Promise.resolve((set += 1) > 0),
      },
      attempts: {
        begin: () => Promise.resolve('1'),
        succeeded: () => Promise.resolve(),
      },
      passwords: { hash: () => Promise.resolve('next'), verify: () => Promise.resolve(true) },
      apiKeys: {
        ...apiKeys,
        list: () =>
          Promise.reject(
            new KeelError('DATABASE_AWAY', 'PostgreSQL does not answer.', { errorClass: 'retryable' }),
          ),
      },
    });
    const change = { current: 'the password of now', next: 'a lantern by the quiet canal' };
    expect((await api.post('/api/v1/auth/password', change)).status).toBe(503);
    expect(set).toBe(0);
  });
});
