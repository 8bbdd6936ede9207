// `npm start`: one whole Keel on one machine. Starts the processes, runs one session in the simulated market, prints
// what happens and stays up until Ctrl-C. Called by scripts/start.mjs, which has done the set-up.
import { accessSync, constants, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { naturalOutcomes } from '../../contracts/wire/run.js';
import { createNyseCalendar } from '../../domain/market/nyse.js';
import type { RunDetail } from '../api.js';
import { createApi } from '../api.js';
import { openMarket } from '../market.js';
import { printSummary } from '../printSummary.js';
import { runOutside, sayAgain } from '../runOutside.js';
import { runSession } from '../runSession.js';
import { refusedByCalendar } from '../session.js';
import type { Say } from '../say.js';
import { duration, sayTo } from '../say.js';
import type { Places } from '../summary.js';
import { summaryOf, writeSummary } from '../summary.js';
import { boot } from './boot.js';
import { lockDataDir, prepareDataDir, StartError } from './dataDir.js';
import { gatewayLine, loginLine } from './gateway.js';
import { endLeftovers } from './leftovers.js';
import type { StartOptions } from './options.js';
import { parseStartOptions, startHelp, UsageError } from './options.js';
import { resetCluster } from './postgres.js';
import { resetData } from './reset.js';
import type { Settings } from './settings.js';
import { readDotEnv, readSettings } from './settings.js';
import { watchSignals } from './signals.js';
import type { Stack } from './stack.js';
import { createStack } from './stack.js';
import type { KeelState } from './state.js';
import { removeState, writeState } from './state.js';

const graceMs = { worker: 20_000, api: 10_000, simulator: 10_000, temporal: 10_000, postgres: 20_000 };
const restarts = 3;

/**
 * @param argv without node and script
 * @returns the exit code: 0 after a natural end of the run or Ctrl-C after it, 1 after a failure, 2 for wrong use,
 * 128 + the signal's number when it was interrupted
 */
export async function main(argv: readonly string[]): Promise<number> {
  const say = sayTo(process.stdout);
  const complain = sayTo(process.stderr);
  let options: StartOptions;
  try {
    readDotEnv(process.cwd());
    options = parseStartOptions(argv, process.env['KEEL_DATA_DIR']);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    complain(`keel: ${error.message}. npm start -- --help shows the options.`);
    return 2;
  }
  if (options.help) {
    say(startHelp);
    return 0;
  }
  try {
    return await supervise(options, say);
  } catch (error) {
    complain(`keel: ${errorText(error, options.debug)}`);
    return 1;
  }
}

/** One clear line; the stack only when asked for. */
export const errorText = (error: unknown, debug: boolean): string =>
  error instanceof Error ? ((debug ? error.stack : undefined) ?? error.message) : String(error);

async function supervise(options: StartOptions, say: Say): Promise<number> {
  const { dataDir, json } = options;
  if (json !== null) mustBeWritable(json);
  const dateProblem = options.asOf === null ? null : refusedByCalendar(createNyseCalendar(), options.asOf);
  if (dateProblem !== null) throw new StartError(dateProblem);
  const { fresh } = prepareDataDir(dataDir);
  const unlock = lockDataDir(dataDir);
  const stack = createStack({ dataDir, say, graceMs, restarts });
  const signals = watchSignals(() => {
    stack.kill();
  });
  const ends: (() => Promise<void>)[] = [];
  let code: number | null = null;
  try {
    removeState(dataDir);
    const settings = await prepare(options, fresh, say);
    signals.aborted.throwIfAborted();
    const work = run({ options, settings, stack, say, ends, signal: signals.aborted });
    code = await Promise.race([work, stack.broken, signals.interrupted]);
    if (options.once) return code;
    say('');
    say('Press Ctrl-C to stop.');
    return await Promise.race([stack.broken, signals.interrupted]);
  } catch (error) {
    const interrupted = signals.exitCode();
    if (interrupted === null) throw error;
    // Ctrl-C is how a Keel that stays up ends: what counts is then how its run has ended.
    return code ?? interrupted;
  } finally {
    signals.stop();
    removeState(dataDir);
    for (const end of ends) await end().catch(() => undefined);
    await stack.stop();
    unlock();
    signals.close();
  }
}

/** Known before the run, not after it. @throws StartError */
function mustBeWritable(file: string): void {
  try {
    accessSync(dirname(file), constants.W_OK);
  } catch (error) {
    throw new StartError(`--json ${file}: there is no folder ${dirname(file)} that can be written`, {
      cause: error,
    });
  }
  if (statSync(file, { throwIfNoEntry: false })?.isDirectory() === true) {
    throw new StartError(`--json ${file} is a folder: give the name of a file`);
  }
}

/** What has to be done before anything is started. */
async function prepare({ dataDir, reset, asOf }: StartOptions, fresh: boolean, say: Say): Promise<Settings> {
  for (const { role, pid } of await endLeftovers(dataDir, { graceMs: 10_000 })) {
    say(`  · ${role} (process ${String(pid)}), left by a start that was killed, has been ended`);
  }
  const settings = await readSettings(process.env, dataDir, asOf);
  if (reset) resetData(dataDir, settings);
  // A cluster outside a directory that was deleted by hand remembers runs that nothing else remembers.
  else if (fresh && !settings.given.database) resetCluster(dataDir);
  for (const [name, { port, insteadOf }] of Object.entries(settings.ports)) {
    if (insteadOf !== null) say(`  · port ${String(insteadOf)} is busy: ${name} takes ${String(port)}`);
  }
  return settings;
}

interface RunContext {
  readonly options: StartOptions;
  readonly settings: Settings;
  readonly stack: Stack;
  readonly say: Say;
  /** What has to be closed before the processes are stopped. */
  readonly ends: (() => Promise<void>)[];
  readonly signal: AbortSignal;
}

async function run(context: RunContext): Promise<number> {
  const { options, settings, stack, say } = context;
  const began = performance.now();
  const since = Date.now();
  const { dataDir } = options;
  say(`Keel starts in ${settings.config.mode} mode; data in ${dataDir}`);
  const state = await boot({ dataDir, settings, stack, say });
  writeState(dataDir, { ...state, privateAddresses: settings.config.notifier.privateAddresses });
  say(`  ready after ${duration(performance.now() - began)}`);
  const trouble = state.simulator === null ? await brokerLine(context, state, since) : null;
  if (trouble !== null) say(`  ! ${trouble}`);
  say('');
  if (state.simulator !== null) return demo(context, state);
  const wanted = options.once || options.named || options.again || options.json !== null;
  return wanted ? demoOutside(context, state) : serveOnly(state, say);
}

const brokerLine = async (
  { settings, signal }: RunContext,
  { apiUrl, apiKey }: KeelState,
  since: number,
): Promise<string | null> =>
  (await gatewayLine(settings.config.broker.baseUrl)) ??
  (await loginLine(createApi(apiUrl, apiKey), since, signal));

function serveOnly(state: KeelState, say: Say): number {
  say(`API ${state.apiUrl}/docs. No run is started by itself in ${state.mode} mode.`);
  return 0;
}

/** The demo strategy's run where the market is not ours to step: of the session that closed last. */
async function demoOutside({ options, say, signal }: RunContext, state: KeelState): Promise<number> {
  const { symbol, noWait, again } = options;
  const api = createApi(state.apiUrl, state.apiKey);
  const { id: strategyId } = await api.ensureDemo(symbol);
  const run = await runOutside(api, { strategyId, symbol, noWait, again, signal, say });
  const code = tellEnd(options, run, state, say);
  sayAgain(run, `npm start -- --once --symbol ${symbol} --again`, say);
  return code;
}

/** The demo strategy's run. While Keel stays up, the driver goes on for runs that others start. */
async function demo({ options, say, signal, ends }: RunContext, state: KeelState): Promise<number> {
  const { symbol, asOf, again } = options;
  const market = await openMarket(state);
  const driving = market.drive(signal, (message) => {
    say(`  · the market cannot be stepped now: ${message}`);
  });
  ends.push(async () => {
    await driving;
    await market.close();
  });
  await market.dataOf(symbol);
  const api = createApi(state.apiUrl, state.apiKey);
  const { id, slot } = await api.ensureDemo(symbol);
  const tell = (run: RunDetail): void => {
    printSummary(run, placesOf(state, options.dataDir), say);
  };
  const request = { api, market, symbol, strategyId: id, slot, asOf, again, signal, say, tell };
  const detail = await runSession(request);
  return tellEnd(options, detail, state, say);
}

function tellEnd({ json, dataDir }: StartOptions, detail: RunDetail, state: KeelState, say: Say): number {
  const places = placesOf(state, dataDir);
  printSummary(detail, places, say);
  if (json !== null) {
    writeSummary(json, summaryOf(detail, places));
    say(`  summary   ${json}`);
  }
  return codeOf(detail);
}

export const placesOf = (state: KeelState, dataDir: string): Places => ({
  apiUrl: state.apiUrl,
  dataDir,
  databaseDir: state.databaseDir,
  objectDir: state.objectDir,
  ledgerFile: state.simulator?.ledgerFile ?? null,
});

export const codeOf = ({ outcome }: Pick<RunDetail, 'outcome'>): number =>
  outcome !== null && naturalOutcomes.includes(outcome) ? 0 : 1;
