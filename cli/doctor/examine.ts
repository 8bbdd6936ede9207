// Runs every check, each within its own time, and repairs what may be repaired. Called by cli/commands/doctor.ts.
import { createRedact } from '../../domain/redaction/redact.js';
import { checkDataDirectory, checkDirectoryExists } from './dataDirectory.js';
import { checkDatabase } from './database.js';
import { checkGateway } from './gateway.js';
import { checkCalendar, checkConfig, checkFonts, checkNode, checkPorts } from './machine.js';
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
  calendar: checkCalendar,
};

/** For one check with all its questions, milliseconds. */
const limitMs = 20_000;

/** @returns what every check found, in the order above; secrets are taken out */
export async function examine(patient: Patient): Promise<readonly Finding[]> {
  const redact = createRedact(secretsOf(patient));
  const clean = (finding: Finding): Finding => ({
    ...finding,
    found: redact(finding.found),
    ...(finding.cause !== undefined && { cause: redact(finding.cause) }),
    ...(finding.fix !== undefined && { fix: redact(finding.fix) }),
  });
  const found = await Promise.all(
    Object.entries(checks).map(([name, check]) => within(name, async () => check(patient))),
  );
  return found.flat().map(clean);
}

async function within(name: string, work: () => Promise<readonly Finding[]>): Promise<readonly Finding[]> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<readonly Finding[]>((resolve) => {
    timer = setTimeout(() => {
      resolve([broken(name, `it took longer than ${String(limitMs / 1000)} s`)]);
    }, limitMs);
  });
  try {
    return await Promise.race([work(), late]);
  } catch (error) {
    return [broken(name, reasonOf(error))];
  } finally {
    clearTimeout(timer);
  }
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
