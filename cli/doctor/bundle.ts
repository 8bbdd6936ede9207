// A file for whoever helps: what the doctor found, versions, the masked configuration and the ends of the logs, with
// every secret taken out. One JSON file, so that its owner can read it before sending. Called by cli/commands/doctor.ts.
import { closeSync, fstatSync, openSync, readSync, readdirSync } from 'node:fs';
import { arch, cpus, platform, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { maskedConfig } from '../../config/print.js';
import { createRedact } from '../../domain/redaction/redact.js';
import { writeFileAtomically } from '../supervisor/records.js';
import { keelVersion } from '../../config/version.js';
import { secretsOf } from './secrets.js';
import type { Finding, Patient } from './types.js';
import { shown } from './types.js';

/** Of each log. */
const lastBytes = 64 * 1024;

export function writeBundle(file: string, patient: Patient, findings: readonly Finding[]): void {
  const redact = createRedact(secretsOf(patient));
  const bundle = {
    keel: keelVersion(),
    writtenAt: new Date(patient.now()).toISOString(),
    machine: {
      node: patient.nodeVersion,
      platform: `${platform()} ${release()} ${arch()}`,
      cores: cpus().length,
      memoryMb: Math.round(totalmem() / 1e6),
    },
    mode: patient.mode,
    environment: patient.environment,
    findings: findings.map(shown),
    configuration: maskedConfig(patient.sections),
    logs: logsOf(join(patient.dataDir, 'logs')),
  };
  // Redacted as text once more: nothing that a log or a setting holds gets past it.
  writeFileAtomically(file, `${redact(JSON.stringify(bundle, null, 2))}\n`);
}

function logsOf(folder: string): Record<string, readonly string[]> {
  let names: string[];
  try {
    names = readdirSync(folder).filter((name) => name.endsWith('.log'));
  } catch {
    return {};
  }
  return Object.fromEntries(names.map((name) => [name, endOf(join(folder, name))]));
}

function endOf(file: string): readonly string[] {
  const handle = openSync(file, 'r');
  try {
    const { size } = fstatSync(handle);
    const buffer = Buffer.alloc(Math.min(size, lastBytes));
    readSync(handle, buffer, 0, buffer.length, Math.max(0, size - buffer.length));
    const lines = buffer.toString('utf8').split('\n');
    // The first may be cut in the middle, and with it a secret that would no longer be known.
    return size > buffer.length ? lines.slice(1) : lines;
  } finally {
    closeSync(handle);
  }
}
