// The gate before all routes: what does not stand in domain/access/routes.ts is not there, and every rule that a request
// matches must let it through. Mounted by api/app.ts before bodies are read.
import type { RequestHandler, Response } from 'express';
import { Router } from 'express';
import type { RouteRule } from '../../domain/access/routes.js';
import { routeRules } from '../../domain/access/routes.js';
import { KeelError } from '../../ports/errors.js';
import type { AuthenticateDeps, Principal } from '../services/principal.js';
import { authenticate, authorize } from '../services/principal.js';
import { onlyMethods } from './http.js';

interface Passed {
  /** A rule of this path and method has let the request through. */
  open: boolean;
  /** The methods of the paths that match. */
  readonly methods: Set<string>;
  principal?: Principal;
  /** Who came in by a public route. */
  cameIn?: string;
}

const passedOf = (response: Response): Passed =>
  (response.locals['access'] ??= { open: false, methods: new Set() } satisfies Passed) as Passed;

/** Who asks. @throws Error on a public route, where nobody was asked for */
export function principalOf(response: Response): Principal {
  const { principal } = passedOf(response);
  if (principal === undefined) throw new Error('a public route asked who is there');
  return principal;
}

/** Null where nobody was asked for. */
export const userIdOf = (response: Response): string | null => passedOf(response).principal?.user.id ?? null;

/** Name for the log; null where nobody was asked for and nobody came in. */
export const usernameOf = (response: Response): string | null => {
  const { principal, cameIn } = passedOf(response);
  return principal?.user.username ?? cameIn ?? null;
};

/** Tells the log who it was that a public route has let in or made. */
export const noteCameIn = (response: Response, { username }: { readonly username: string }): void => {
  passedOf(response).cameIn = username;
};

const pass =
  (deps: AuthenticateDeps, rule: RouteRule): RequestHandler =>
  async (request, response, next) => {
    const passed = passedOf(response);
    if (rule.needs !== 'public') {
      passed.principal ??= await authenticate(deps, request.get('authorization'));
      authorize(passed.principal, rule, deps.mode);
    }
    passed.open = true;
    next();
  };

const notFound = (path: string): KeelError =>
  new KeelError('ROUTE_NOT_FOUND', `There is nothing at ${path.slice(0, 200)}; see /docs.`);

/** The same matching as the routes behind it, because it is the same router with the same paths. */
export function accessGate(deps: AuthenticateDeps, rules: readonly RouteRule[] = routeRules): Router {
  const router = Router();
  for (const path of new Set(rules.map((rule) => rule.path))) {
    const own = rules.filter((rule) => rule.path === path);
    const route = router.route(path);
    for (const rule of own) route[rule.method](pass(deps, rule));
    route.all((_request, response, next) => {
      for (const { method } of own) passedOf(response).methods.add(method.toUpperCase());
      next();
    });
  }
  router.use((request, response, next) => {
    const { open, methods } = passedOf(response);
    if (open) next();
    else if (methods.size > 0) onlyMethods(...methods)(request, response, next);
    else throw notFound(request.path);
  });
  return router;
}
