// Runs every check, each within its own time, and repairs what may be repaired. Called by cli/commands/doctor.ts.
import pTimeout from 'p-timeout';
import { createRedact } from '../../domain/redaction/redact.js';
import { checkAccount } from './account.js';
import { checkCache } from './cache.js';
import { checkDataDirectory, checkDirectoryExists } from './dataDirectory.js';
import { checkDatabase } from './database.js';
import { checkGateway } from './gateway.js';
import { checkCalendar, checkConfig, checkFonts, checkNode, checkPorts } from './machine.js';
import { checkIdentityProvider } from './identityProvider.js';
import { checkModel } from './model.js';
import { checkNotifier } from './notifier.js';
import { checkObjectStore } from './objects.js';
import { secretsOf } from './secrets.js';
import { checkTemporal } from './temporal.js';
import type { Check, Finding, Patient } from './types.js';
import { reasonOf } from './types.js';

const checks: Readonly<Record<string, Check>> = {
  node: checkNode,
  configuration: checkConfig,
  ports: checkPorts,
  'data directory': (patient) => [...checkDataDirectory(patient), ...checkDirectoryExists(patient)],
  postgres: checkDatabase,
  temporal: checkTemporal,
  'object store': checkObjectStore,
  fonts: checkFonts,
  gateway: checkGateway,
  account: checkAccount,
  calendar: checkCalendar,
  cache: checkCache,
  notifier: checkNotifier,
  'identity provider': checkIdentityProvider,
};

/** It costs money, so only who asks for it gets it. */
const modelCheck: Readonly<Record<string, Check>> = { model: checkModel };

/** For one check with all its questions, milliseconds; a model may think before it answers. */
const limitMs = 20_000;
const modelLimitMs = 180_000;

/**
 * @param withModel whether the configured model is probed, which costs a little
 * @returns what every check found, in the order above; secrets are taken out
 */
export async function examine(patient: Patient, withModel = false): Promise<readonly Finding[]> {
  const redact = createRedact(secretsOf(patient));
  const clean = (finding: Finding): Finding => ({
    ...finding,
    found: redact(finding.found),
    ...(finding.cause !== undefined && { cause: redact(finding.cause) }),
    ...(finding.fix !== undefined && { fix: redact(finding.fix) }),
  });
  const found = await Promise.all(
    Object.entries({ ...checks, ...(withModel && modelCheck) }).map(([name, check]) =>
      inTime(name, check === checkModel ? modelLimitMs : limitMs, (async () => check(patient))()),
    ),
  );
  return found.flat().map(clean);
}

function inTime(
  name: string,
  milliseconds: number,
  check: Promise<readonly Finding[]>,
): Promise<readonly Finding[]> {
  const message = `it took longer than ${String(milliseconds / 1000)} s`;
  return pTimeout(check, { milliseconds, message }).catch((error: unknown) => [
    broken(name, reasonOf(error)),
  ]);
}

const broken = (check: string, cause: string): Finding => ({
  check,
  status: 'fault',
  found: 'could not be looked at',
  cause,
  fix: 'put the cause right and ask again',
});

/** @returns what was done, a line each; a repair that fails says why */
export async function repair(findings: readonly Finding[]): Promise<readonly string[]> {
  const done: string[] = [];
  for (const { check, repair: act } of findings) {
    if (act === undefined) continue;
    try {
      done.push(`${check}: ${await act()}`);
    } catch (error) {
      done.push(`${check}: not repaired: ${reasonOf(error)}`);
    }
  }
  return done;
}
