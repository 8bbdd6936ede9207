// Workflow definitions in memory: the standard one, and what a test stores. Used by tests only.
import type { DefinitionVersion, StoredDefinition } from '../../contracts/wire/definition.js';
import type { WorkflowDefinition } from '../../domain/definition/definition.js';
import { definitionSteps, mandatoryGates } from '../../domain/definition/definition.js';
import type { DefinitionStore } from '../../ports/definitions.js';
import { KeelError } from '../../ports/errors.js';

const createdAt = '2014-01-01T00:00:00.000Z';

const standardContents: WorkflowDefinition = {
  steps: definitionSteps,
  timeframes: ['daily', 'weekly'],
  analyst: 'auto',
  gates: mandatoryGates,
  limits: {},
};

/** Versions by definition, oldest first. */
type MemoryDefinitions = Map<
  string,
  { readonly name: string; readonly ownerId: string | null; readonly versions: DefinitionVersion[] }
>;

export const standardDefinitions = (): MemoryDefinitions =>
  new Map([
    [
      'standard',
      {
        name: 'Standard',
        ownerId: null,
        versions: [{ id: 'standard', version: 1, ...standardContents, createdBy: 'keel', createdAt }],
      },
    ],
  ]);

interface Held {
  readonly definitions: MemoryDefinitions;
  readonly strategies: ReadonlyMap<string, { readonly settings: { readonly workflowId: string } }>;
  from<T>(server: 'database', value: () => T): Promise<T>;
}

export function definitionsOf(world: Held): DefinitionStore {
  const stored = <T>(value: () => T): Promise<T> => world.from('database', value);
  const read = (id: string): StoredDefinition | null => {
    const held = world.definitions.get(id);
    const current = held?.versions.at(-1);
    if (held === undefined || current === undefined) return null;
    return { id, name: held.name, ownerId: held.ownerId, current };
  };
  const add = (id: string, contents: WorkflowDefinition, createdBy: string): DefinitionVersion => {
    const versions = world.definitions.get(id)?.versions;
    if (versions === undefined) throw new KeelError('WORKFLOW_NOT_FOUND', `There is no ${id}.`);
    const made = { id, version: versions.length + 1, ...contents, createdBy, createdAt };
    versions.push(made);
    return made;
  };
  return {
    create: ({ id, name, ownerId }, contents, actor) =>
      stored(() => {
        if (world.definitions.has(id)) throw new KeelError('WORKFLOW_EXISTS', `There is ${id} already.`);
        world.definitions.set(id, { name, ownerId, versions: [] });
        return { id, name, ownerId, current: add(id, contents, actor) };
      }),
    addVersion: (id, contents, actor) => stored(() => add(id, contents, actor)),
    remove: (id) =>
      stored(() => {
        const used = [...world.strategies.values()].some(({ settings }) => settings.workflowId === id);
        if (used) throw new KeelError('WORKFLOW_IN_USE', `Strategies name ${id}.`);
        world.definitions.delete(id);
      }),
    get: (id) => stored(() => read(id)),
    list: () => stored(() => [...world.definitions.keys()].flatMap((id) => read(id) ?? [])),
    version: (id, version) =>
      stored(() => world.definitions.get(id)?.versions.find((each) => each.version === version) ?? null),
    versions: (id) => stored(() => world.definitions.get(id)?.versions ?? []),
  };
}
