// Has the rules look at what a model looks at, and keeps what they say for comparison. Nothing is decided by it, so nothing
// that goes wrong here ends a run. Called by analysis.ts and decision.ts before the model is asked, so that it is there
// whatever becomes of the call.
import type { ProposalLimits } from '../domain/decision/checks.js';
import { makeDecision } from '../domain/decision/makeDecision.js';
import type { Analysis } from '../domain/decision/decision.js';
import type { RulesAnalyst, TimeframeInput } from '../ports/analyst.js';
import { KeelError } from '../ports/errors.js';
import type { RulesOpinion, RulesOpinionStore } from '../ports/rulesOpinions.js';

export interface RulesOpinionDeps {
  readonly rules: RulesAnalyst;
  readonly rulesOpinions: Pick<RulesOpinionStore, 'put'>;
}

type Seen = Pick<TimeframeInput, 'timeframe' | 'bars' | 'indicators'>;

type Said = Pick<RulesOpinion, 'action' | 'score' | 'entry' | 'stop' | 'target' | 'reasons'>;

const noPrices = { entry: null, stop: null, target: null };
const silent = { action: null, score: null, ...noPrices };

/** What they read in one timeframe. */
export const noteRulesReading = (deps: RulesOpinionDeps, runId: string, seen: Seen): Promise<void> =>
  note(deps, runId, seen.timeframe, async () => {
    const read = await deps.rules.analyze(seen);
    if (read.kind === 'failed') return undecided(read);
    return { ...silent, score: read.value.score, reasons: read.value.reasons };
  });

/** What they would decide, on the same bars and limits. */
export const noteRulesDecision = (
  deps: RulesOpinionDeps,
  runId: string,
  timeframes: readonly Seen[],
  limits: ProposalLimits,
): Promise<void> => note(deps, runId, 'decision', () => decisionOf(deps.rules, timeframes, limits));

const undecided = ({ code, message }: { readonly code: string; readonly message: string }): Said => ({
  ...silent,
  reasons: [`${code}: ${message}`],
});

/**
 * What goes wrong is the opinion.
 * @throws KeelError that is retryable: the database is away, and the step is tried again
 */
async function note(
  { rules, rulesOpinions }: RulesOpinionDeps,
  runId: string,
  part: RulesOpinion['part'],
  look: () => Promise<Said>,
): Promise<void> {
  const put = async (said: Said): Promise<void> => {
    await rulesOpinions.put({ runId, part, version: rules.version, ...said });
  };
  try {
    await put(await look());
  } catch (error) {
    // What they said may be what can not be stored; where the reason can not be either, there is no opinion.
    await put(undecided(passedOver(error))).catch(passedOver);
  }
}

/** @throws the error where it is retryable */
function passedOver(error: unknown): { readonly code: string; readonly message: string } {
  if (error instanceof KeelError) {
    if (error.errorClass === 'retryable') throw error;
    return error;
  }
  return { code: 'RULES_BROKEN', message: error instanceof Error ? error.message : String(error) };
}

async function decisionOf(
  rules: RulesAnalyst,
  timeframes: readonly Seen[],
  limits: ProposalLimits,
): Promise<Said> {
  const analyses: Analysis[] = [];
  for (const seen of timeframes) {
    const read = await rules.analyze(seen);
    if (read.kind === 'failed') return undecided(read);
    analyses.push(read.value);
  }
  const proposal = await rules.decide({ analyses, limits });
  if (proposal.kind === 'failed') return undecided(proposal);
  const made = makeDecision(proposal.value, rules.name, limits.priceIncrements);
  if (made.kind === 'failed') return undecided(made);
  const { action, entry, stop, target, rationale } = made.decision;
  return { action, score: null, entry, stop, target, reasons: [rationale] };
}
