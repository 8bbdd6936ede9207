// Workflow definitions in PostgreSQL. Used by the API's services, the activity that opens a run, and `keel verify`.
import type { DefinitionVersion, StoredDefinition } from '../contracts/wire/definition.js';
import type { WorkflowDefinition } from '../domain/definition/definition.js';

export interface DefinitionStore {
  /** Stores a definition with its version 1. @throws KeelError WORKFLOW_EXISTS (final) */
  create(
    definition: { readonly id: string; readonly name: string; readonly ownerId: string | null },
    contents: WorkflowDefinition,
    actor: string,
  ): Promise<StoredDefinition>;
  /** Stores the next version; those before stay as they are. @throws KeelError WORKFLOW_NOT_FOUND (final) */
  addVersion(id: string, contents: WorkflowDefinition, actor: string): Promise<DefinitionVersion>;
  /** @throws KeelError WORKFLOW_NOT_FOUND, WORKFLOW_IN_USE when a strategy or a run names a version of it (final) */
  remove(id: string, actor: string): Promise<void>;
  get(id: string): Promise<StoredDefinition | null>;
  list(): Promise<readonly StoredDefinition[]>;
  version(id: string, version: number): Promise<DefinitionVersion | null>;
  /** Oldest first. */
  versions(id: string): Promise<readonly DefinitionVersion[]>;
}
