// A workflow definition as it is stored and shown: the table `workflow` and its versions. (A run's `workflowId` is another
// thing: the id of its Temporal workflow.)
import type { DefinitionStep, WorkflowDefinition } from '../../domain/definition/definition.js';

/** Names one version for ever. */
export interface DefinitionRef {
  readonly id: string;
  readonly version: number;
}

export interface DefinitionVersion extends DefinitionRef, WorkflowDefinition {
  readonly createdBy: string;
  readonly createdAt: string;
}

/** A definition with its current version. */
export interface StoredDefinition {
  /** Lower-case letters, digits and dashes. */
  readonly id: string;
  readonly name: string;
  /** Id of the user; null for the platform's own, which everybody may use and only an admin may change. */
  readonly ownerId: string | null;
  readonly current: DefinitionVersion;
}

/** What a run is told of its definition: it branches on nothing else. */
export interface RunDefinition extends DefinitionRef {
  readonly steps: readonly DefinitionStep[];
}
