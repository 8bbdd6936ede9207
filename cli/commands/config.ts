// `keel config print|check`: what the processes would start with, secrets masked. Called by cli/main.ts.
import { stringify } from 'yaml';
import type { ConfigSection } from '../../config/load.js';
import { loadConfig } from '../../config/load.js';
import { ConfigError } from '../../config/problems.js';
import { maskedConfig } from '../../config/print.js';
import { parseArguments, subcommand } from '../arguments.js';
import type { Say } from '../say.js';
import { UsageError } from '../supervisor/options.js';

export const configHelp = `Usage: keel config print|check

  print   every setting with its value, secrets masked; services that npm start would bring are left out
  check   whether worker and API could start with this environment, every problem at once with its fix

Examples:
  keel config print
  KEEL_ENV=production keel config check`;

/** Sections that are whole without a running service. */
const alone: readonly ConfigSection[] = [
  'log',
  'metrics',
  'tracing',
  'errorReports',
  'objectStore',
  'simulator',
  'api',
  'worker',
  'risk',
];
const services: readonly ConfigSection[] = ['database', 'temporal', 'broker', 'auth'];

export function configCommand(args: readonly string[], out: Say, env: NodeJS.ProcessEnv): number {
  const { positionals } = parseArguments({ args: [...args], allowPositionals: true, options: {} });
  const [word, ...rest] = positionals;
  const command = subcommand('config', word, ['print', 'check']);
  if (rest.length > 0) throw new UsageError(`config ${command} takes nothing more`);
  if (command === 'check') {
    const { mode, environment } = loadConfig(env, { files: ['broker', 'temporal'] });
    out(`The configuration is whole: ${mode} mode, ${environment} environment.`);
    return 0;
  }
  const base = loadConfig(env, { need: alone });
  const more = services.map((section) => readable(env, section));
  out(stringify(maskedConfig(Object.assign({}, base, ...more) as typeof base)).trimEnd());
  const missing = services.filter((_section, index) => more[index] === null);
  if (missing.length > 0) out(`# not set, npm start brings them: ${missing.join(', ')}`);
  return 0;
}

/** A section that only a running service makes whole; null where it is not. */
function readable(env: NodeJS.ProcessEnv, section: ConfigSection): object | null {
  try {
    return loadConfig(env, { need: [section] });
  } catch (error) {
    if (error instanceof ConfigError) return null;
    throw error;
  }
}
