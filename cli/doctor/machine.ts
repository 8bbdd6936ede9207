// What the machine itself must have: Node, a whole configuration, free ports, a font that draws, a calendar that reaches
// far enough. Called by examine.ts.
import { existsSync } from 'node:fs';
import { chartFont, problemOfFont } from '../../adapters/charts/drawnText.js';
import { createNyseCalendar } from '../../domain/market/nyse.js';
import { isFree } from '../supervisor/ports.js';
import { embeddedPorts } from '../supervisor/settings.js';
import type { Finding, Patient } from './types.js';
import { askMs, reasonOf } from './types.js';

/** As package.json's engines: from 20.19, below 25. */
export function checkNode({ nodeVersion }: Patient): Finding[] {
  const [major = 0, minor = 0] = nodeVersion.split('.').map(Number);
  const fits = (major > 20 || (major === 20 && minor >= 19)) && major < 25;
  if (fits) return [{ check: 'node', status: 'ok', found: `Node.js ${nodeVersion}` }];
  return [
    {
      check: 'node',
      status: 'fault',
      found: `Node.js ${nodeVersion}`,
      cause: 'Keel runs on Node.js 20.19 up to 24',
      fix: 'install Node.js 22 or 24 (LTS), and run npm ci again',
    },
  ];
}

export const checkConfig = (patient: Patient): Finding[] => [...otherMode(patient), ...configOf(patient)];

/** Else every line after it would be told of the Keel that runs, and be of none. */
function otherMode({ running, mode }: Patient): Finding[] {
  if (running === null || running.mode === mode) return [];
  return [
    {
      check: 'configuration',
      status: 'fault',
      found: `the Keel that runs here is in ${running.mode} mode, and this environment says ${mode}`,
      cause: 'its settings are in the environment that it was started with; what is said here is of this one',
      fix: 'give keel doctor the same variables, KEEL_MODE first',
    },
  ];
}

function configOf({ problems, mode, environment }: Patient): Finding[] {
  if (problems.length === 0) {
    return [
      { check: 'configuration', status: 'ok', found: `whole: ${mode} mode, ${environment} environment` },
    ];
  }
  return problems.map((problem) => ({
    check: 'configuration',
    status: 'fault',
    found: problem,
    cause: 'a variable or a setting is missing, misspelt or out of range',
    fix: 'correct it where the line says; .env.example and config/default.yaml list all',
  }));
}

export async function checkPorts(patient: Patient): Promise<Finding[]> {
  const { running, sections, env, environment } = patient;
  if (running !== null) {
    return [{ check: 'ports', status: 'skipped', found: 'a Keel runs here and holds its own' }];
  }
  const { api, simulator } = sections;
  if (api !== undefined && (await answersAsKeel(api.host, api.port))) {
    return [{ check: 'ports', status: 'ok', found: `an API of Keel answers on ${String(api.port)}` }];
  }
  const simulated = patient.mode === 'simulated' && !env['IBKR_BASE_URL'];
  const wanted: Readonly<Record<string, number>> = {
    ...(api && { KEEL_API_PORT: api.port }),
    ...(simulated &&
      simulator && {
        KEEL_SIMULATOR_PORT: simulator.port,
        KEEL_SIMULATOR_ADMIN_PORT: simulator.adminPort,
      }),
    ...(env['TEMPORAL_ADDRESS'] ? {} : { 'of Temporal': embeddedPorts.temporal }),
    ...(env['DATABASE_URL'] ? {} : { 'of PostgreSQL': embeddedPorts.postgres }),
  };
  const looked = await Promise.all(
    Object.entries(wanted).map(async ([name, port]) => ({
      name,
      port,
      free: port === 0 || (await isFree(port)),
    })),
  );
  const busy = looked.filter(({ free }) => !free);
  if (busy.length === 0) return [{ check: 'ports', status: 'ok', found: 'all that Keel wants are free' }];
  return busy.map(({ name, port }) => busyPort(name, port, environment === 'production'));
}

const busyPort = (name: string, port: number, production: boolean): Finding => ({
  check: 'ports',
  status: production ? 'fault' : 'warning',
  found: `port ${String(port)} (${name}) is taken`,
  cause: 'another program listens on it',
  fix: production
    ? 'end that program, or give the process another port'
    : 'nothing needs doing: npm start takes a free one and prints it. Or end that program',
});

/** An API that is up already is no stranger on its port. */
async function answersAsKeel(host: string, port: number): Promise<boolean> {
  if (port === 0) return false;
  try {
    const answer = await fetch(`http://${host}:${String(port)}/health`, {
      signal: AbortSignal.timeout(askMs),
    });
    return (answer.headers.get('x-request-id') ?? '') !== '';
  } catch {
    return false;
  }
}

export function checkFonts({ fontFile = chartFont() }: Patient): Finding[] {
  const fault = (cause: string): Finding[] => [
    {
      check: 'fonts',
      status: 'fault',
      found: 'charts would show no readable text',
      cause,
      fix: `restore ${fontFile} (git checkout, or install again) and run npm run build`,
    },
  ];
  if (!existsSync(fontFile)) return fault(`the font file ${fontFile} is missing`);
  try {
    const problem = problemOfFont(fontFile);
    return problem === null
      ? [{ check: 'fonts', status: 'ok', found: 'text drawn, and its pixels seen' }]
      : fault(problem);
  } catch (error) {
    return fault(`the font or the canvas can not be used: ${reasonOf(error)}`);
  }
}

const warnDays = 120;
const dayMs = 86_400_000;

export function checkCalendar({ now, mode }: Patient): Finding[] {
  const { last } = createNyseCalendar();
  const days = Math.floor((Date.parse(last) - now()) / dayMs);
  if (days >= warnDays) return [{ check: 'calendar', status: 'ok', found: `NYSE sessions up to ${last}` }];
  return [
    {
      check: 'calendar',
      // The simulator replays years that are past.
      status: days < 0 && mode !== 'simulated' ? 'fault' : 'warning',
      found: `NYSE sessions end on ${last}`,
      cause:
        days < 0 ? 'today is outside the table, so no order can go out' : `that is in ${String(days)} days`,
      fix: 'update Keel, or make the table again with scripts/nyse-calendar.py',
    },
  ];
}
