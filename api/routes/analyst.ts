// Who reads, and what it has cost so far. Mounted by api/app.ts.
import { Router } from 'express';
import { analystState } from '../../contracts/http/model.js';
import type { BudgetCaps, ConversationStore } from '../../ports/conversations.js';
import { answer, onlyMethods } from './http.js';

export interface AnalystRouteDeps {
  readonly conversations: Pick<ConversationStore, 'byRun' | 'spent'>;
  readonly modelState: {
    /** Null where none is configured. */
    readonly model: string | null;
    readonly caps: BudgetCaps;
    readonly priceDate: string;
  };
}

export function analystRoutes(deps: AnalystRouteDeps): Router {
  const router = Router();
  router
    .route('/api/v1/analyst')
    .get(async (_request, response) => {
      const { model, caps, priceDate } = deps.modelState;
      const { day, month } = await deps.conversations.spent();
      answer(response, 200, analystState, {
        analyst: model === null ? 'rules' : 'openai',
        model,
        runCapUsd: caps.run,
        day: { ...day, capUsd: caps.day },
        month: { ...month, capUsd: caps.month },
        priceDate,
      });
    })
    .all(onlyMethods('GET'));
  return router;
}
