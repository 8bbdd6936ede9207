// The login in its two tiers: auth/status, ssodh/init, tickle, sso/validate, logout. Called by app.ts; faults and the admin
// front end and renew it.
import { Router } from 'express';
import type { Portal } from './portal.js';
import { endSession, fieldsOf, renew } from './portal.js';
import { brokerTime, untilExpiry } from './sessionClock.js';

const MAC = '02:00:00:00:00:01';

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
    const { publish, compete } = fieldsOf(request.body);
    if (!session.loggedIn) {
      response.status(401).json({ error: 'not authenticated', statusCode: 401 });
      return;
    }
    // Who says nothing of it gets a session that is published.
    if (publish !== undefined && publish !== true) {
      response.status(500).json({ error: 'publish must be true' });
      return;
    }
    if (!session.competing || compete === true) renew(portal, true);
    response.json(statusOf(portal));
  });
  // Deprecated at the broker: the result is seen in the status later.
  router.post('/iserver/reauthenticate', (_request, response) => {
    if (session.loggedIn && !session.competing) renew(portal, true);
    response.json({ message: 'triggered' });
  });
  router.post('/tickle', (_request, response) => {
    if (!session.loggedIn) {
      response.json({ error: 'no session' });
      return;
    }
    response.json({
      session: session.id,
      ssoExpires: untilExpiry(portal),
      collission: false,
      userId: 100_000_001,
      hmds: { error: 'no bridge' },
      iserver: { authStatus: statusOf(portal) },
    });
  });
  router.get('/sso/validate', (_request, response) => {
    response.json({
      USER_ID: 100_000_001,
      USER_NAME: 'simulator',
      RESULT: session.loggedIn,
      AUTH_TIME: session.loggedInAt,
      EXPIRES: untilExpiry(portal),
      IS_FREE_TRIAL: false,
      LOGIN_TYPE: 2,
      PAPER_USER_NAME: 'simulator',
      features: {},
      region: 'NJ',
    });
  });
  router.post('/logout', (_request, response) => {
    endSession(portal, { login: false });
    response.json({ status: true });
  });
  return router;
}

/** A person has logged in in the browser, which opens the brokerage session as well. */
export function logIn(portal: Portal): void {
  const now = brokerTime(portal);
  Object.assign(portal.session, { loggedIn: true, loggedInAt: now, usedAt: now });
  renew(portal, true);
}

function statusOf({ session }: Portal): object {
  const { authenticated, competing, loggedIn: connected } = session;
  if (!authenticated) return { authenticated, competing, connected, MAC };
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
