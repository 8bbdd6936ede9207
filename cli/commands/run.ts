// `keel run SYMBOL` and `keel runs`: through the API of a Keel that runs. Called by cli/main.ts.
import { isDate } from '../../domain/market/dates.js';
import { parseArguments } from '../arguments.js';
import type { Api, RunDetail } from '../api.js';
import { createApi } from '../api.js';
import { openMarket } from '../market.js';
import { runOutside, sayAgain } from '../runOutside.js';
import { runSession } from '../runSession.js';
import { apiElsewhere, apiOf, dataDirOf, requireState } from '../running.js';
import type { Say } from '../say.js';
import { printSummary } from '../printSummary.js';
import { sayTable } from '../table.js';
import { codeOf, placesOf } from '../supervisor/main.js';
import { UsageError } from '../supervisor/options.js';
import type { KeelState } from '../supervisor/state.js';

export const runHelp = `Usage: keel run SYMBOL [options]

Runs a strategy on a symbol, shows its steps as they happen, then a summary. Needs a running Keel (npm start).
In the simulated market the next session without a run is stepped to; in paper and live it is the last closed one.

  --strategy ID     a strategy of yours; the symbol's demo strategy when not given (simulated mode only)
  --as-of DATE      the session, YYYY-MM-DD (simulated market)
  --again           another run of the session that closed last, where its runs have all ended without an order
                    that may have gone out
  --data-dir DIR    of the Keel that runs: .keel when not given
  --api URL         an API elsewhere, in place of --data-dir; then no market is stepped and --strategy is needed.
                    KEEL_API_KEY holds a key of yours there

Examples:
  keel run AAPL
  keel run SPX --as-of 2010-06-01
  keel run AAPL --strategy my-trend --again
  keel run AAPL --strategy my-trend --api http://127.0.0.1:3000`;

export const runsHelp = `Usage: keel runs [options]

Lists runs, newest session first.

  --symbol SYMBOL   --strategy ID   --limit N (50)   --data-dir DIR   --api URL   --json

Example:
  keel runs --symbol AAPL --limit 10`;

const text = { type: 'string' } as const;

/** @returns 0 after a natural end of the run, 1 after another */
export async function runCommand(
  args: readonly string[],
  out: Say,
  env: NodeJS.ProcessEnv,
  signal: AbortSignal,
): Promise<number> {
  const { values, positionals } = parseArguments({
    args: [...args],
    allowPositionals: true,
    options: { strategy: text, 'as-of': text, 'data-dir': text, api: text, again: { type: 'boolean' } },
  });
  const [symbol, ...rest] = positionals;
  if (symbol === undefined || rest.length > 0) throw new UsageError('one SYMBOL is needed');
  const asOf = values['as-of'] ?? null;
  if (asOf !== null && !isDate(asOf))
    throw new UsageError(`--as-of ${asOf} is no date: write it as YYYY-MM-DD`);
  const { strategy, again = false } = values;
  if (asOf !== null && again)
    throw new UsageError('--again is for the session that closed last: give no --as-of with it');
  const wanted = { symbol: symbol.toUpperCase(), strategy, asOf, again, out, signal };
  if (values.api !== undefined) return runThere(apiElsewhere(values.api, env), wanted);
  const dataDir = dataDirOf(values['data-dir'], env);
  const state = requireState(dataDir);
  const api = createApi(state.apiUrl, state.apiKey);
  if (state.simulator === null) return runThere(api, wanted);
  const tell = (run: RunDetail): void => {
    printSummary(run, placesOf(state, dataDir), out);
  };
  const detail = await inMarket(api, state, wanted, tell);
  tell(detail);
  return codeOf(detail);
}

interface Wanted {
  readonly symbol: string;
  readonly strategy: string | undefined;
  readonly asOf: string | null;
  readonly again: boolean;
  readonly out: Say;
  readonly signal: AbortSignal;
}

async function inMarket(
  api: Api,
  state: KeelState,
  wanted: Wanted,
  tell: (run: RunDetail) => void,
): Promise<RunDetail> {
  const { symbol, strategy, asOf, again, out, signal } = wanted;
  const market = await openMarket(state);
  try {
    await market.dataOf(symbol);
    const { id, slot } =
      strategy === undefined
        ? await api.ensureDemo(symbol)
        : { id: strategy, slot: await api.strategySlot(strategy) };
    const request = { api, market, symbol, strategyId: id, slot, asOf, again, signal, say: out, tell };
    return await runSession(request);
  } finally {
    await market.close();
  }
}

/** Where the market is not ours to step: the last closed session, as the API finds it. */
async function runThere(api: Api, { symbol, strategy, asOf, again, out, signal }: Wanted): Promise<number> {
  if (strategy === undefined)
    throw new UsageError(
      '--strategy ID is needed outside the simulated market: keel strategies list names those that are there',
    );
  if (asOf !== null) throw new UsageError('--as-of is for the simulated market of a Keel on this machine');
  const run = { strategyId: strategy, symbol, noWait: false, again, signal, say: out };
  const detail = await runOutside(api, run);
  const places = { apiUrl: api.url, dataDir: null, databaseDir: null, objectDir: null, ledgerFile: null };
  printSummary(detail, places, out);
  sayAgain(detail, `keel run ${symbol} --strategy ${strategy} --again`, out);
  return codeOf(detail);
}

export async function runsCommand(
  args: readonly string[],
  out: Say,
  env: NodeJS.ProcessEnv,
): Promise<number> {
  const { values } = parseArguments({
    args: [...args],
    options: {
      symbol: text,
      strategy: text,
      limit: text,
      'data-dir': text,
      api: text,
      json: { type: 'boolean' },
    },
  });
  const limit = Number(values.limit ?? '50');
  if (!Number.isInteger(limit) || limit < 1 || limit > 200)
    throw new UsageError('--limit is a number from 1 to 200');
  const runs = await apiOf(values, env).runs({
    limit,
    ...(values.symbol === undefined ? {} : { symbol: values.symbol.toUpperCase() }),
    ...(values.strategy === undefined ? {} : { strategyId: values.strategy }),
  });
  if (values.json === true) {
    out(JSON.stringify(runs, null, 2));
    return 0;
  }
  const rows = runs.map((run) => {
    const end = run.outcome ?? (run.waitingFor === null ? run.status : `waiting for ${run.waitingFor}`);
    return [run.session, run.slot, run.symbol, run.strategyId, end, run.id];
  });
  sayTable(out, ['SESSION', 'SLOT', 'SYMBOL', 'STRATEGY', 'END', 'RUN'], rows, 'No runs.');
  return 0;
}
