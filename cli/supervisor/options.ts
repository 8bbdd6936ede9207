// The options of `npm start`.
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { isDate } from '../../domain/market/dates.js';
import { argumentProblem } from '../unknownOption.js';

export interface StartOptions {
  readonly once: boolean;
  /** Where the market is shut, the run ends there. */
  readonly noWait: boolean;
  /** Another run of a session whose runs have sent nothing. */
  readonly again: boolean;
  /** File of the summary; null for none. Absolute. */
  readonly json: string | null;
  readonly symbol: string;
  /** True when a symbol was named: outside the simulated market only that starts a run. */
  readonly named: boolean;
  /** YYYY-MM-DD; null for the next session without a run. */
  readonly asOf: string | null;
  /** Absolute. */
  readonly dataDir: string;
  readonly reset: boolean;
  readonly help: boolean;
  readonly debug: boolean;
}

/** Wrong use of a command: printed with a pointer to --help, exit code 2. */
export class UsageError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'UsageError';
  }
}

export const startHelp = `Usage: npm start -- [options]

Starts PostgreSQL, the simulator, Temporal, the worker and the API, runs one strategy on real bars in the
simulated market, prints its steps and stays up until Ctrl-C. With KEEL_MODE=paper it uses the gateway of IBKR_BASE_URL
in place of the simulator, and runs the session that closed last where --once, --symbol or --json is given.

  --once             ends after the run; exit code 0 only when the run came to its natural end
  --json FILE        writes the summary of the run to FILE
  --symbol SYMBOL    AAPL when not given; SPX and synthetic symbols are there too
  --as-of DATE       run after the close of this session, YYYY-MM-DD (the simulator's date).
                     Not given: the next session that has no run
  --no-wait          in paper mode: a run that finds the market shut ends there, and does not wait for the open
  --again            another run of the session that closed last, where its runs have all ended without
                     an order that may have gone out
  --data-dir DIR     where everything is kept: .keel when not given
  --reset            clears PostgreSQL, Temporal, objects and the simulator of that directory first
  --debug            shows the stack of an error
  --help             this text

Examples:
  npm start
  npm start -- --once --json out.json
  npm start -- --as-of 2015-03-02
  npm start -- --symbol SPX --data-dir /tmp/keel-spx
  KEEL_MODE=paper npm start -- --once --symbol AAPL --json out.json --no-wait`;

/**
 * @param argv without node and script
 * @param dataDir of the environment, when it names one
 * @throws UsageError
 */
export function parseStartOptions(argv: readonly string[], dataDir: string | undefined): StartOptions {
  const values = parse(argv);
  const asOf = values['as-of'] ?? null;
  if (asOf !== null && !isDate(asOf)) {
    throw new UsageError(`--as-of ${asOf} is no date: write it as YYYY-MM-DD, such as 2015-03-02`);
  }
  if (asOf !== null && values.again === true) {
    throw new UsageError('--again is for the session that closed last: give no --as-of with it');
  }
  const symbol = (values.symbol ?? 'AAPL').toUpperCase();
  if (!/^[A-Z0-9][A-Z0-9._/-]{0,19}$/.test(symbol)) {
    throw new UsageError(`--symbol ${symbol} is no symbol: letters, digits, dots, dashes, at most 20`);
  }
  return {
    once: values.once ?? false,
    noWait: values['no-wait'] ?? false,
    again: values.again ?? false,
    json: values.json === undefined ? null : resolve(values.json),
    symbol,
    named: values.symbol !== undefined,
    asOf,
    dataDir: resolve(values['data-dir'] ?? dataDir ?? '.keel'),
    reset: values.reset ?? false,
    help: values.help ?? false,
    debug: values.debug ?? false,
  };
}

const known = {
  once: { type: 'boolean' },
  'no-wait': { type: 'boolean' },
  again: { type: 'boolean' },
  json: { type: 'string' },
  symbol: { type: 'string' },
  'as-of': { type: 'string' },
  'data-dir': { type: 'string' },
  reset: { type: 'boolean' },
  debug: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const;

function parse(argv: readonly string[]) {
  try {
    return parseArgs({ args: [...argv], allowPositionals: false, options: known }).values;
  } catch (error) {
    throw new UsageError(argumentProblem(error, Object.keys(known)), { cause: error });
  }
}
