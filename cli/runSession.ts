// One run of a strategy in the simulated market: choose the session, step there, execute, follow to the end.
// Used by `npm start` and `keel run`.
import { existsSync, readFileSync } from 'node:fs';
import { createNyseCalendar } from '../domain/market/nyse.js';
import type { Calendar } from '../domain/market/calendarTypes.js';
import { timeframeRules, type Timeframe } from '../domain/market/bar.js';
import type { RunRow } from '../ports/stores.js';
import type { Api, RunDetail } from './api.js';
import { followToEnd } from './follow.js';
import type { Market, SymbolData } from './market.js';
import type { Say } from './say.js';
import { minute } from './say.js';
import { chooseSession } from './session.js';
import { StartError } from './supervisor/dataDir.js';

export interface RunRequest {
  readonly api: Api;
  readonly market: Market;
  readonly symbol: string;
  readonly strategyId: string;
  readonly slot: string;
  readonly asOf: string | null;
  /** Another run of the session that closed last, where its runs have sent nothing. */
  readonly again: boolean;
  readonly signal: AbortSignal;
  readonly say: Say;
  /** Shows a run that an earlier start has left open, once it has ended. */
  readonly tell: (run: RunDetail) => void;
}

/** A run whose session is not run again. */
type PastRun = Pick<RunRow, 'id' | 'session' | 'slot'>;

/** Wall milliseconds without any progress after which a run counts as stuck. */
const patienceMs = 5 * 60_000;

/**
 * Runs, or shows, one session.
 * @throws StartError when the session is refused, ApiError when the API refuses or stays away
 */
export async function runSession(request: RunRequest): Promise<RunDetail> {
  const { api, market, symbol, say } = request;
  const data = await market.dataOf(symbol);
  await finishOpenRuns(request);
  if (request.again) {
    const { date } = createNyseCalendar().lastClosed((await market.now()).now);
    return (await runChosen(request, { closes: [], session: date })).run;
  }
  const past: PastRun[] = [...(await storedRuns(request))];
  for (;;) {
    const choice = chooseSession<PastRun>({
      asOf: request.asOf,
      symbol,
      slot: request.slot,
      calendar: createNyseCalendar(),
      now: (await market.now()).now,
      data,
      firstSession: firstSession(data, await addedTimeframes(request)),
      stored: past,
    });
    if (choice.kind === 'refused') throw new StartError(choice.message);
    if (choice.kind === 'stored') {
      say(`Session ${choice.run.session} of ${symbol} has run already; this is what is stored of it.`);
      return api.run(choice.run.id);
    }
    const { run, existing } = await runChosen(request, choice);
    if (!existing || run.code !== 'ENDED_UNSTORED' || request.asOf !== null) return run;
    say(
      `Session ${run.session} of ${symbol} has run already, but nothing is stored of it, as after a restore: the next one.`,
    );
    past.push(run);
  }
}

/** Steps the market to a session's close and runs it. @returns whether Temporal had that run already */
async function runChosen(
  { api, market, symbol, strategyId, again, signal, say }: RunRequest,
  { closes, session }: { readonly closes: readonly string[]; readonly session: string },
): Promise<{ readonly run: RunDetail; readonly existing: boolean }> {
  if (closes.length > 1)
    say(`Stepping the market through ${String(closes.length)} sessions to the close of ${session} …`);
  await market.stepThrough(closes);
  signal.throwIfAborted();
  say(
    `Market: ${minute((await market.now()).now)}, after the close of ${session}. Running ${strategyId} on ${symbol}:`,
  );
  const { runId, existing } = await api.execute(strategyId, symbol, { again });
  await followToEnd(api, runId, { signal, say, patienceMs });
  return { run: await api.run(runId), existing };
}

/** What an earlier start has left open goes on first: the market must not be stepped past it. */
async function finishOpenRuns({ api, market, say, signal, tell }: RunRequest): Promise<void> {
  for (const run of await market.stores.runs.listOpen()) {
    say(`Run ${run.session} ${run.slot} of ${run.strategyId} is still open; it goes on first:`);
    await followToEnd(api, run.id, { signal, say, patienceMs });
    tell(await api.run(run.id));
    say('');
  }
}

const mostRuns = 100_000;

const storedRuns = ({ market, strategyId, symbol }: RunRequest): Promise<readonly RunRow[]> =>
  market.stores.runs.list({ strategyId, symbol, limit: mostRuns });

/** Of scripts/demo-dates.ts: sessions that buy first, and that can be decided on first. */
interface DemoDates {
  readonly firstBuy: string | null;
  readonly first: string | null;
}

/** Those of the strategy beyond daily and weekly, which the table of demo dates knows nothing of. */
async function addedTimeframes({ market, strategyId }: RunRequest): Promise<readonly Timeframe[]> {
  const strategy = await market.stores.strategies.get(strategyId);
  const wanted = strategy?.settings.timeframes ?? [];
  return wanted.filter((timeframe) => timeframe !== 'daily' && timeframe !== 'weekly');
}

/** The committed table of each symbol's first session that buys, else the first after warm-up. */
function firstSession({ symbol, first, last }: SymbolData, added: readonly Timeframe[]): string {
  const table = new URL('demoDates.json', import.meta.url);
  if (added.length === 0 && existsSync(table)) {
    const dates = JSON.parse(readFileSync(table, 'utf8')) as {
      symbols: Record<string, DemoDates | undefined>;
    };
    const found = dates.symbols[symbol]?.firstBuy ?? dates.symbols[symbol]?.first;
    if (found !== undefined && found !== null) return found;
  }
  return afterWarmUp(createNyseCalendar(), first, last, added);
}

/** A session by whose close the symbol has enough bars of each timeframe; with daily and weekly alone, the first. */
export function afterWarmUp(
  calendar: Calendar,
  first: string,
  last: string,
  added: readonly Timeframe[] = [],
): string {
  // One week or month more: one that has not ended does not count.
  const needed = (['daily', 'weekly', ...added] as const).map((timeframe) => {
    const { warmUp, sessions } = timeframeRules[timeframe];
    return (warmUp + (timeframe === 'daily' ? 0 : 1)) * sessions;
  });
  return calendar.between(first, last).at(Math.max(...needed) - 1)?.date ?? last;
}
