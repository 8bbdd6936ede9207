// The decision of a strategy with a panel: what the model proposes, and for a buy three reviewers and a judge.
// Called by strategyRun.ts.
import type { DecideInput } from '../../activities/decision.js';
import type { Reviewed } from '../../activities/panel.js';
import type { Decision } from '../../domain/decision/decision.js';
import type { PanelReview } from '../../domain/decision/reading.js';
import type { asking } from './proxies.js';
import type { Story } from './story.js';

const roles = ['bull', 'bear', 'risk'] as const;

/**
 * One call after another, though no reviewer knows of the others: each reserves the most that it can cost, and three
 * reservations at once would pass the cap of a run that seven settled calls keep to.
 */
export async function decideWithPanel(
  story: Story,
  analyst: ReturnType<typeof asking>,
  input: DecideInput,
): Promise<Decision> {
  const made = await story.step('decide', () => analyst.proposeDecision(input));
  if (made.decision.action !== 'buy') return made.decision;
  const { runId, input: ref, decision, proposal } = made;
  const proposed: Reviewed = {
    ...{ runId, input: ref },
    ...(proposal === undefined ? { decision } : { proposal }),
  };
  const reviews: PanelReview[] = [];
  for (const role of roles) {
    reviews.push(await story.step(`decide ${role}`, () => analyst.reviewProposal({ proposed, role })));
  }
  return story.step('decide judge', () => analyst.judgeProposal({ proposed, reviews }));
}
