// One run where the market is not ours to step: of the session that closed last, as the API finds it. Used by `npm start`
// in paper and live mode and by `keel run`.
import { endedUnsent } from '../contracts/wire/run.js';
import type { Api, RunDetail } from './api.js';
import { followToEnd } from './follow.js';
import type { Say } from './say.js';

export interface OutsideRun {
  readonly strategyId: string;
  readonly symbol: string;
  readonly noWait: boolean;
  /** Another run of a session whose runs have sent nothing. */
  readonly again: boolean;
  readonly signal: AbortSignal;
  readonly say: Say;
}

/** @throws ApiError when the API refuses or stays away */
export async function runOutside(api: Api, run: OutsideRun): Promise<RunDetail> {
  const { strategyId, symbol, noWait, again, signal, say } = run;
  const { runId, session, slot, existing } = await api.execute(strategyId, symbol, { noWait, again });
  const where = again ? `session ${session}, slot ${slot}` : `session ${session}`;
  say(`${existing ? 'Found' : 'Started'} the run of ${strategyId} on ${symbol} for ${where}:`);
  await followToEnd(api, runId, { signal, say, patienceMs: null });
  return api.run(runId);
}

/**
 * How to have another run of the session, where this one has sent nothing and never will.
 * @param command that asks for it, such as `keel run AAPL --strategy demo-aapl --again`
 */
export function sayAgain(run: RunDetail, command: string, say: Say): void {
  if (!endedUnsent(run, run.order?.state ?? null)) return;
  say(
    `  again     no order of it went out; once the cause is put right, the session runs again with: ${command}`,
  );
}
