// What models have cost, over HTTP. The sums themselves are tested against PostgreSQL (tests/db.test.ts).
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { problem } from '../contracts/http/problem.js';
import { spendingList } from '../contracts/http/model.js';
import { memoryUsers } from './testing/memoryAccess.js';
import { serveWorld, type ServedApi } from './testing/serve.js';
import { MemoryWorld } from './testing/world.js';

let api: ServedApi;
beforeEach(async () => {
  api = await serveWorld(new MemoryWorld());
});
afterEach(() => api.close());

const read = async (query = '', as = 'trader') => {
  const answer = await api.ask('GET', `/api/v1/spending${query}`, { as });
  expect(answer.status).toBe(200);
  return spendingList.parse(answer.json());
};

describe('spending', () => {
  it('comes with the caps and what is left of them', async () => {
    expect(await read('?by=month')).toMatchObject({
      runCapUsd: '0.25',
      day: { capUsd: '5', usd: '0', leftUsd: '5' },
      month: { capUsd: '50', usd: '1.5', leftUsd: '48.5' },
    });
  });

  it('tells what a run has left of its cap, and never less than nothing', async () => {
    const { spending } = await read('?by=run');
    expect(spending).toMatchObject([{ key: 'r', usd: '0.3', leftUsd: '0' }]);
  });

  it('tells what today and this month have left, and nothing of a strategy, which has no cap', async () => {
    const leftOf = async (query: string) => (await read(query)).spending.map(({ leftUsd }) => leftUsd);
    expect(await leftOf('')).toEqual(['5']);
    expect(await leftOf('?by=month')).toEqual(['48.5']);
    expect(await leftOf('?by=strategy')).toEqual([null]);
  });

  it("holds one's own strategies; an admin's holds all", async () => {
    expect((await read('?by=strategy')).spending[0]?.strategyId).toBe(memoryUsers.trader.id);
    expect((await read('?by=strategy', 'viewer')).spending[0]?.strategyId).toBe(memoryUsers.viewer.id);
    expect((await read('?by=strategy', 'admin')).spending[0]?.strategyId).toBeNull();
  });

  it.each(['?by=week', '?since=yesterday', '?limit=0', '?limit=501', '?of=me'])(
    'refuses %s',
    async (query) => {
      const answer = await api.ask('GET', `/api/v1/spending${query}`);
      expect(answer.status).toBe(422);
      expect(problem.parse(answer.json()).code).toBe('INVALID_INPUT');
    },
  );

  it('is told to nobody without a token', async () => {
    expect((await api.ask('GET', '/api/v1/spending', { as: null })).status).toBe(401);
  });
});
