// Who reads, and what models have cost: in sum, and by day, month, strategy, run or call. Mounted by api/app.ts.
import { Router } from 'express';
import { analystState, spendingList, spendingQuery } from '../../contracts/http/model.js';
import type { BudgetCaps, ConversationStore } from '../../ports/conversations.js';
import { viewerOf } from '../services/principal.js';
import { readSpending, type SpendingDeps } from '../services/spending.js';
import { principalOf } from './access.js';
import { answer, onlyMethods, parse } from './http.js';

export interface AnalystRouteDeps extends SpendingDeps {
  readonly conversations: Pick<ConversationStore, 'byRun' | 'spent' | 'spending'>;
  readonly modelState: {
    /** Null where none is configured. */
    readonly model: string | null;
    /** The default first; empty where none is configured. */
    readonly profiles: readonly { readonly name: string; readonly model: string }[];
    readonly caps: BudgetCaps;
    readonly priceDate: string;
  };
}

export function analystRoutes(deps: AnalystRouteDeps): Router {
  const router = Router();
  router
    .route('/api/v1/analyst')
    .get(async (_request, response) => {
      const { model, profiles, caps, priceDate } = deps.modelState;
      const { day, month } = await deps.conversations.spent();
      answer(response, 200, analystState, {
        analyst: model === null ? 'rules' : 'openai',
        model,
        profiles: [...profiles],
        runCapUsd: caps.run,
        day: { ...day, capUsd: caps.day },
        month: { ...month, capUsd: caps.month },
        priceDate,
      });
    })
    .all(onlyMethods('GET'));
  router
    .route('/api/v1/spending')
    .get(async (request, response) => {
      const asked = parse(spendingQuery, 'query', request.query);
      answer(response, 200, spendingList, await readSpending(deps, asked, viewerOf(principalOf(response))));
    })
    .all(onlyMethods('GET'));
  return router;
}
