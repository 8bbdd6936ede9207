// The panel of a model: three reviewers and a judge look at a proposed buy. What it says is weighed by domain/decision/quorum.
// Called by activities/panel.ts.
import type { Decision } from '../domain/decision/decision.js';
import type { PanelReview, PanelRole, PanelVerdict } from '../domain/decision/reading.js';
import type { AnalystOutcome, DecideInput } from './analyst.js';

export interface ReviewInput extends DecideInput {
  readonly role: PanelRole;
  /** The buy as it was proposed. */
  readonly proposed: Decision;
}

export interface JudgeInput extends DecideInput {
  readonly proposed: Decision;
  /** One of each role. */
  readonly reviews: readonly PanelReview[];
}

/** As of an analyst: a call that is not answered well fails with its own code. */
export interface PanelPort {
  /** Changes whenever the same input may give another answer. */
  readonly version: string;
  /** Whether the budget has room for reviewers and judge; asked before the first of them, so that none begins that plainly would not end. */
  afford(input: Omit<ReviewInput, 'role'>): Promise<AnalystOutcome<null>>;
  review(input: ReviewInput): Promise<AnalystOutcome<PanelReview>>;
  judge(input: JudgeInput): Promise<AnalystOutcome<PanelVerdict>>;
}
