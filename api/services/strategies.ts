// Makes and reads strategies: fills in the platform's defaults and holds a strategy to the platform's limits.
// Called by api/routes/strategies.ts.
import type { FieldProblem } from '../../contracts/http/problem.js';
import type { NewStrategy } from '../../contracts/http/strategy.js';
import type { Mode } from '../../contracts/wire/names.js';
import type { IndicatorParameters, Strategy, StrategySettings } from '../../contracts/wire/strategy.js';
import type { Viewer } from '../../domain/access/ownership.js';
import { maySee } from '../../domain/access/ownership.js';
import { ratio } from '../../domain/money/decimal.js';
import type { RiskProfile } from '../../domain/risk/types.js';
import { KeelError } from '../../ports/errors.js';
import type { StrategyStore } from '../../ports/stores.js';
import { InvalidInputError } from './invalidInput.js';

/** What a strategy gets where the operator said nothing. */
export interface StrategyDefaults {
  readonly indicators: IndicatorParameters;
  readonly risk: RiskProfile;
  readonly slot: string;
  readonly workflowId: string;
}

export interface StrategyDeps {
  readonly mode: Mode;
  readonly strategies: Pick<StrategyStore, 'create' | 'get' | 'list'>;
  readonly strategyDefaults: StrategyDefaults;
  /** The platform's limits: no strategy may risk more. */
  readonly riskLimits: RiskProfile;
}

/** Drops keys that are absent, so that they do not hide a default. */
const given = <T extends object>(part: T | undefined): { [K in keyof T]: Exclude<T[K], undefined> } =>
  Object.fromEntries(Object.entries(part ?? {}).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>;
  };

function settingsOf(request: NewStrategy['settings'], defaults: StrategyDefaults): StrategySettings {
  return {
    symbols: request.symbols,
    timeframes: request.timeframes ?? ['daily', 'weekly'],
    indicators: { ...defaults.indicators, ...given(request.indicators) },
    analyst: request.analyst ?? 'auto',
    risk: { ...defaults.risk, ...given(request.risk) },
    slot: request.slot ?? defaults.slot,
    workflowId: request.workflowId ?? defaults.workflowId,
  };
}

const ceilings = ['riskPerTrade', 'maximumPositionShare', 'priceCollar'] as const;
const floors = ['minimumRCoefficient', 'cashReserve'] as const;
const switches = ['shortsAllowed', 'pyramiding'] as const;

/** Every way in which a profile goes beyond the platform's limits. */
function beyondLimits(risk: RiskProfile, limits: RiskProfile): FieldProblem[] {
  const problem = (field: string, message: string): FieldProblem => ({
    in: 'body',
    field: `settings.risk.${field}`,
    message,
  });
  return [
    ...ceilings
      .filter((field) => ratio(risk[field]).gt(ratio(limits[field])))
      .map((field) => problem(field, `${risk[field]} is above the platform's limit of ${limits[field]}`)),
    ...floors
      .filter((field) => ratio(risk[field]).lt(ratio(limits[field])))
      .map((field) => problem(field, `${risk[field]} is below the platform's minimum of ${limits[field]}`)),
    ...switches
      .filter((field) => risk[field] && !limits[field])
      .map((field) => problem(field, 'this platform does not allow it')),
  ];
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
 * @throws InvalidInputError when no id can be made of the name, or a limit of the platform is passed (LIMIT_EXCEEDED).
 * @throws KeelError STRATEGY_EXISTS
 */
export async function createStrategy(
  deps: StrategyDeps,
  request: NewStrategy,
  owner: { readonly id: string; readonly actor: string },
): Promise<Strategy> {
  const id = request.id ?? slug(request.name);
  if (id === '') {
    const message = 'no id can be made of this name: give one of lower-case letters, digits and dashes';
    throw new InvalidInputError([{ in: 'body', field: 'id', message }]);
  }
  const settings = settingsOf(request.settings, deps.strategyDefaults);
  const problems = beyondLimits(settings.risk, deps.riskLimits);
  if (problems.length > 0) throw new InvalidInputError(problems, 'LIMIT_EXCEEDED');
  return deps.strategies.create({ id, name: request.name, settings, ownerId: owner.id }, owner.actor);
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
