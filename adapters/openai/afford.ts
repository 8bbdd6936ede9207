// What a whole panel may cost before its first call, so that none begins that plainly would not end within the caps. Called by
// the panel of worker/model.ts.
import { callCost, spentOn } from '../../domain/decision/cost.js';
import { money, type Money } from '../../domain/money/decimal.js';
import type { AnalystCall } from '../../ports/analyst.js';
import type { BudgetCaps, CallRow, ConversationStore } from '../../ports/conversations.js';
import type { ObjectStorePort } from '../../ports/objectStore.js';
import { chooseProfile } from './choose.js';
import type { ModelProfile } from './profile.js';
import { describeCall, mostCost } from './planned.js';
import { contentKey, type ModelRequest } from './request.js';

export interface AffordDeps {
  readonly conversations: Pick<ConversationStore, 'answered' | 'byRun' | 'spent' | 'reserve'>;
  readonly objects: Pick<ObjectStorePort, 'put'>;
  readonly caps: BudgetCaps;
  /** Date of the price table. */
  readonly priceDate: string;
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
  (deps: AffordDeps, profiles: readonly ModelProfile[]): Afford =>
  async (call, requests) => {
    const { conversations, caps } = deps;
    const { runId } = call;
    const [first] = requests;
    if (first === undefined) return null;
    const made = await conversations.byRun(runId);
    // What has begun goes on: each call is still reserved before it is made. What the budget has stopped has not begun.
    if (made.some(({ purpose, outcome }) => purpose === first.purpose && outcome !== 'budget')) return null;
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
    const spent = { run: spentOn(made).toFixed(), day: day.usd, month: month.usd };
    const cap = (['run', 'day', 'month'] as const).find((each) => needed.plus(spent[each]).gt(caps[each]));
    if (cap === undefined) return null;
    // Kept as any call that the budget has stopped, by caps that let nothing through.
    const planned = await describeCall(deps, profile, first, call, mostCost(profile, first));
    await conversations.reserve(planned, { run: '0', day: '0', month: '0' });
    return `the budget of the ${cap} is ${caps[cap]} USD, ${spent[cap]} are spent or reserved, and the panel's ${String(requests.length)} calls may cost ${needed.toFixed()}: none was made`;
  };

/** By the tokens that were counted, at the price of who will be asked; null where nobody counted. */
function likelyCost({ price }: ModelProfile, decision: CallRow | undefined): Money | null {
  const { inputTokens = null, outputTokens = null } = decision ?? {};
  return inputTokens === null || outputTokens === null
    ? null
    : money(callCost(price, inputTokens, outputTokens));
}
