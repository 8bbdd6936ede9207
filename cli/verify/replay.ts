// The analyst that makes a stored decision again without asking anybody. Used by `keel verify` and `keel replay`.
import type { DecisionInput } from '../../activities/decision.js';
import { recomputeDecision } from '../../activities/decision.js';
import { reviewAgain } from '../../activities/panel.js';
import { analystName } from '../../adapters/openai/analyst.js';
import { createReplayAnalyst, createReplayPanel } from '../../adapters/openai/replay.js';
import { createRulesAnalyst } from '../../adapters/rules/analyst.js';
import type { Decision } from '../../domain/decision/decision.js';
import type { ConversationStore } from '../../ports/conversations.js';
import type { ObjectStorePort } from '../../ports/objectStore.js';

/** @throws KeelError ANALYST_CHANGED, REPLAY_DIFFERS, OBJECT_DAMAGED, and the codes of the analyst */
export async function decideAgain(
  stores: { readonly conversations: Pick<ConversationStore, 'byRun'> },
  objects: Pick<ObjectStorePort, 'get'>,
  runId: string,
  input: DecisionInput,
): Promise<Decision> {
  if (input.analyst.name !== analystName) return recomputeDecision(createRulesAnalyst(), objects, input);
  const calls = await stores.conversations.byRun(runId);
  const proposed = await recomputeDecision(createReplayAnalyst(calls, objects), objects, input);
  return reviewAgain(createReplayPanel(calls, objects), objects, input, proposed);
}

/** One text for one value: keys in order, because PostgreSQL keeps its own order of them. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const entries = Object.entries(value)
    .filter(([, part]) => part !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, part]) => `${JSON.stringify(key)}:${canonicalJson(part)}`);
  return `{${entries.join(',')}}`;
}
