// The `keel` command: finds the command and turns errors into one line. Called by cli/bin/keel.mjs.
import type { Mode } from '../contracts/wire/names.js';
import { loadConfig } from '../config/load.js';
import { withSecretFiles } from '../config/secretFiles.js';
import { adminCommand, adminHelp } from './commands/admin.js';
import { auditCommand, auditHelp } from './commands/audit.js';
import { backupCommand, backupHelp, restoreCommand, restoreHelp } from './commands/backup.js';
import { chartCommand, chartHelp } from './commands/chart.js';
import { completionCommand, completionHelp } from './commands/completion.js';
import { configCommand, configHelp } from './commands/config.js';
import { ibkrCommand, ibkrHelp } from './commands/ibkr.js';
import { doctorCommand, doctorHelp } from './commands/doctor.js';
import { evalCommand, evalHelp } from './commands/eval.js';
import { indicatorsCommand, indicatorsHelp } from './commands/indicators.js';
import { migrateCommand, migrateHelp } from './commands/migrate.js';
import { explainCommand, explainHelp, replayCommand, replayHelp } from './commands/replay.js';
import { retentionCommand, retentionHelp } from './commands/retention.js';
import { runCommand, runHelp, runsCommand, runsHelp } from './commands/run.js';
import { spendingCommand, spendingHelp } from './commands/spending.js';
import { strategiesCommand, strategiesHelp } from './commands/strategies.js';
import { workflowsCommand, workflowsHelp } from './commands/workflows.js';
import { simulatorCommand, simulatorHelp } from './commands/simulator.js';
import { verifyCommand, verifyHelp } from './commands/verify.js';
import { commandOf, help } from './help.js';
import { dataDirOf } from './place.js';
import { onStandardError, plainProgress, type ShowProgress } from './progress.js';
import type { Say } from './say.js';
import { sayTo } from './say.js';
import { StartError } from './supervisor/dataDir.js';
import { errorText } from './supervisor/main.js';
import { UsageError } from './supervisor/options.js';
import { readDotEnv } from './supervisor/settings.js';
import { readState } from './supervisor/state.js';

interface Context {
  readonly args: readonly string[];
  readonly out: Say;
  readonly err: Say;
  readonly env: NodeJS.ProcessEnv;
  readonly progress: ShowProgress;
}

interface Command {
  readonly summary: string;
  readonly help: string;
  run(context: Context): Promise<number> | number;
}

const commands: Readonly<Record<string, Command>> = {
  run: {
    summary: 'runs a strategy on a symbol and shows its steps',
    help: runHelp,
    run: ({ args, out, env }) => interruptible((signal) => runCommand(args, out, env, signal)),
  },
  runs: { summary: 'lists runs', help: runsHelp, run: ({ args, out, env }) => runsCommand(args, out, env) },
  spending: {
    summary: 'shows what models have cost, and what is left of the caps',
    help: spendingHelp,
    run: ({ args, out, env }) => spendingCommand(args, out, env),
  },
  strategies: {
    summary: 'lists, shows, makes and changes strategies',
    help: strategiesHelp,
    run: ({ args, out, env }) => strategiesCommand(args, out, env),
  },
  workflows: {
    summary: 'lists, shows, makes and versions workflow definitions',
    help: workflowsHelp,
    run: ({ args, out, env }) => workflowsCommand(args, out, env),
  },
  verify: {
    summary: 'checks the summary of a run against everything stored',
    help: verifyHelp,
    run: ({ args, out, env }) => verifyCommand(args, out, env),
  },
  replay: {
    summary: 'makes a stored decision again and compares it byte by byte',
    help: replayHelp,
    run: ({ args, out, env }) => replayCommand(args, out, env),
  },
  explain: {
    summary: 'prints how a decision came about, with every hash checked',
    help: explainHelp,
    run: ({ args, out, env }) => explainCommand(args, out, env),
  },
  eval: {
    summary: 'measures an analyst on bars of the past',
    help: evalHelp,
    run: ({ args, out, err, env, progress }) => evalCommand(args, out, err, env, progress),
  },
  indicators: {
    summary: 'computes indicators on a CSV of bars',
    help: indicatorsHelp,
    run: ({ args, out, err }) => indicatorsCommand(args, out, err),
  },
  chart: {
    summary: 'draws a chart of a CSV of bars',
    help: chartHelp,
    run: ({ args, out, err }) => chartCommand(args, out, err),
  },
  migrate: {
    summary: 'applies or takes back migrations of the database',
    help: migrateHelp,
    run: ({ args, out, err, env }) =>
      migrateCommand(args, out, err, (dataDir) => databaseOf(env, dataDir).url),
  },
  admin: {
    summary: 'makes an admin, or gives one a new one-time password',
    help: adminHelp,
    run: ({ args, out, env }) => adminCommand(args, out, (dataDir) => databaseOf(env, dataDir)),
  },
  audit: {
    summary: 'shows who did what, or checks that nobody has changed it',
    help: auditHelp,
    run: ({ args, out, err, env }) => auditCommand(args, out, err, (dataDir) => databaseOf(env, dataDir).url),
  },
  backup: {
    summary: 'writes database, objects and settings to a directory',
    help: backupHelp,
    run: ({ args, out, env, progress }) => backupCommand(args, out, env, progress),
  },
  restore: {
    summary: 'checks a backup and puts it back, whole or not at all',
    help: restoreHelp,
    run: ({ args, out, env, progress }) => restoreCommand(args, out, env, progress),
  },
  retention: {
    summary: 'deletes what is old, or tells what would go',
    help: retentionHelp,
    run: ({ args, out, err, env, progress }) => retentionCommand(args, out, env, progress, err),
  },
  simulator: {
    summary: 'runs the broker simulator, or steps one that runs',
    help: simulatorHelp,
    run: ({ args, out, err, env }) => simulatorCommand(args, out, env, err),
  },
  ibkr: {
    summary: 'trusts the certificate of an IBKR gateway, tells where to log in',
    help: ibkrHelp,
    run: ({ args, out, env }) =>
      ibkrCommand({ args, out, env, stdin: process.stdin, directory: process.cwd() }),
  },
  config: {
    summary: 'prints or checks the configuration',
    help: configHelp,
    run: ({ args, out, env }) => configCommand(args, out, env),
  },
  doctor: {
    summary: 'names what keeps Keel from working, with cause and fix',
    help: doctorHelp,
    run: ({ args, out, env }) => doctorCommand(args, out, env),
  },
};

/** All of them, with the one that has to know the others. */
const allCommands: Readonly<Record<string, Command>> = {
  ...commands,
  completion: {
    summary: 'prints a script that completes commands in your shell',
    help: completionHelp,
    run: ({ args, out }) => completionCommand(args, out, allCommands),
  },
};

/** The command line as cli/bin/keel.mjs gives it. @returns the exit code */
export const main = (argv: readonly string[]): Promise<number> =>
  keel(argv, {
    out: sayTo(process.stdout),
    ...onStandardError(),
    env: () => {
      readDotEnv(process.cwd());
      return process.env;
    },
  });

interface Surroundings {
  readonly out: Say;
  readonly err: Say;
  readonly env: () => NodeJS.ProcessEnv;
  /** Lines on `err` unless given. */
  readonly progress?: ShowProgress;
}

/**
 * @param argv without node and script
 * @returns the exit code, as exitCodes.ts lists them
 */
export async function keel(
  argv: readonly string[],
  { out, err, env, progress = plainProgress(err) }: Surroundings,
): Promise<number> {
  const debug = argv.includes('--debug');
  const [name, ...args] = argv.filter((argument) => argument !== '--debug');
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    return help(
      { commands: allCommands, out, err },
      name === 'help' ? args[0] : undefined,
      name === undefined ? 2 : 0,
    );
  }
  const command = commandOf(allCommands, name, err);
  if (command === undefined) return 2;
  if (args.includes('--help') || args.includes('-h')) {
    out(command.help);
    return 0;
  }
  try {
    return await command.run({ args, out, err, env: withSecretFiles(env()).env, progress });
  } catch (error) {
    const text = errorText(error, debug);
    const stop = text.endsWith('?') ? '' : '.';
    const hint = error instanceof UsageError ? `${stop} keel ${name} --help shows the options.` : '';
    err(`keel: ${text}${hint}`);
    return error instanceof UsageError ? 2 : 1;
  }
}

/** Ctrl-C ends the watching, not the run: that goes on where it runs. */
async function interruptible(work: (signal: AbortSignal) => Promise<number>): Promise<number> {
  const controller = new AbortController();
  const onSignal = (): void => {
    controller.abort(new Error('interrupted; the run itself goes on'));
  };
  process.once('SIGINT', onSignal);
  process.once('SIGTERM', onSignal);
  try {
    return await work(controller.signal);
  } finally {
    process.off('SIGINT', onSignal);
    process.off('SIGTERM', onSignal);
  }
}

/**
 * That of the Keel that runs on the directory of --data-dir; else DATABASE_URL, else that of a Keel that runs here.
 * @throws UsageError for both, StartError where none runs there, ConfigError naming all ways
 */
function databaseOf(
  env: NodeJS.ProcessEnv,
  option: string | undefined,
): { readonly url: string; readonly mode: Mode } {
  const dataDir = dataDirOf(option, env);
  const running = env['DATABASE_URL'] ? null : readState(dataDir);
  if (option !== undefined && running === null) {
    throw new StartError(`no Keel runs on ${dataDir}: start it, or give DATABASE_URL in place of --data-dir`);
  }
  if (running !== null) return { url: running.databaseUrl, mode: running.mode };
  const { database, mode } = loadConfig(env, { need: ['database'] });
  return { url: database.url, mode };
}
