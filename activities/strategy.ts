// The settings of the strategy version that a run started with, and the workflow definition that it names.
import type { StrategySettings } from '../contracts/wire/strategy.js';
import type { DefinitionVersion } from '../contracts/wire/definition.js';
import { beyondDefinition, definitionFaults } from '../domain/definition/check.js';
import type { DefinitionStore } from '../ports/definitions.js';
import { KeelError } from '../ports/errors.js';
import type { StrategyStore } from '../ports/stores.js';

export interface StrategyVersion {
  readonly strategyId: string;
  readonly strategyVersion: number;
}

/** @throws KeelError STRATEGY_MISSING (final). */
export async function settingsOf(
  strategies: Pick<StrategyStore, 'version'>,
  { strategyId, strategyVersion }: StrategyVersion,
): Promise<StrategySettings> {
  const settings = await strategies.version(strategyId, strategyVersion);
  if (settings === null) {
    throw new KeelError('STRATEGY_MISSING', `strategy ${strategyId} has no version ${strategyVersion}`);
  }
  return settings;
}

/**
 * The version of the workflow definition that a strategy version names. What the API checked before it stored them is
 * checked again, because a run trades on it.
 * @throws KeelError WORKFLOW_MISSING, WORKFLOW_UNSOUND, BEYOND_WORKFLOW (final).
 */
export async function definitionOf(
  definitions: Pick<DefinitionStore, 'version'>,
  settings: StrategySettings,
): Promise<DefinitionVersion> {
  const { workflowId, workflowVersion } = settings;
  const name = `version ${String(workflowVersion)} of the workflow definition ${workflowId}`;
  const definition = await definitions.version(workflowId, workflowVersion);
  if (definition === null) throw new KeelError('WORKFLOW_MISSING', `there is no ${name}`);
  const [fault] = definitionFaults(definition);
  if (fault !== undefined) {
    throw new KeelError('WORKFLOW_UNSOUND', `${name} can not be run: ${fault.field}: ${fault.message}`);
  }
  const [beyond] = beyondDefinition(settings, definition);
  if (beyond !== undefined) {
    throw new KeelError(
      'BEYOND_WORKFLOW',
      `the strategy goes beyond ${name}: ${beyond.field}: ${beyond.message}; store a version of the strategy that keeps to it`,
    );
  }
  return definition;
}
