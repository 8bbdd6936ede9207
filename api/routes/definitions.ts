// Workflow definitions over HTTP: list, create, read, their versions, remove. Mounted by api/app.ts.
import { Router } from 'express';
import { z } from 'zod';
import {
  definition,
  definitionList,
  definitionVersion,
  definitionVersions,
  newDefinition,
  newDefinitionVersion,
} from '../../contracts/http/definition.js';
import type { DefinitionDeps } from '../services/definitions.js';
import {
  addDefinitionVersion,
  createDefinition,
  listDefinitions,
  listVersions,
  readDefinition,
  readVersion,
  removeDefinition,
} from '../services/definitions.js';
import { authorOf, viewerOf } from '../services/principal.js';
import { principalOf } from './access.js';
import { answer, onlyMethods, parse, parseBody, pathParameter } from './http.js';

export type DefinitionRouteDeps = DefinitionDeps;

const versionPath = z.object({ version: z.coerce.number().int().positive().max(1_000_000) });

export function definitionRoutes(deps: DefinitionRouteDeps): Router {
  const router = Router();
  router
    .route('/api/v1/workflows')
    .get(async (_request, response) => {
      const workflows = await listDefinitions(deps, viewerOf(principalOf(response)));
      answer(response, 200, definitionList, { workflows });
    })
    .post(async (request, response) => {
      const author = authorOf(principalOf(response));
      const created = await createDefinition(deps, parseBody(newDefinition, request), author);
      response.location(`/api/v1/workflows/${created.id}`);
      answer(response, 201, definition, created);
    })
    .all(onlyMethods('GET', 'POST'));
  router
    .route('/api/v1/workflows/:id')
    .get(async (request, response) => {
      const viewer = viewerOf(principalOf(response));
      answer(response, 200, definition, await readDefinition(deps, pathParameter(request, 'id'), viewer));
    })
    .delete(async (request, response) => {
      await removeDefinition(deps, pathParameter(request, 'id'), authorOf(principalOf(response)));
      response.status(204).end();
    })
    .all(onlyMethods('GET', 'DELETE'));
  router
    .route('/api/v1/workflows/:id/versions')
    .get(async (request, response) => {
      const viewer = viewerOf(principalOf(response));
      const versions = await listVersions(deps, pathParameter(request, 'id'), viewer);
      answer(response, 200, definitionVersions, { versions });
    })
    .post(async (request, response) => {
      const id = pathParameter(request, 'id');
      const body = parseBody(newDefinitionVersion, request);
      const made = await addDefinitionVersion(deps, id, body, authorOf(principalOf(response)));
      response.location(`/api/v1/workflows/${id}/versions/${String(made.version)}`);
      answer(response, 201, definitionVersion, made);
    })
    .all(onlyMethods('GET', 'POST'));
  router
    .route('/api/v1/workflows/:id/versions/:version')
    .get(async (request, response) => {
      const { version } = parse(versionPath, 'path', request.params);
      const viewer = viewerOf(principalOf(response));
      const found = await readVersion(deps, pathParameter(request, 'id'), version, viewer);
      answer(response, 200, definitionVersion, found);
    })
    .all(onlyMethods('GET'));
  return router;
}
