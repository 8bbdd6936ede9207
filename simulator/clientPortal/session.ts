// The login: auth/status, ssodh/init, tickle, sso/validate, logout. In this form a session does not expire by itself.
import { Router } from 'express';
import type { Portal } from './portal.js';
import { fieldsOf, renew } from './portal.js';

const MAC = '02:00:00:00:00:01';
const HOUR_MS = 3_600_000;

/** Routes without a guard: they tell whether there is a session, and make one. */
export function sessionRouter(portal: Portal): Router {
  const { session } = portal;
  const router = Router();
  router.get('/iserver/auth/status', (_request, response) => {
    response.json({ ...statusOf(portal), ...(session.authenticated ? { fail: '' } : {}) });
  });
  router.post('/iserver/auth/status', (_request, response) => {
    response.json({ ...statusOf(portal), ...(session.authenticated ? { fail: '' } : {}) });
  });
  router.post('/iserver/auth/ssodh/init', (request, response) => {
    if (fieldsOf(request.body)['publish'] !== true) {
      response.status(500).json({ error: 'publish must be true' });
      return;
    }
    renew(session, true);
    response.json(statusOf(portal));
  });
  router.post('/tickle', (_request, response) => {
    if (!session.authenticated) {
      response.json({ error: 'no session' });
      return;
    }
    response.json({
      session: 'bb665d0f55b6289d70bc7380089fc96f',
      ssoExpires: 24 * HOUR_MS,
      collission: false,
      userId: 100_000_001,
      hmds: { error: 'no bridge' },
      iserver: { authStatus: statusOf(portal) },
    });
  });
  router.get('/sso/validate', (_request, response) => {
    const now = portal.clock.now();
    response.json({
      USER_ID: 100_000_001,
      USER_NAME: 'simulator',
      RESULT: session.authenticated,
      AUTH_TIME: now,
      EXPIRES: 24 * HOUR_MS,
      IS_FREE_TRIAL: false,
      LOGIN_TYPE: 2,
      PAPER_USER_NAME: 'simulator',
      features: {},
      region: 'NJ',
    });
  });
  router.post('/logout', (_request, response) => {
    renew(session, false);
    response.json({ status: true });
  });
  return router;
}

function statusOf({ session }: Portal): object {
  if (!session.authenticated) return { authenticated: false, competing: false, connected: true, MAC };
  return {
    authenticated: true,
    established: true,
    competing: false,
    connected: true,
    message: '',
    MAC,
    serverInfo: { serverName: 'KeelSimulator', serverVersion: 'Build 10.44.1d, Keel simulator' },
    hardware_info: `keelsim|${MAC}`,
  };
}
