// What calls may cost before they are made: one call at its most, for the reservation, and a whole panel, so that none begins
// that plainly would not end within the caps. Called by ask.ts and by the panel of worker/model.ts.
import { callCost, mostInputTokens } from '../../domain/decision/cost.js';
import { money, type Money } from '../../domain/money/decimal.js';
import type { AnalystCall } from '../../ports/analyst.js';
import type { BudgetCaps, CallRow, ConversationStore } from '../../ports/conversations.js';
import { chooseProfile } from './choose.js';
import type { ModelProfile } from './profile.js';
import { canonical, contentKey, type ModelRequest } from './request.js';

/** USD that a call costs at the most, as a decimal string. */
export function mostCost(profile: ModelProfile, request: ModelRequest): string {
  const bytes = Buffer.byteLength(JSON.stringify(canonical(profile, request)));
  const input = mostInputTokens(bytes, request.pictures.length);
  return callCost(profile.price, input, profile.maxOutputTokens);
}

export interface AffordDeps {
  readonly conversations: Pick<ConversationStore, 'answered' | 'byRun' | 'spent'>;
  readonly caps: BudgetCaps;
}

/** @returns null where there is room for the calls, else why not */
export type Afford = (call: AnalystCall, requests: readonly ModelRequest[]) => Promise<string | null>;

/**
 * The calls are made one after another, so the last one needs room at its most, and those before it what they will have
 * cost by then. That is taken to be what the decision of the same run cost, which had the same data and pictures besides;
 * their reservations at the most, all at once, would pass the default cap of a run with every dear model. Nothing is held: a
 * repair, or what other runs reserve meanwhile, may still use up the room.
 */
export const createAfford =
  ({ conversations, caps }: AffordDeps, profiles: readonly ModelProfile[]): Afford =>
  async ({ runId }, requests) => {
    const [first] = requests;
    if (first === undefined) return null;
    const made = await conversations.byRun(runId);
    // What has begun goes on: each call is still reserved before it is made.
    if (made.some(({ purpose }) => purpose === first.purpose)) return null;
    const { profile } = chooseProfile(profiles, made);
    // Another run was answered the same: the answers are taken from there, free.
    if ((await conversations.answered(contentKey(profile, first), runId)) !== null) return null;
    const decision = made.findLast(({ purpose, state }) => purpose === 'decision' && state === 'answered');
    const likely = likelyCost(profile, decision);
    const costs = requests.map((request, index) => {
      const most = money(mostCost(profile, request));
      return index === requests.length - 1 || likely === null || likely.gt(most) ? most : likely;
    });
    const needed = costs.reduce((sum, cost) => money(sum.plus(cost)), money('0'));
    const { day, month } = await conversations.spent();
    const run = made.reduce((sum, row) => money(sum.plus(row.costUsd ?? row.reservedUsd)), money('0'));
    const spent = { run: run.toFixed(), day: day.usd, month: month.usd };
    const cap = (['run', 'day', 'month'] as const).find((each) => needed.plus(spent[each]).gt(caps[each]));
    if (cap === undefined) return null;
    return `the budget of the ${cap} is ${caps[cap]} USD, ${spent[cap]} are spent or reserved, and the panel's ${String(requests.length)} calls may cost ${needed.toFixed()}: none was made`;
  };

/** By the tokens that were counted, at the price of who will be asked; null where nobody counted. */
function likelyCost({ price }: ModelProfile, decision: CallRow | undefined): Money | null {
  const { inputTokens = null, outputTokens = null } = decision ?? {};
  return inputTokens === null || outputTokens === null
    ? null
    : money(callCost(price, inputTokens, outputTokens));
}
