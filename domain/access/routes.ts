// The one table of who may ask what. api/routes/access.ts lets nothing through that does not stand here, and a test walks
// the routers against it.
import type { Role } from './roles.js';

export interface RouteRule {
  readonly method: 'get' | 'post' | 'patch' | 'put' | 'delete';
  /** As Express writes it. */
  readonly path: string;
  /** `public` asks for nobody; a role asks for it or one above. */
  readonly needs: Role | 'public';
  /** Only for one who has logged in himself: an API key must not make keys or change passwords. */
  readonly loginOnly?: true;
  /** Also while the user has to change his password first. */
  readonly beforePasswordChange?: true;
  /** Whether live mode asks for the second factor; where nothing is said, isAct of secondFactor.ts decides. */
  readonly acts?: boolean;
}

export const routeRules: readonly RouteRule[] = [
  { method: 'get', path: '/health', needs: 'public' },
  { method: 'get', path: '/api/v1/health', needs: 'public' },
  { method: 'get', path: '/', needs: 'public' },
  { method: 'get', path: '/openapi.json', needs: 'public' },
  { method: 'get', path: '/docs', needs: 'public' },
  { method: 'get', path: '/docs/start.js', needs: 'public' },
  { method: 'get', path: '/docs/swagger-ui.css', needs: 'public' },
  { method: 'get', path: '/docs/swagger-ui-bundle.js', needs: 'public' },

  { method: 'post', path: '/api/v1/auth/register', needs: 'public' },
  { method: 'post', path: '/api/v1/auth/login', needs: 'public' },
  { method: 'post', path: '/api/v1/auth/refresh', needs: 'public' },
  { method: 'get', path: '/api/v1/auth/me', needs: 'viewer', beforePasswordChange: true },
  // Keel writes e-mail to a user's own address: a viewer, who may choose none, asks an admin.
  { method: 'patch', path: '/api/v1/auth/me', needs: 'trader', loginOnly: true },
  {
    method: 'post',
    path: '/api/v1/auth/logout',
    needs: 'viewer',
    loginOnly: true,
    beforePasswordChange: true,
  },
  {
    method: 'post',
    path: '/api/v1/auth/password',
    needs: 'viewer',
    loginOnly: true,
    beforePasswordChange: true,
  },
  { method: 'get', path: '/api/v1/auth/oidc/login', needs: 'public' },
  { method: 'get', path: '/api/v1/auth/oidc/callback', needs: 'public' },
  { method: 'post', path: '/api/v1/auth/oidc/code', needs: 'public' },
  { method: 'post', path: '/api/v1/auth/oidc/link', needs: 'viewer', loginOnly: true },
  { method: 'delete', path: '/api/v1/auth/oidc/link', needs: 'viewer', loginOnly: true },
  { method: 'post', path: '/api/v1/auth/totp', needs: 'viewer', loginOnly: true },
  { method: 'post', path: '/api/v1/auth/totp/confirm', needs: 'viewer', loginOnly: true },
  { method: 'post', path: '/api/v1/auth/totp/prove', needs: 'viewer', loginOnly: true },
  { method: 'post', path: '/api/v1/auth/totp/recovery-codes', needs: 'viewer', loginOnly: true },
  { method: 'post', path: '/api/v1/auth/totp/disable', needs: 'viewer', loginOnly: true },
  { method: 'get', path: '/api/v1/auth/keys', needs: 'viewer' },
  { method: 'post', path: '/api/v1/auth/keys', needs: 'viewer', loginOnly: true },
  { method: 'delete', path: '/api/v1/auth/keys/:id', needs: 'viewer', loginOnly: true },

  { method: 'get', path: '/api/v1/users', needs: 'admin' },
  { method: 'post', path: '/api/v1/users', needs: 'admin', loginOnly: true },
  { method: 'patch', path: '/api/v1/users/:id', needs: 'admin', loginOnly: true },
  { method: 'post', path: '/api/v1/users/:id/password', needs: 'admin', loginOnly: true },
  { method: 'delete', path: '/api/v1/users/:id/totp', needs: 'admin', loginOnly: true },

  { method: 'get', path: '/api/v1/audit', needs: 'admin' },

  { method: 'get', path: '/api/v1/strategies', needs: 'viewer' },
  { method: 'post', path: '/api/v1/strategies', needs: 'trader' },
  { method: 'get', path: '/api/v1/strategies/:id', needs: 'viewer' },
  { method: 'post', path: '/api/v1/strategies/:id/versions', needs: 'trader' },
  { method: 'post', path: '/api/v1/strategies/:id/execute', needs: 'trader' },

  { method: 'get', path: '/api/v1/workflows', needs: 'viewer' },
  { method: 'post', path: '/api/v1/workflows', needs: 'trader' },
  { method: 'get', path: '/api/v1/workflows/:id', needs: 'viewer' },
  { method: 'delete', path: '/api/v1/workflows/:id', needs: 'trader' },
  { method: 'get', path: '/api/v1/workflows/:id/versions', needs: 'viewer' },
  { method: 'post', path: '/api/v1/workflows/:id/versions', needs: 'trader' },
  { method: 'get', path: '/api/v1/workflows/:id/versions/:version', needs: 'viewer' },

  { method: 'get', path: '/api/v1/runs', needs: 'viewer' },
  { method: 'get', path: '/api/v1/runs/:id', needs: 'viewer' },
  { method: 'post', path: '/api/v1/runs/:id/cancel', needs: 'trader' },
  { method: 'get', path: '/api/v1/runs/:id/progress', needs: 'viewer' },
  { method: 'get', path: '/api/v1/charts/*key', needs: 'viewer' },

  { method: 'get', path: '/api/v1/analyst', needs: 'viewer' },
  { method: 'get', path: '/api/v1/spending', needs: 'viewer' },
  { method: 'get', path: '/api/v1/stocks/*symbol', needs: 'viewer' },
  { method: 'post', path: '/api/v1/stocks/batch', needs: 'viewer' },

  { method: 'get', path: '/health/detailed', needs: 'trader' },
  { method: 'get', path: '/api/v1/health/detailed', needs: 'trader' },
  { method: 'get', path: '/api/v1/config/status', needs: 'admin' },
  { method: 'get', path: '/api/v1/migrations/status', needs: 'admin' },
  { method: 'post', path: '/api/v1/migrations/run', needs: 'admin' },

  // Each user's own.
  { method: 'get', path: '/api/v1/notifications', needs: 'viewer' },
  { method: 'get', path: '/api/v1/notifications/settings', needs: 'viewer' },
  // They hold where alarms go: neither a key that only looks nor a stolen token must lead them elsewhere.
  {
    method: 'put',
    path: '/api/v1/notifications/settings',
    needs: 'viewer',
    loginOnly: true,
    acts: true,
  },
  // It sends to where the settings say, and changes nothing.
  { method: 'post', path: '/api/v1/notifications/test', needs: 'trader', acts: false },
  { method: 'post', path: '/api/v1/notifications/:key/read', needs: 'viewer' },
];
