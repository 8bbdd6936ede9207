// The risk verdicts of a run, weighed again from their stored facts. Called by `keel verify`.
import type { RiskInput } from '../../activities/riskInput.js';
import { verdictOf } from '../../activities/riskInput.js';
import type { WorkflowDefinition } from '../../domain/definition/definition.js';
import type { TimeframeScore } from '../../domain/risk/types.js';
import { decidingScore, type Decision } from '../../domain/decision/decision.js';
import type { RiskRow } from '../../ports/evidence.js';
import type { VerifyFacts } from './evidence.js';
import { checkObject } from './objects.js';

/** Admission decides where an order got that far; else the proposal is the last word. */
const lastWord = (rows: readonly RiskRow[]): RiskRow | null =>
  rows.find(({ stage }) => stage === 'admission') ?? rows.at(-1) ?? null;

export async function checkVerdicts(
  facts: VerifyFacts,
  decision: Decision | null,
  definition: WorkflowDefinition | null,
): Promise<void> {
  const { list, summary, run, stores } = facts;
  const rows = await stores.evidence.risk(run.id);
  const verdict = lastWord(rows)?.verdict ?? null;
  if (verdict === null || summary.risk === null) {
    list.same('risk verdict is that of the database', summary.risk, verdict);
  } else {
    const { approved, code, quantity, riskAmount, checks } = summary.risk;
    list.same(
      'risk verdict is that of the database',
      { approved, code, quantity, riskAmount, checks },
      {
        approved: verdict.approved,
        code: verdict.code,
        quantity: verdict.quantity,
        riskAmount: verdict.riskAmount,
        checks: verdict.checks,
      },
    );
  }
  const agreeing = definition?.gates.includes('timeframesAgree') ?? false;
  const analyses = agreeing ? await stores.evidence.analyses(run.id) : [];
  const scores = agreeing
    ? analyses.map((said) => ({ timeframe: said.timeframe, score: decidingScore(said) }))
    : null;
  for (const row of rows) await checkVerdict(facts, row, decision, scores);
}

async function checkVerdict(
  facts: VerifyFacts,
  row: RiskRow,
  decision: Decision | null,
  scores: readonly TimeframeScore[] | null,
): Promise<void> {
  const { list, objects, stores, run } = facts;
  const bytes = await checkObject(list, objects, `facts of the ${row.stage}`, row.facts);
  if (bytes === null) return;
  const input = JSON.parse(new TextDecoder().decode(bytes)) as RiskInput;
  const settings = await stores.strategies.version(run.strategyId, run.strategyVersion);
  list.same(`${row.stage} weighed the stored decision`, input.decision, decision);
  list.same(`${row.stage} used the strategy version's risk profile`, input.profile, settings?.risk);
  list.same(
    `${row.stage} weighed the scores that its workflow definition asks for`,
    input.timeframeScores ?? null,
    scores,
  );
  const again = await list.attempt(`${row.stage} can be weighed again`, () =>
    Promise.resolve(verdictOf(input)),
  );
  if (again !== null)
    list.same(`${row.stage} weighed again gives the stored verdict and quantity`, again, row.verdict);
}
