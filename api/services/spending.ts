// What models have cost, with the caps and what is left of them. Called by api/routes/analyst.ts.
import { ownerFilter, type Viewer } from '../../domain/access/ownership.js';
import { money } from '../../domain/money/decimal.js';
import type { Clock } from '../../ports/clocks.js';
import type { BudgetCaps, ConversationStore, SpendingGroup, SpendingRow } from '../../ports/conversations.js';

export interface SpendingDeps {
  readonly conversations: Pick<ConversationStore, 'spent' | 'spending'>;
  readonly modelState: { readonly caps: BudgetCaps };
  readonly clock: Clock;
}

interface Asked {
  readonly by: SpendingGroup;
  readonly since?: string | undefined;
  readonly limit: number;
}

const dayMs = 86_400_000;

/** Rows of the viewer's own strategies; an admin's are everybody's. What is left counts everybody, as the caps do. */
export async function readSpending(deps: SpendingDeps, { by, limit, ...asked }: Asked, viewer: Viewer) {
  const { caps } = deps.modelState;
  const now = deps.clock.now();
  const dateOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10);
  const since = asked.since ?? dateOf(now - (by === 'month' ? 365 : 30) * dayMs);
  const [{ day, month }, rows] = await Promise.all([
    deps.conversations.spent(),
    deps.conversations.spending({ by, since, ownerId: ownerFilter(viewer), limit }),
  ]);
  const left = { day: leftOf(caps.day, day.usd), month: leftOf(caps.month, month.usd) };
  const today = dateOf(now);
  const leftUsdOf = ({ key, usd }: SpendingRow): string | null => {
    if (by === 'run') return leftOf(caps.run, usd);
    if (by === 'day' && key === today) return left.day;
    return by === 'month' && key === today.slice(0, 7) ? left.month : null;
  };
  return {
    ...{ by, since, runCapUsd: caps.run },
    day: { capUsd: caps.day, usd: day.usd, leftUsd: left.day },
    month: { capUsd: caps.month, usd: month.usd, leftUsd: left.month },
    spending: rows.map((row) => ({ ...row, leftUsd: leftUsdOf(row) })),
  };
}

/** Never below zero: a cap may have been lowered, or a call have cost more than was reserved. */
function leftOf(cap: string, spent: string): string {
  const left = money(money(cap).minus(spent));
  return left.isNegative() ? '0' : left.toFixed();
}
