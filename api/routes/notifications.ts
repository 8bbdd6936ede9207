// Notifications over HTTP: deliveries and the inbox, settings, a test. Mounted by api/app.ts.
import { Router } from 'express';
import {
  deliveryList,
  deliveryQuery,
  notificationSettings,
  notificationSettingsAnswer,
  testAnswer,
  testRequest,
} from '../../contracts/http/notification.js';
import type { NotificationSettings } from '../../contracts/wire/notification.js';
import type { Delivery } from '../../ports/notifications.js';
import {
  markRead,
  readSettings,
  sendTest,
  notUsed,
  writeSettings,
  type NotificationServiceDeps,
} from '../services/notifications.js';
import type { Principal } from '../services/principal.js';
import { principalOf } from './access.js';
import { addressOf } from './auth.js';
import { answer, onlyMethods, parse, parseBody, pathParameter } from './http.js';

const shown = ({ notification, ...row }: Delivery) => {
  const { key, channel, state, attempts, notBefore, lastError, sentAt, readAt } = row;
  const { event, title, body, facts, createdAt } = notification;
  const fate = { key, channel, state, attempts, notBefore, lastError, sentAt, readAt };
  return { ...fate, event, title, body, facts, createdAt };
};

const shownSettings = (principal: Principal, settings: NotificationSettings) => {
  const { webhook, slack, ...rest } = settings;
  return {
    ...rest,
    notUsed: notUsed(principal, settings),
    webhook: webhook && { url: webhook.url, secretSet: true },
    slack: slack && { urlSet: true },
  };
};

export function notificationRoutes(deps: NotificationServiceDeps): Router {
  const router = Router();
  router
    .route('/api/v1/notifications')
    .get(async (request, response) => {
      const { channel, unread, limit } = parse(deliveryQuery, 'query', request.query);
      const filter = { unread, limit, ...(channel !== undefined && { channel }) };
      const found = await deps.notifications.list(principalOf(response).user.id, filter);
      answer(response, 200, deliveryList, { deliveries: found.map(shown) });
    })
    .all(onlyMethods('GET'));
  router
    .route('/api/v1/notifications/settings')
    .get(async (_request, response) => {
      const principal = principalOf(response);
      const settings = await readSettings(deps, principal.user.id);
      answer(response, 200, notificationSettingsAnswer, shownSettings(principal, settings));
    })
    .put(async (request, response) => {
      const wanted = parseBody(notificationSettings, request);
      const principal = principalOf(response);
      const settings = await writeSettings(deps, principal, wanted);
      answer(response, 200, notificationSettingsAnswer, shownSettings(principal, settings));
    })
    .all(onlyMethods('GET', 'PUT'));
  router
    .route('/api/v1/notifications/test')
    .post(async (request, response) => {
      const { channel } = parseBody(testRequest, request);
      answer(response, 202, testAnswer, {
        key: await sendTest(deps, principalOf(response).user.id, channel, addressOf(request)),
      });
    })
    .all(onlyMethods('POST'));
  router
    .route('/api/v1/notifications/:key/read')
    .post(async (request, response) => {
      await markRead(deps, principalOf(response).user.id, pathParameter(request, 'key'));
      response.status(204).end();
    })
    .all(onlyMethods('POST'));
  return router;
}
