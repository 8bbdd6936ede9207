// `keel doctor`: looks at everything that Keel needs and names each fault with its cause and fix. Called by cli/main.ts.
import { resolve } from 'node:path';
import { dataDirOption, parseArguments } from '../arguments.js';
import { writeBundle } from '../doctor/bundle.js';
import { examine, repair } from '../doctor/examine.js';
import { readPatient } from '../doctor/patient.js';
import type { Finding } from '../doctor/types.js';
import { shown } from '../doctor/types.js';
import type { Say } from '../say.js';
import { wrap } from '../say.js';
import { UsageError } from '../supervisor/options.js';

export const doctorHelp = `Usage: keel doctor [--fix] [--json] [--bundle FILE] [--llm] [--data-dir DIR]

Looks at Node, configuration, ports, data directory, PostgreSQL and its migrations, Temporal and its search attributes,
object store, fonts, the gateway's certificate, the broker session, clocks, the calendar, the cache and the channels that
tell people (nothing is sent to them). It looks at a Keel that runs on the data directory, by the
variables of this environment, which should be those that it was started with; else at what the environment gives.
Without --fix it changes nothing.

  --fix           does what is safe: makes the data directory, removes the lock of a dead process, makes secret files
                  private, applies pending migrations, registers search attributes, makes the bucket
  --json          one object: the findings, and what was repaired
  --bundle FILE   writes findings, versions, masked settings and the ends of the logs, secrets taken out, to send
  --llm           asks each configured model four small questions, which a provider charges (a few cents at most), and
                  records what it can do: answer over which API, keep a schema, see a picture. The analyst goes by it
  --data-dir DIR  KEEL_DATA_DIR, or .keel, when not given

Exit code 0 when there is no fault (a warning is none), 1 when there is one.

Examples:
  keel doctor
  keel doctor --fix
  keel doctor --json --bundle keel-report.json
  keel doctor --llm`;

const marks: Readonly<Record<Finding['status'], string>> = {
  ok: '✓',
  warning: '!',
  fault: '✗',
  skipped: '·',
};

/** @returns 0 without a fault, 1 with one */
export async function doctorCommand(
  args: readonly string[],
  out: Say,
  env: NodeJS.ProcessEnv,
): Promise<number> {
  const options = readOptions(args);
  const given = options.dataDir === undefined ? env : { ...env, KEEL_DATA_DIR: options.dataDir };
  const look = () => readPatient(given, { now: () => Date.now(), nodeVersion: process.versions.node });
  let patient = look();
  let findings = await examine(patient, options.llm);
  const repaired = options.fix ? await repair(findings) : [];
  if (repaired.length > 0) {
    patient = look();
    // What was asked of the model stands.
    findings = [...(await examine(patient)), ...findings.filter(({ check }) => check.startsWith('model'))];
  }
  if (options.bundle !== null) writeBundle(options.bundle, patient, findings);
  const faults = findings.filter(({ status }) => status === 'fault').length;
  if (options.json) {
    out(JSON.stringify({ healthy: faults === 0, findings: findings.map(shown), repaired }, null, 2));
  } else {
    for (const line of repaired) out(`repaired  ${line}`);
    for (const finding of findings) sayFinding(finding, out);
    out(faults === 0 ? 'No fault found.' : `${String(faults)} ${faults === 1 ? 'fault' : 'faults'} found.`);
    if (options.bundle !== null) out(`Written to ${options.bundle}; read it before you send it.`);
  }
  return faults === 0 ? 0 : 1;
}

function sayFinding({ check, status, found, cause, fix }: Finding, out: Say): void {
  out(`${marks[status]} ${check.padEnd(18)} ${found}`);
  if (status !== 'warning' && status !== 'fault') return;
  if (cause !== undefined) out(wrap(`cause: ${cause}`, 96, '    '));
  if (fix !== undefined) out(wrap(`fix: ${fix}`, 96, '    '));
}

interface Options {
  readonly fix: boolean;
  readonly json: boolean;
  readonly bundle: string | null;
  readonly llm: boolean;
  readonly dataDir: string | undefined;
}

function readOptions(args: readonly string[]): Options {
  try {
    const { values } = parseArguments({
      args: [...args],
      options: {
        fix: { type: 'boolean' },
        json: { type: 'boolean' },
        bundle: { type: 'string' },
        llm: { type: 'boolean' },
        ...dataDirOption,
      },
    });
    const { bundle } = values;
    if (bundle === '') throw new Error('--bundle needs the name of a file');
    return {
      fix: values.fix ?? false,
      json: values.json ?? false,
      llm: values.llm ?? false,
      bundle: bundle === undefined ? null : resolve(bundle),
      dataDir: values['data-dir'],
    };
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error), { cause: error });
  }
}
