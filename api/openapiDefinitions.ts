// The paths of workflow definitions in the OpenAPI document. Used by openapi.ts.
import { z } from 'zod';
import type { ZodOpenApiPathsObject } from 'zod-openapi';
import {
  definition,
  definitionList,
  definitionVersion,
  definitionVersions,
  newDefinition,
  newDefinitionVersion,
} from '../contracts/http/definition.js';
import { definitionId } from '../contracts/http/fields.js';
import { badBody, body, json, problems } from './openapiParts.js';

const path = { path: z.object({ id: definitionId }) };
const tags = ['workflows'];

export const definitionPaths: ZodOpenApiPathsObject = {
  '/api/v1/workflows': {
    get: {
      summary: 'List workflow definitions',
      description: "The platform's own and yours, each with its current version.",
      tags,
      responses: { '200': json('Definitions.', definitionList), ...problems('503') },
    },
    post: {
      summary: 'Create a workflow definition',
      description:
        'Safety gates can be added and limits tightened; no mandatory gate or step can be left out.',
      tags,
      requestBody: { ...body(newDefinition), required: true },
      responses: {
        '201': json('The definition with its version 1.', definition),
        ...problems(...badBody, '409', '503'),
      },
    },
  },
  '/api/v1/workflows/{id}': {
    get: {
      summary: 'Read a workflow definition',
      tags,
      requestParams: path,
      responses: { '200': json('The definition.', definition), ...problems('404', '503') },
    },
    delete: {
      summary: 'Remove a workflow definition that nothing names',
      tags,
      requestParams: path,
      responses: { '204': { description: 'Gone.' }, ...problems('404', '409', '503') },
    },
  },
  '/api/v1/workflows/{id}/versions': {
    get: {
      summary: 'List the versions of a workflow definition',
      tags,
      requestParams: path,
      responses: { '200': json('Versions.', definitionVersions), ...problems('404', '503') },
    },
    post: {
      summary: 'Store the next version of a workflow definition',
      description: 'Strategies keep the version that they name, and runs the one that they began with.',
      tags,
      requestParams: path,
      requestBody: { ...body(newDefinitionVersion), required: true },
      responses: { '201': json('The version.', definitionVersion), ...problems(...badBody, '404', '503') },
    },
  },
  '/api/v1/workflows/{id}/versions/{version}': {
    get: {
      summary: 'Read one version of a workflow definition',
      tags,
      requestParams: { path: z.object({ id: definitionId, version: z.int().positive() }) },
      responses: { '200': json('The version.', definitionVersion), ...problems('404', '422', '503') },
    },
  },
};
