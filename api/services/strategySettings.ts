// The settings of a strategy as they are stored: the platform's defaults filled in, held to the platform's limits and to the
// workflow definition. Called by api/services/strategies.ts.
import type { FieldProblem } from '../../contracts/http/problem.js';
import type { NewStrategy } from '../../contracts/http/strategy.js';
import type { DefinitionVersion } from '../../contracts/wire/definition.js';
import type { IndicatorParameters, ModelRoles, StrategySettings } from '../../contracts/wire/strategy.js';
import { beyondDefinition, tightened } from '../../domain/definition/check.js';
import type { Timeframe } from '../../domain/market/bar.js';
import { ratio } from '../../domain/money/decimal.js';
import type { RiskProfile } from '../../domain/risk/types.js';
import { InvalidInputError } from './invalidInput.js';

/** What a strategy gets where the operator said nothing. */
export interface StrategyDefaults {
  readonly indicators: IndicatorParameters;
  readonly risk: RiskProfile;
  readonly slot: string;
  readonly workflowId: string;
  /** Of the version before; a first version takes all of its definition's. */
  readonly timeframes?: readonly Timeframe[];
  /** Of the version before. Rules ask no model, so theirs are dropped. */
  readonly models?: ModelRoles;
}

/** Drops keys that are absent, so that they do not hide a default. */
const given = <T extends object>(part: T | undefined): { [K in keyof T]: Exclude<T[K], undefined> } =>
  Object.fromEntries(Object.entries(part ?? {}).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>;
  };

/** Whatever was left out takes the default (of a next version: the version before), or the definition's word where that is narrower. */
function filledIn(
  request: NewStrategy['settings'],
  defaults: StrategyDefaults,
  definition: DefinitionVersion,
): StrategySettings {
  const { analyst: asked = 'auto' } = request;
  const { timeframes: before = definition.timeframes } = defaults;
  const analyst = asked === 'auto' ? definition.analyst : asked;
  const models = analyst === 'rules' ? undefined : (request.models ?? defaults.models);
  return {
    symbols: request.symbols,
    timeframes: request.timeframes ?? definition.timeframes.filter((timeframe) => before.includes(timeframe)),
    indicators: { ...defaults.indicators, ...given(request.indicators) },
    analyst,
    panel: request.panel ?? false,
    ...(models !== undefined && { models: given(models) }),
    risk: { ...tightened(defaults.risk, definition.limits), ...given(request.risk) },
    slot: request.slot ?? defaults.slot,
    workflowId: definition.id,
    workflowVersion: definition.version,
  };
}

/**
 * @param modelProfiles names that may read, decide or stand in
 * @throws InvalidInputError LIMIT_EXCEEDED for a limit of the platform, BEYOND_WORKFLOW for one of the definition,
 *   UNKNOWN_MODEL_PROFILE, INVALID_INPUT for models beside the rules
 */
export function settingsOf(
  request: NewStrategy['settings'],
  defaults: StrategyDefaults,
  limits: RiskProfile,
  definition: DefinitionVersion,
  modelProfiles: readonly string[],
): StrategySettings {
  const settings = filledIn(request, defaults, definition);
  const passed = beyondLimits(settings.risk, limits);
  const beyond = beyondDefinition(settings, definition).map(({ field, message }): FieldProblem => ({
    in: 'body',
    field: `settings.${field}`,
    message,
  }));
  if (passed.length > 0) throw new InvalidInputError([...passed, ...beyond], 'LIMIT_EXCEEDED');
  if (beyond.length > 0) throw new InvalidInputError(beyond, 'BEYOND_WORKFLOW');
  // Only what was sent: a profile that has gone from the settings must not stop a change of something else.
  const named = given(request.models);
  if (settings.analyst === 'rules' && Object.keys(named).length > 0) throw rulesAskNobody();
  const unknown = unknownProfiles(named, modelProfiles);
  if (unknown.length > 0) throw new InvalidInputError(unknown, 'UNKNOWN_MODEL_PROFILE');
  return settings;
}

const rulesAskNobody = (): InvalidInputError =>
  new InvalidInputError([
    {
      in: 'body',
      field: 'settings.models',
      message:
        "the strategy's analyst is rules, which ask no model: leave models out, or set analyst to openai",
    },
  ]);

const unknownProfiles = (models: ModelRoles, known: readonly string[]): FieldProblem[] =>
  Object.entries(models)
    .filter(([, name]: [string, string]) => !known.includes(name))
    .map(([role, name]) => ({
      in: 'body',
      field: `settings.models.${role}`,
      message:
        known.length === 0
          ? 'no model is configured, so none can be named'
          : `${name} is no profile of the settings; there are ${known.join(', ')}`,
    }));

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
