// Makes, versions, reads and removes workflow definitions. Called by api/routes/definitions.ts, and by the services of
// strategies for the one that a strategy names.
import type { NewDefinition, NewDefinitionVersion } from '../../contracts/http/definition.js';
import type { FieldProblem } from '../../contracts/http/problem.js';
import type { DefinitionVersion, StoredDefinition } from '../../contracts/wire/definition.js';
import type { Viewer } from '../../domain/access/ownership.js';
import { maySee } from '../../domain/access/ownership.js';
import type { Fault } from '../../domain/definition/check.js';
import { definitionFaults, looseLimits } from '../../domain/definition/check.js';
import type { DefinitionLimits, WorkflowDefinition } from '../../domain/definition/definition.js';
import type { RiskProfile } from '../../domain/risk/types.js';
import type { DefinitionStore } from '../../ports/definitions.js';
import { KeelError } from '../../ports/errors.js';
import { InvalidInputError } from './invalidInput.js';
import type { Author } from './principal.js';

export interface DefinitionDeps {
  readonly definitions: DefinitionStore;
  /** The platform's limits: no definition may loosen them. */
  readonly riskLimits: RiskProfile;
}

/** The platform's own are everybody's to use. */
const mayUse = (viewer: Viewer, ownerId: string | null): boolean =>
  ownerId === null || maySee(viewer, ownerId);

export const listDefinitions = async (
  { definitions }: Pick<DefinitionDeps, 'definitions'>,
  viewer: Viewer,
): Promise<readonly StoredDefinition[]> =>
  (await definitions.list()).filter(({ ownerId }) => mayUse(viewer, ownerId));

/** @throws KeelError WORKFLOW_NOT_FOUND, also for another user's */
export async function readDefinition(
  { definitions }: { readonly definitions: Pick<DefinitionStore, 'get'> },
  id: string,
  viewer: Viewer,
): Promise<StoredDefinition> {
  const found = await definitions.get(id);
  if (found === null || !mayUse(viewer, found.ownerId)) throw notFound(id);
  return found;
}

/** @throws KeelError WORKFLOW_NOT_FOUND, also for another user's and for a version that there is not */
export async function readVersion(
  deps: { readonly definitions: Pick<DefinitionStore, 'get' | 'version'> },
  id: string,
  version: number,
  viewer: Viewer,
): Promise<DefinitionVersion> {
  await readDefinition(deps, id, viewer);
  const found = await deps.definitions.version(id, version);
  if (found === null) throw notFound(`${id}" in version "${String(version)}`);
  return found;
}

/** @throws KeelError WORKFLOW_NOT_FOUND */
export async function listVersions(
  deps: Pick<DefinitionDeps, 'definitions'>,
  id: string,
  viewer: Viewer,
): Promise<readonly DefinitionVersion[]> {
  await readDefinition(deps, id, viewer);
  return deps.definitions.versions(id);
}

/** @throws InvalidInputError WORKFLOW_UNSOUND, LIMIT_EXCEEDED · KeelError WORKFLOW_EXISTS */
export async function createDefinition(
  deps: DefinitionDeps,
  { id, name, ...request }: NewDefinition,
  { viewer, actor }: Author,
): Promise<StoredDefinition> {
  const contents = soundContents(deps, request);
  return deps.definitions.create({ id, name, ownerId: viewer.userId }, contents, actor);
}

/** @throws as createDefinition, and KeelError WORKFLOW_NOT_FOUND, WORKFLOW_NOT_YOURS */
export async function addDefinitionVersion(
  deps: DefinitionDeps,
  id: string,
  request: NewDefinitionVersion,
  { viewer, actor }: Author,
): Promise<DefinitionVersion> {
  await mineToChange(deps, id, viewer);
  return deps.definitions.addVersion(id, soundContents(deps, request), actor);
}

/** @throws KeelError WORKFLOW_NOT_FOUND, WORKFLOW_NOT_YOURS, WORKFLOW_IN_USE */
export async function removeDefinition(
  deps: DefinitionDeps,
  id: string,
  { viewer, actor }: Author,
): Promise<void> {
  const { ownerId } = await mineToChange(deps, id, viewer);
  if (ownerId === null) {
    throw new KeelError('WORKFLOW_IN_USE', `The workflow ${id} is the platform's own and stays.`);
  }
  await deps.definitions.remove(id, actor);
}

/**
 * The version of a definition that a strategy names; the current one where it names none.
 * @throws KeelError UNKNOWN_WORKFLOW
 */
export async function usableVersion(
  { definitions }: { readonly definitions: Pick<DefinitionStore, 'get' | 'version'> },
  viewer: Viewer,
  id: string,
  version: number | undefined,
): Promise<DefinitionVersion> {
  const found = await definitions.get(id);
  const unknown = (what: string): KeelError =>
    new KeelError(
      'UNKNOWN_WORKFLOW',
      `There is no ${what}; GET /api/v1/workflows lists those that you may use.`,
    );
  if (found === null || !mayUse(viewer, found.ownerId)) throw unknown(`workflow definition ${id}`);
  if (version === undefined) return found.current;
  const wanted = await definitions.version(id, version);
  if (wanted === null) throw unknown(`version ${String(version)} of the workflow definition ${id}`);
  return wanted;
}

async function mineToChange(deps: DefinitionDeps, id: string, viewer: Viewer): Promise<StoredDefinition> {
  const found = await readDefinition(deps, id, viewer);
  if (maySee(viewer, found.ownerId)) return found;
  throw new KeelError(
    'WORKFLOW_NOT_YOURS',
    `The workflow ${id} is the platform's own: only an admin changes it. Make one of your own.`,
  );
}

function soundContents(deps: DefinitionDeps, request: NewDefinitionVersion): WorkflowDefinition {
  const { steps, timeframes, analyst, gates } = request;
  const contents = { steps, timeframes, analyst, gates, limits: limitsOf(request.limits) };
  const unsound = definitionFaults(contents);
  if (unsound.length > 0) throw new InvalidInputError(unsound.map(problem), 'WORKFLOW_UNSOUND');
  const loose = looseLimits(contents.limits, deps.riskLimits);
  if (loose.length > 0) throw new InvalidInputError(loose.map(problem), 'LIMIT_EXCEEDED');
  return contents;
}

/** Without keys that are absent. */
const limitsOf = (limits: NewDefinitionVersion['limits']): DefinitionLimits =>
  Object.fromEntries(Object.entries(limits).filter(([, value]) => value !== undefined));

const problem = ({ field, message }: Fault): FieldProblem => ({ in: 'body', field, message });

const notFound = (id: string): KeelError =>
  new KeelError(
    'WORKFLOW_NOT_FOUND',
    `There is no workflow definition "${id.slice(0, 70)}"; GET /api/v1/workflows lists them.`,
  );
