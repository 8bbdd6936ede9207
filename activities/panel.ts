// Has a panel review a proposed buy: three reviewers, one call each, then a judge, then the quorum. A call that is not
// answered well fails the run with its own code, as any call of a model does; it is never a hold. Called by
// workflows/steps/panel.ts, and by `keel replay` and `keel verify`.
import type { ObjectRef } from '../contracts/wire/object.js';
import type { Decision } from '../domain/decision/decision.js';
import { heldToPanel, panelRoles } from '../domain/decision/quorum.js';
import type { PanelReview, PanelRole } from '../domain/decision/reading.js';
import type { AnalystOutcome } from '../ports/analyst.js';
import { KeelError } from '../ports/errors.js';
import type { ObjectStorePort } from '../ports/objectStore.js';
import type { PanelPort } from '../ports/panel.js';
import type { EvidenceStore } from '../ports/evidence.js';
import {
  decideFrom,
  inputOf,
  questionOf,
  type DecideInput,
  type DecisionDeps,
  type DecisionInput,
} from './decision.js';
import { getJson, putJson } from './objects.js';

export interface PanelDeps extends DecisionDeps {
  /** Null where no model is configured. */
  readonly panel: PanelPort | null;
  readonly evidence: Pick<EvidenceStore, 'putDecision' | 'putProposed'>;
}

/** What the model decided before the panel has said a word. */
export interface Proposed {
  readonly runId: string;
  readonly decision: Decision;
  /** The stored DecisionInput. */
  readonly input: ObjectRef;
  /** The stored decision, where it is a buy: absent in histories recorded before the panel was given references. */
  readonly proposal?: ObjectRef;
}

/** What the panel is given: the buy by reference; itself only where a run began before there was one. */
export type Reviewed = Pick<Proposed, 'runId' | 'input'> &
  ({ readonly proposal: ObjectRef } | { readonly decision: Decision });

export function createPanelActivities(deps: PanelDeps) {
  return {
    /**
     * The decision of a strategy with a panel. What is no buy needs none and is stored as the run's; a buy is not, until the
     * judge has spoken: a row names its object, so that no sweep takes it.
     * @throws what decide throws, and KeelError PANEL_NEEDS_MODEL (final).
     */
    async proposeDecision(input: DecideInput): Promise<Proposed> {
      const panel = panelOf(deps);
      const { analyst, stored } = await inputOf(deps, input);
      if (stored.runId === undefined) {
        throw new KeelError(
          'PANEL_NEEDS_MODEL',
          'a panel reviews what a model proposes, and rules read this run',
        );
      }
      const reviewed: DecisionInput = { ...stored, panel: { version: panel.version } };
      const decision = await decideFrom(analyst, deps.objects, reviewed);
      const ref = await putJson(deps.objects, 'decisions', reviewed);
      const { runId } = input;
      if (decision.action === 'buy') {
        const proposal = await putJson(deps.objects, 'decisions', decision);
        await deps.evidence.putProposed(runId, { proposal, input: ref });
        return { runId, decision, input: ref, proposal };
      }
      await deps.evidence.putDecision(runId, decision, ref);
      return { runId, decision, input: ref };
    },

    /** @throws KeelError the call's code; MODEL_BUDGET (final) before the first call where there is no room for all of them */
    async reviewProposal({ proposed, role }: { proposed: Reviewed; role: PanelRole }): Promise<PanelReview> {
      const panel = panelOf(deps);
      const { input, decision } = await readProposed(deps.objects, proposed);
      if (role === panelRoles[0]) {
        valueOf(await panel.afford({ ...(await questionOf(deps.objects, input)), proposed: decision }));
      }
      return review(panel, deps.objects, input, decision, role);
    },

    /** Hears the judge and stores the run's decision: the buy as it was proposed, or a hold. @throws KeelError the call's code */
    async judgeProposal(asked: { proposed: Reviewed; reviews: readonly PanelReview[] }): Promise<Decision> {
      const { proposed, reviews } = asked;
      const panel = panelOf(deps);
      const { input, decision: buy } = await readProposed(deps.objects, proposed);
      const decision = await judged(panel, deps.objects, input, buy, reviews);
      // Of a worker that was replaced since: a replay has to find that two versions had a say.
      const begun = input.panel?.version ?? panel.version;
      const version = begun === panel.version ? begun : `${begun}, then ${panel.version}`;
      const ref =
        begun === version
          ? proposed.input
          : await putJson(deps.objects, 'decisions', { ...input, panel: { version } });
      await deps.evidence.putDecision(proposed.runId, decision, ref);
      return decision;
    },
  };
}

function panelOf({ panel }: Pick<PanelDeps, 'panel'>): PanelPort {
  if (panel !== null) return panel;
  throw new KeelError(
    'MODEL_NOT_CONFIGURED',
    'the strategy asks for a panel and no model is configured: set OPENAI_MODEL with OPENAI_API_KEY or OPENAI_BASE_URL',
  );
}

type Objects = Pick<ObjectStorePort, 'get'>;

const readProposed = async (objects: Objects, proposed: Reviewed) => ({
  input: await getJson<DecisionInput>(objects, proposed.input),
  decision: 'proposal' in proposed ? await getJson<Decision>(objects, proposed.proposal) : proposed.decision,
});

async function review(
  panel: PanelPort,
  objects: Objects,
  input: DecisionInput,
  proposed: Decision,
  role: PanelRole,
): Promise<PanelReview> {
  return valueOf(await panel.review({ ...(await questionOf(objects, input)), proposed, role }));
}

async function judged(
  panel: PanelPort,
  objects: Objects,
  input: DecisionInput,
  proposed: Decision,
  reviews: readonly PanelReview[],
): Promise<Decision> {
  const verdict = valueOf(await panel.judge({ ...(await questionOf(objects, input)), proposed, reviews }));
  return heldToPanel(proposed, reviews, verdict);
}

function valueOf<T>(outcome: AnalystOutcome<T>): T {
  if (outcome.kind === 'ok') return outcome.value;
  throw new KeelError(outcome.code, outcome.message);
}

/**
 * What the panel made of a proposed decision, from its recorded answers; without a panel, the decision itself.
 * @throws KeelError ANALYST_CHANGED when the panel is of another version than the one that reviewed.
 */
export async function reviewAgain(
  panel: PanelPort,
  objects: Objects,
  input: DecisionInput,
  proposed: Decision,
): Promise<Decision> {
  if (input.panel === undefined) return proposed;
  if (panel.version !== input.panel.version) {
    throw new KeelError(
      'ANALYST_CHANGED',
      `reviewed by the panel ${input.panel.version}, here is the panel ${panel.version}`,
    );
  }
  if (proposed.action !== 'buy') return proposed;
  const reviews: PanelReview[] = [];
  for (const role of panelRoles) reviews.push(await review(panel, objects, input, proposed, role));
  return judged(panel, objects, input, proposed, reviews);
}
