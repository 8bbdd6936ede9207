// Has the rules look at what a model looks at, and keeps what they say for comparison. Nothing is decided by it. Called by
// analysis.ts and decision.ts before the model is asked, so that it is there whatever becomes of the call.
import type { ProposalLimits } from '../domain/decision/checks.js';
import { makeDecision } from '../domain/decision/makeDecision.js';
import type { Analysis } from '../domain/decision/decision.js';
import type { RulesAnalyst, TimeframeInput } from '../ports/analyst.js';
import type { RulesOpinion, RulesOpinionStore } from '../ports/rulesOpinions.js';

export interface RulesOpinionDeps {
  readonly rules: RulesAnalyst;
  readonly rulesOpinions: Pick<RulesOpinionStore, 'put'>;
}

type Seen = Pick<TimeframeInput, 'timeframe' | 'bars' | 'indicators'>;

const noPrices = { entry: null, stop: null, target: null };

/** What they read in one timeframe. */
export async function noteRulesReading(deps: RulesOpinionDeps, runId: string, seen: Seen): Promise<void> {
  const read = await deps.rules.analyze(seen);
  const said =
    read.kind === 'ok'
      ? { score: read.value.score, reasons: read.value.reasons }
      : { score: null, reasons: [`${read.code}: ${read.message}`] };
  await deps.rulesOpinions.put({
    ...{ runId, part: seen.timeframe, version: deps.rules.version, action: null },
    ...noPrices,
    ...said,
  });
}

/** What they would decide, on the same bars and limits. */
export async function noteRulesDecision(
  deps: RulesOpinionDeps,
  runId: string,
  timeframes: readonly Seen[],
  limits: ProposalLimits,
): Promise<void> {
  const said = await decisionOf(deps.rules, timeframes, limits);
  const about = { runId, part: 'decision', version: deps.rules.version, score: null } as const;
  await deps.rulesOpinions.put({ ...about, ...said });
}

async function decisionOf(
  rules: RulesAnalyst,
  timeframes: readonly Seen[],
  limits: ProposalLimits,
): Promise<Pick<RulesOpinion, 'action' | 'entry' | 'stop' | 'target' | 'reasons'>> {
  const undecided = (code: string, message: string) => ({
    ...{ action: null, ...noPrices },
    reasons: [`${code}: ${message}`],
  });
  const analyses: Analysis[] = [];
  for (const seen of timeframes) {
    const read = await rules.analyze(seen);
    if (read.kind === 'failed') return undecided(read.code, read.message);
    analyses.push(read.value);
  }
  const proposal = await rules.decide({ analyses, limits });
  if (proposal.kind === 'failed') return undecided(proposal.code, proposal.message);
  const made = makeDecision(proposal.value, rules.name, limits.priceIncrements);
  if (made.kind === 'failed') return undecided(made.code, made.message);
  const { action, entry, stop, target, rationale } = made.decision;
  return { action, entry, stop, target, reasons: [rationale] };
}
