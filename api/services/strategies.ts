// Makes, changes and reads strategies. Called by api/routes/strategies.ts.
import type { NewStrategy, NewStrategyVersion } from '../../contracts/http/strategy.js';
import type { Mode } from '../../contracts/wire/names.js';
import type { Strategy, StrategySettings } from '../../contracts/wire/strategy.js';
import type { Viewer } from '../../domain/access/ownership.js';
import { maySee } from '../../domain/access/ownership.js';
import type { RiskProfile } from '../../domain/risk/types.js';
import type { DefinitionStore } from '../../ports/definitions.js';
import { KeelError } from '../../ports/errors.js';
import type { StrategyStore } from '../../ports/stores.js';
import { usableVersion } from './definitions.js';
import { InvalidInputError } from './invalidInput.js';
import type { Author } from './principal.js';
import type { StrategyDefaults } from './strategySettings.js';
import { settingsOf } from './strategySettings.js';

export interface StrategyDeps {
  readonly mode: Mode;
  readonly strategies: Pick<StrategyStore, 'create' | 'addVersion' | 'get' | 'list'>;
  readonly definitions: Pick<DefinitionStore, 'get' | 'version'>;
  readonly strategyDefaults: StrategyDefaults;
  /** The platform's limits: no strategy may risk more. */
  readonly riskLimits: RiskProfile;
  readonly modelState: { readonly profiles: readonly { readonly name: string; readonly model: string }[] };
}

/** A slug of letters and digits joined by dashes; accents are dropped. Empty when the name has no such letter. */
const slug = (name: string): string =>
  name
    .normalize('NFKD')
    .replace(/[\u0300-\u036f]/g, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, 48)
    .replace(/^-+|-+$/g, '');

/**
 * Stores a new strategy in the process's mode.
 * @throws InvalidInputError when no id can be made of the name, or a limit of the platform (LIMIT_EXCEEDED) or of its
 *   workflow definition (BEYOND_WORKFLOW) is passed, or no such model profile is configured.
 * @throws KeelError STRATEGY_EXISTS, UNKNOWN_WORKFLOW
 */
export async function createStrategy(
  deps: StrategyDeps,
  request: NewStrategy,
  { viewer, actor }: Author,
): Promise<Strategy> {
  const id = request.id ?? slug(request.name);
  if (id === '') {
    const message = 'no id can be made of this name: give one of lower-case letters, digits and dashes';
    throw new InvalidInputError([{ in: 'body', field: 'id', message }]);
  }
  const settings = await settingsFor(deps, request.settings, viewer);
  return deps.strategies.create({ id, name: request.name, settings, ownerId: viewer.userId }, actor);
}

/**
 * Stores the next version of a strategy; runs that are open keep theirs. What the request leaves out stays as it was: nobody
 * loosens a limit by not naming it. The slot always stays: with another one a session could be traded twice.
 * @throws what createStrategy throws, and KeelError STRATEGY_NOT_FOUND, STRATEGY_CHANGED
 */
export async function changeStrategy(
  deps: StrategyDeps,
  id: string,
  request: NewStrategyVersion,
  { viewer, actor }: Author,
): Promise<Strategy> {
  const before = await readStrategy(deps, id, viewer);
  const { slot } = before.settings;
  if (request.settings.slot !== undefined && request.settings.slot !== slot) {
    const message = `stays ${slot}: a strategy keeps its slot, so that no session has two runs; make another strategy`;
    throw new InvalidInputError([{ in: 'body', field: 'settings.slot', message }]);
  }
  const { indicators, risk, timeframes, models } = before.settings;
  const strategyDefaults = {
    ...{ ...deps.strategyDefaults, indicators, risk, timeframes },
    ...(models !== undefined && { models }),
  };
  const kept = { ...deps, strategyDefaults };
  const settings = await settingsFor(kept, keptFrom(before.settings, request.settings), viewer);
  return deps.strategies.addVersion(id, { after: before.version, settings }, actor);
}

/** A definition that is named without its version is taken in its current one. */
function keptFrom(before: StrategySettings, asked: NewStrategyVersion['settings']): NewStrategy['settings'] {
  const { workflowId, workflowVersion } = asked;
  return {
    ...asked,
    analyst: asked.analyst ?? before.analyst,
    panel: asked.panel ?? before.panel ?? false,
    slot: before.slot,
    workflowId: workflowId ?? before.workflowId,
    workflowVersion: workflowVersion ?? (workflowId === undefined ? before.workflowVersion : undefined),
  };
}

async function settingsFor(
  deps: StrategyDeps,
  request: NewStrategy['settings'],
  viewer: Viewer,
): Promise<StrategySettings> {
  const id = request.workflowId ?? deps.strategyDefaults.workflowId;
  const definition = await usableVersion(deps, viewer, id, request.workflowVersion);
  return settingsOf(
    request,
    deps.strategyDefaults,
    deps.riskLimits,
    definition,
    deps.modelState.profiles.map(({ name }) => name),
  );
}

export const listStrategies = async (
  deps: { readonly strategies: Pick<StrategyStore, 'list'> },
  viewer: Viewer,
): Promise<readonly Strategy[]> =>
  (await deps.strategies.list()).filter(({ ownerId }) => maySee(viewer, ownerId));

/** @throws KeelError STRATEGY_NOT_FOUND, also for another user's */
export async function readStrategy(
  deps: { readonly strategies: Pick<StrategyStore, 'get'> },
  id: string,
  viewer: Viewer,
): Promise<Strategy> {
  const strategy = await deps.strategies.get(id);
  if (strategy === null || !maySee(viewer, strategy.ownerId)) throw strategyNotFound(id);
  return strategy;
}

const strategyNotFound = (id: string): KeelError =>
  new KeelError(
    'STRATEGY_NOT_FOUND',
    `There is no strategy "${id.slice(0, 60)}"; GET /api/v1/strategies lists them.`,
  );
