// The quorum that a proposed buy needs where a strategy has a panel. It can take a buy back and nothing else: it moves no
// price (a tighter stop would make the position larger) and no hold or sell is asked about. Called by the activity that
// hears the judge, and by a replay. Pure.
import type { Decision } from './decision.js';
import type { DecisionCheck, PanelReview, PanelRole, PanelVerdict } from './reading.js';

export const panelRoles: readonly PanelRole[] = ['bull', 'bear', 'risk'];

/**
 * Soundness from 0 to 100. The bull is there to find what speaks for a buy and the bear what speaks against, so each may
 * lean; two of three have to be for it all the same, and any of them can veto it.
 */
export const quorum = { reviewers: 2, reviewer: 50, veto: 20, judge: 50 } as const;

/** A figure that is none counts as the lowest. */
const figureOf = (value: number | undefined): number =>
  value !== undefined && value >= 0 && value <= 100 ? value : 0;

/** @returns the three rules with what was found; a buy stands only where all pass */
export function checkPanel(
  reviews: readonly PanelReview[],
  { verdict, soundness }: PanelVerdict,
): readonly DecisionCheck[] {
  // Who is missing is against it; of two reviews of one role the lower one counts.
  const figures = panelRoles.map((role) => {
    const given = reviews
      .filter((review) => review.role === role)
      .map((review) => figureOf(review.soundness));
    return { role, figure: given.length === 0 ? 0 : Math.min(...given) };
  });
  const said = figures.map(({ role, figure }) => `${role} ${figure}`).join(', ');
  const inFavour = figures.filter(({ figure }) => figure >= quorum.reviewer);
  const vetoes = figures.filter(({ figure }) => figure < quorum.veto);
  const judge = figureOf(soundness);
  return [
    check(
      'PANEL_MAJORITY',
      inFavour.length >= quorum.reviewers,
      `${quorum.reviewers} of the three reviewers have to find it sound at ${quorum.reviewer} or more: ${said}`,
    ),
    check('PANEL_NO_VETO', vetoes.length === 0, `a reviewer below ${quorum.veto} is a veto: ${said}`),
    check(
      'PANEL_JUDGE',
      verdict === 'stands' && judge >= quorum.judge,
      `the judge has to say that it stands, at ${quorum.judge} or more: ${verdict} ${judge}`,
    ),
  ];
}

const check = (code: DecisionCheck['code'], passed: boolean, text: string): DecisionCheck => ({
  code,
  passed,
  blocking: true,
  text,
});

/**
 * The decision after the panel: a buy that has the quorum with every price as it was, else a hold.
 * @param decision of a model; what is no buy comes back as it is
 */
export function heldToPanel(
  decision: Decision,
  reviews: readonly PanelReview[],
  verdict: PanelVerdict,
): Decision {
  if (decision.action !== 'buy' || decision.review === undefined) return decision;
  const { entry, stop, target, rCoefficient, profitMargin } = decision;
  const checks = checkPanel(reviews, verdict);
  const failed = checks.filter(({ passed }) => !passed);
  const stands = failed.length === 0;
  const proposed = { entry, stop, target, rCoefficient, profitMargin };
  const review = {
    ...decision.review,
    checks: [...decision.review.checks, ...checks],
    panel: { stands, proposed, reviews, verdict },
  };
  if (stands) return { ...decision, review };
  return {
    ...decision,
    action: 'hold',
    ...{ entry: null, stop: null, target: null, rCoefficient: null, profitMargin: null },
    rationale: `The panel takes the proposed buy back: ${failed.map(({ text }) => text).join('; ')}. Proposed was: ${decision.rationale}`,
    sources: { ...decision.sources, action: 'code' },
    review,
  };
}
