// The paths of prices, of the platform's state and of notifications in the OpenAPI document. Used by openapi.ts.
import { z } from 'zod';
import type { ZodOpenApiPathsObject } from 'zod-openapi';
import { symbol } from '../contracts/http/fields.js';
import {
  deliveryList,
  deliveryQuery,
  notificationSettings,
  notificationSettingsAnswer,
  testAnswer,
  testRequest,
} from '../contracts/http/notification.js';
import { configStatus, detailedHealth, migrationsRun, migrationsStatus } from '../contracts/http/status.js';
import { stock, stockBatch, stockBatchRequest } from '../contracts/http/stock.js';
import { badBody, body, json, problems } from './openapiParts.js';

const detailed = {
  get: {
    summary: 'The state of every part and of every monitor',
    tags: ['service'],
    responses: {
      '200': json('All is well, or something that is not vital is not.', detailedHealth),
      ...problems(),
      '503': json('A vital part is away.', detailedHealth),
    },
  },
};

const stockPaths: ZodOpenApiPathsObject = {
  '/api/v1/stocks/{symbol}': {
    get: {
      summary: 'The price of a symbol, and how old it is',
      tags: ['prices'],
      requestParams: { path: z.object({ symbol }) },
      responses: { '200': json('The price.', stock), ...problems('404', '422', '502', '503') },
    },
  },
  '/api/v1/stocks/batch': {
    post: {
      summary: 'Prices of many symbols',
      tags: ['prices'],
      requestBody: { ...body(stockBatchRequest), required: true },
      responses: {
        '200': json('What there is, and why the rest is not.', stockBatch),
        ...problems(...badBody),
      },
    },
  },
};

const statusPaths: ZodOpenApiPathsObject = {
  '/health/detailed': detailed,
  '/api/v1/health/detailed': detailed,
  '/api/v1/config/status': {
    get: {
      summary: 'What this process runs with, secrets masked',
      tags: ['service'],
      responses: { '200': json('The configuration.', configStatus), ...problems() },
    },
  },
  '/api/v1/migrations/status': {
    get: {
      summary: 'Migrations of the database',
      tags: ['service'],
      responses: { '200': json('Every migration.', migrationsStatus), ...problems('503') },
    },
  },
  '/api/v1/migrations/run': {
    post: {
      summary: 'Apply the pending migrations',
      tags: ['service'],
      responses: { '200': json('What was applied.', migrationsRun), ...problems('503') },
    },
  },
};

const notificationPaths: ZodOpenApiPathsObject = {
  '/api/v1/notifications': {
    get: {
      summary: 'What you were told, newest first, and how it went',
      tags: ['notifications'],
      requestParams: { query: deliveryQuery },
      responses: { '200': json('Deliveries.', deliveryList), ...problems('422', '503') },
    },
  },
  '/api/v1/notifications/settings': {
    get: {
      summary: 'What you hear where',
      tags: ['notifications'],
      responses: { '200': json('Your settings.', notificationSettingsAnswer), ...problems('503') },
    },
    put: {
      summary: 'Say what you want to hear where',
      description:
        'By e-mail at your own address, unless you are an admin. A webhook, Slack and Telegram need the role trader.',
      tags: ['notifications'],
      requestBody: { ...body(notificationSettings), required: true },
      responses: {
        '200': json('Your settings.', notificationSettingsAnswer),
        ...problems(...badBody, '503'),
      },
    },
  },
  '/api/v1/notifications/test': {
    post: {
      summary: 'Try a channel',
      tags: ['notifications'],
      requestBody: { ...body(testRequest), required: true },
      responses: {
        '202': json('It is on its way; its key tells it among the deliveries.', testAnswer),
        ...problems(...badBody, '503'),
      },
    },
  },
  '/api/v1/notifications/{key}/read': {
    post: {
      summary: 'Mark a message of your inbox as read',
      tags: ['notifications'],
      requestParams: { path: z.object({ key: z.string() }) },
      responses: { '204': { description: 'It is.' }, ...problems('404', '503') },
    },
  },
};

export const platformPaths: ZodOpenApiPathsObject = { ...stockPaths, ...statusPaths, ...notificationPaths };
