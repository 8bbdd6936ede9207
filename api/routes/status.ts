// The state of the platform over HTTP: parts and monitors, configuration, migrations. Mounted by api/app.ts.
import { Router } from 'express';
import {
  configStatus,
  detailedHealth,
  migrationsRun,
  migrationsStatus,
} from '../../contracts/http/status.js';
import { KeelError } from '../../ports/errors.js';
import type { MigrationsPort } from '../../ports/health.js';
import type { AuditStore } from '../../ports/audit.js';
import { readPlatformHealth, type PlatformHealthDeps } from '../services/platformHealth.js';
import { actorOf } from '../services/principal.js';
import { principalOf } from './access.js';
import { answer, onlyMethods } from './http.js';

export interface StatusRouteDeps extends PlatformHealthDeps {
  readonly environment: string;
  /** What this process runs with, secrets masked. */
  readonly maskedConfig: Readonly<Record<string, unknown>>;
  readonly migrations: MigrationsPort;
  readonly audit: Pick<AuditStore, 'append'>;
}

/** The audit itself may need what is about to be applied: refused for that, this would be refused for ever. */
function onlyNotMigrated(error: unknown): void {
  if (!(error instanceof KeelError) || error.code !== 'DATABASE_NOT_MIGRATED') throw error;
}

export function statusRoutes(deps: StatusRouteDeps): Router {
  const router = Router();
  for (const path of ['/health/detailed', '/api/v1/health/detailed']) {
    router
      .route(path)
      .get(async (_request, response) => {
        const health = await readPlatformHealth(deps);
        answer(response, health.status === 'down' ? 503 : 200, detailedHealth, health);
      })
      .all(onlyMethods('GET'));
  }
  router
    .route('/api/v1/config/status')
    .get((_request, response) => {
      const { mode, environment, maskedConfig } = deps;
      answer(response, 200, configStatus, { mode, environment, config: { ...maskedConfig } });
    })
    .all(onlyMethods('GET'));
  router
    .route('/api/v1/migrations/status')
    .get(async (_request, response) => {
      const migrations = await deps.migrations.status();
      const pending = migrations.filter(({ appliedAt }) => appliedAt === null).length;
      answer(response, 200, migrationsStatus, { migrations, pending });
    })
    .all(onlyMethods('GET'));
  router
    .route('/api/v1/migrations/run')
    .post(async (_request, response) => {
      const actor = actorOf(principalOf(response));
      const waiting = (await deps.migrations.status()).filter(({ appliedAt }) => appliedAt === null);
      const facts = { pending: waiting.map(({ name }) => name) };
      // Said before it is done: a process that dies in the middle has named who asked.
      await deps.audit
        .append({ actor, action: 'migrations.begin', subject: 'database', facts })
        .catch(onlyNotMigrated);
      const applied = await deps.migrations.run();
      // Where this fails the migrations are applied all the same, and asking again is harmless.
      await deps.audit.append({ actor, action: 'migrations.run', subject: 'database', facts: { applied } });
      answer(response, 200, migrationsRun, { applied });
    })
    .all(onlyMethods('POST'));
  return router;
}
