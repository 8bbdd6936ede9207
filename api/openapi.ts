// The OpenAPI document, made of the schemas that the routes use. A test holds it to the routes. Used by api/app.ts.
import { z } from 'zod';
import type { ZodOpenApiPathsObject } from 'zod-openapi';
import { createDocument } from 'zod-openapi';
import { runId, strategyId } from '../contracts/http/fields.js';
import { health } from '../contracts/http/health.js';
import {
  cancelAnswer,
  executeAnswer,
  executeRequest,
  runDetail,
  runList,
  runProgress,
  runQuery,
} from '../contracts/http/run.js';
import { analystState, spendingList, spendingQuery } from '../contracts/http/model.js';
import { newStrategy, newStrategyVersion, strategy, strategyList } from '../contracts/http/strategy.js';
import { withAccess } from './openapiAccess.js';
import { accessPaths } from './openapiAuth.js';
import { definitionPaths } from './openapiDefinitions.js';
import { badBody, body, json, problems } from './openapiParts.js';
import { platformPaths } from './openapiPlatform.js';

const strategyPath = { path: z.object({ id: strategyId }) };
const runPath = { path: z.object({ id: runId }) };

const healthPath = {
  get: {
    summary: 'Whether the process lives',
    tags: ['service'],
    responses: { '200': json('It does.', health), ...problems() },
  },
};

const docsPaths: ZodOpenApiPathsObject = {
  '/openapi.json': {
    get: {
      summary: 'This document',
      tags: ['service'],
      responses: { '200': json('OpenAPI 3.1.', z.looseObject({ openapi: z.string() })), ...problems() },
    },
  },
  '/': {
    get: {
      summary: 'Leads to this document',
      tags: ['service'],
      responses: { '302': { description: 'To /docs.' }, ...problems() },
    },
  },
  '/docs': {
    get: {
      summary: 'This document for people',
      tags: ['service'],
      responses: {
        '200': { description: 'A page.', content: { 'text/html': { schema: { type: 'string' } } } },
        ...problems(),
      },
    },
  },
};

const strategyPaths: ZodOpenApiPathsObject = {
  '/api/v1/strategies': {
    get: {
      summary: 'List strategies',
      tags: ['strategies'],
      responses: { '200': json('All strategies of this mode.', strategyList), ...problems('503') },
    },
    post: {
      summary: 'Create a strategy',
      description: "Whatever is left out takes the platform's default; no limit may pass the platform's.",
      tags: ['strategies'],
      requestBody: { ...body(newStrategy), required: true },
      responses: { '201': json('The strategy.', strategy), ...problems(...badBody, '409', '503') },
    },
  },
  '/api/v1/strategies/{id}': {
    get: {
      summary: 'Read a strategy',
      tags: ['strategies'],
      requestParams: strategyPath,
      responses: { '200': json('The strategy.', strategy), ...problems('404', '503') },
    },
  },
  '/api/v1/strategies/{id}/versions': {
    post: {
      summary: 'Store the next version of a strategy',
      description:
        'The settings of the next version. What is left out is taken from the version before; a workflowId without ' +
        'workflowVersion takes the current version of that definition. The slot stays. Runs that are open keep the ' +
        'version that they began with.',
      tags: ['strategies'],
      requestParams: strategyPath,
      requestBody: { ...body(newStrategyVersion), required: true },
      responses: {
        '201': json('The strategy in its new version.', strategy),
        ...problems(...badBody, '404', '409', '503'),
      },
    },
  },
  '/api/v1/strategies/{id}/execute': {
    post: {
      summary: 'Run a strategy now',
      description: 'Runs the session that closed last, once: asked again, the same run is the answer.',
      tags: ['strategies'],
      requestParams: strategyPath,
      requestBody: body(executeRequest),
      responses: {
        '200': json('The run was there already.', executeAnswer),
        '202': json('The run was started.', executeAnswer),
        ...problems(...badBody, '404', '409', '503'),
      },
    },
  },
};

const progressStream = {
  description: 'Events `progress`, whenever it changes, and at last `end`; both carry RunProgress as JSON.',
  content: { 'text/event-stream': { schema: runProgress } },
};

const runPaths: ZodOpenApiPathsObject = {
  '/api/v1/runs': {
    get: {
      summary: 'List runs, newest session first',
      tags: ['runs'],
      requestParams: { query: runQuery },
      responses: { '200': json('Runs.', runList), ...problems('422', '503') },
    },
  },
  '/api/v1/runs/{id}': {
    get: {
      summary: 'Read a run and all that it found out',
      tags: ['runs'],
      requestParams: runPath,
      responses: { '200': json('The run.', runDetail), ...problems('404', '503') },
    },
  },
  '/api/v1/runs/{id}/cancel': {
    post: {
      summary: 'Ask a run to stop',
      description: 'Ends it before its order is sent; afterwards it asks for the cancel of the order.',
      tags: ['runs'],
      requestParams: runPath,
      responses: { '202': json('Asked.', cancelAnswer), ...problems('404', '409', '503') },
    },
  },
  '/api/v1/runs/{id}/progress': {
    get: {
      summary: 'Follow a run',
      tags: ['runs'],
      requestParams: runPath,
      responses: { '200': progressStream, ...problems('404', '503') },
    },
  },
  '/api/v1/charts/{key}': {
    get: {
      summary: 'A picture of a run',
      description: 'The key holds slashes. Only charts of runs are served.',
      tags: ['runs'],
      requestParams: { path: z.object({ key: z.string() }) },
      responses: {
        '200': {
          description: 'The picture, unchanging under its key.',
          content: { 'image/png': { schema: { type: 'string', format: 'binary' } } },
        },
        '304': { description: 'The picture that you have.' },
        ...problems('404', '503'),
      },
    },
  },
};

const analystPaths: ZodOpenApiPathsObject = {
  '/api/v1/analyst': {
    get: {
      summary: 'Who reads, and what its calls have cost',
      tags: ['analyst'],
      responses: { '200': json('Analyst and budget.', analystState), ...problems('503') },
    },
  },
  '/api/v1/spending': {
    get: {
      summary: 'What the calls of models have cost',
      description: 'Of your own strategies; an admin sees those of all. The caps are common to all.',
      tags: ['analyst'],
      requestParams: { query: spendingQuery },
      responses: { '200': json('Spending, newest first.', spendingList), ...problems('422', '503') },
    },
  },
};

/** @param version of Keel */
export const createOpenApi = (version: string): object =>
  createDocument({
    openapi: '3.1.0',
    info: {
      title: 'Keel API',
      version,
      description:
        'Starts and inspects AI trading strategies that run as durable workflows. Amounts are decimal strings, ' +
        'instants ISO 8601 UTC. Errors are application/problem+json with a code.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    components: {
      securitySchemes: {
        bearer: {
          type: 'http',
          scheme: 'bearer',
          description: 'An access token of POST /auth/login, or an API key.',
        },
      },
    },
    paths: withAccess({
      '/health': healthPath,
      '/api/v1/health': healthPath,
      ...accessPaths,
      ...strategyPaths,
      ...definitionPaths,
      ...runPaths,
      ...platformPaths,
      ...analystPaths,
      ...docsPaths,
    }),
  });
