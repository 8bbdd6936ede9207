// The stores and the workflows of a world in memory. Used by memory.ts.
import type { Strategy } from '../../contracts/wire/strategy.js';
import { runWorkflowId } from '../../contracts/wire/names.js';
import { KeelError } from '../../ports/errors.js';
import type { ApiDeps } from '../app.js';
import { conversationsOf } from './conversations.js';
import { definitionsOf } from './definitions.js';
import { intentsOf } from './intents.js';
import type { MemoryWorld } from './world.js';

const createdAt = '2014-01-02T10:00:00.000Z';
const startedAt = '2026-01-05T10:00:00.000Z';

export function storesOf(
  world: MemoryWorld,
): Pick<
  ApiDeps,
  'strategies' | 'definitions' | 'runs' | 'evidence' | 'intents' | 'conversations' | 'rulesOpinions'
> {
  const stored = <T>(value: () => T): Promise<T> => world.from('database', value);
  return {
    strategies: {
      create: ({ id, name, settings, ownerId = null }) =>
        stored(() => {
          if (world.strategies.has(id)) throw new KeelError('STRATEGY_EXISTS', `There is a strategy ${id}.`);
          const mode = 'simulated';
          const made: Strategy = { id, name, mode, active: true, version: 1, settings, createdAt, ownerId };
          world.strategies.set(id, made);
          return made;
        }),
      addVersion: (id, { after, settings }) =>
        stored(() => {
          const before = world.strategies.get(id);
          if (before?.version !== after) throw new KeelError('STRATEGY_CHANGED', `${id} was changed.`);
          const changed: Strategy = { ...before, version: after + 1, settings };
          world.strategies.set(id, changed);
          return changed;
        }),
      get: (id) => stored(() => world.strategies.get(id) ?? null),
      list: () => stored(() => [...world.strategies.values()]),
    },
    definitions: definitionsOf(world),
    runs: {
      get: (id) => stored(() => world.rows.get(id) ?? null),
      list: ({ strategyId, symbol, ownerId, limit }) =>
        stored(() =>
          [...world.rows.values()]
            .filter((row) => strategyId === undefined || row.strategyId === strategyId)
            .filter((row) => symbol === undefined || row.symbol === symbol)
            .filter((row) => ownerId === undefined || row.ownerId === ownerId)
            .slice(0, limit),
        ),
      steps: (id) => stored(() => world.steps.get(id) ?? []),
    },
    evidence: {
      bars: (id) => stored(() => world.bars.filter(({ runId }) => runId === id)),
      charts: (id) => stored(() => world.charts.filter(({ runId }) => runId === id)),
      chartByKey: (key, ownerId) =>
        stored(() => {
          const seen = (runId: string): boolean =>
            ownerId === null || world.rows.get(runId)?.ownerId === ownerId;
          return world.charts.find(({ object, runId }) => object.key === key && seen(runId)) ?? null;
        }),
      analyses: (id) => stored(() => world.analyses.get(id) ?? []),
      decision: (id) => stored(() => world.decisions.get(id) ?? null),
      risk: (id) => stored(() => world.risk.filter(({ runId }) => runId === id)),
    },
    intents: intentsOf(world),
    conversations: conversationsOf(world),
    rulesOpinions: { byRun: () => stored(() => []) },
  };
}

export function workflowsOf(world: MemoryWorld): ApiDeps['workflows'] {
  return {
    start: (input, reason) =>
      world.from('temporal', () => {
        const id = runWorkflowId(input);
        if (world.workflows.has(id)) return 'existing';
        const { runId } = input;
        world.workflows.set(id, { status: 'open', runId, startedAt, endedAt: null, reason, progress: null });
        return 'started';
      }),
    cancel: (id) =>
      world.from('temporal', () => {
        if (world.workflows.get(id)?.status !== 'open') return 'not-open';
        world.cancelled.push(id);
        return 'requested';
      }),
    progress: (id) => {
      world.progressQueries += 1;
      return Promise.resolve(world.away.temporal ? null : (world.workflows.get(id)?.progress ?? null));
    },
    describe: (id) => world.from('temporal', () => world.workflows.get(id) ?? null),
  };
}
