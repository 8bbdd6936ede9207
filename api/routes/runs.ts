// Runs over HTTP: list, read, cancel. Mounted by api/app.ts; api/routes/progress.ts streams them.
import { Router } from 'express';
import type { RulesOpinion } from '../../ports/rulesOpinions.js';
import type { RunSummary } from '../../contracts/http/run.js';
import { cancelAnswer, runDetail, runList, runQuery } from '../../contracts/http/run.js';
import type { IntentRow, RunRow } from '../../ports/stores.js';
import { chartPath } from '../services/charts.js';
import type { RunDeps, RunFacts } from '../services/runs.js';
import { cancelRun, readRun } from '../services/runs.js';
import { principalOf } from './access.js';
import { answer, onlyMethods, parse, pathParameter } from './http.js';
import { ownerFilter } from '../../domain/access/ownership.js';
import { actorOf, viewerOf } from '../services/principal.js';

export interface RunRouteDeps extends RunDeps {
  /** The run in the Temporal Web UI, or null where there is none. */
  readonly temporalUrl: (workflowId: string) => string | null;
}

const summaryOf = (deps: RunRouteDeps, row: RunRow): RunSummary => ({
  id: row.id,
  workflowId: row.workflowId,
  temporalUrl: deps.temporalUrl(row.workflowId),
  mode: row.mode,
  strategyId: row.strategyId,
  symbol: row.symbol,
  session: row.session,
  slot: row.slot,
  strategyVersion: row.strategyVersion,
  definition:
    row.definitionId === null || row.definitionVersion === null
      ? null
      : { id: row.definitionId, version: row.definitionVersion },
  status: row.status,
  outcome: row.outcome,
  code: row.code,
  message: row.message,
  waitingFor: row.waitingFor,
  startedAt: row.startedAt,
  endedAt: row.endedAt,
});

/** Without run and mode, which the run itself tells. */
const orderOf = (intent: IntentRow): Omit<IntentRow, 'mode' | 'runId'> => ({
  clientOrderId: intent.clientOrderId,
  accountId: intent.accountId,
  symbol: intent.symbol,
  conid: intent.conid,
  side: intent.side,
  quantity: intent.quantity,
  limit: intent.limit,
  stop: intent.stop,
  target: intent.target,
  reservedCash: intent.reservedCash,
  validUntil: intent.validUntil,
  state: intent.state,
  brokerOrderId: intent.brokerOrderId,
  filledQuantity: intent.filledQuantity,
  averagePrice: intent.averagePrice,
  legs: intent.legs,
  reason: intent.reason,
  updatedAt: intent.updatedAt,
});

const detailOf = (deps: RunRouteDeps, facts: RunFacts) => ({
  ...summaryOf(deps, facts.row),
  definition: facts.definition,
  ...(facts.heldUpBy !== undefined && { heldUpBy: facts.heldUpBy }),
  steps: facts.steps,
  bars: facts.bars.map(({ timeframe, count, first, last, source, object }) => ({
    timeframe,
    count,
    first,
    last,
    source,
    ...object,
  })),
  charts: facts.charts.map(({ timeframe, width, height, object }) => ({
    timeframe,
    width,
    height,
    ...object,
    url: chartPath(object.key),
  })),
  analyses: facts.analyses,
  decision: facts.decision?.decision ?? null,
  decisionInput: facts.decision?.input ?? null,
  risk: facts.risk.map((row) => ({ stage: row.stage, ...row.verdict, facts: row.facts })),
  order: facts.intent && orderOf(facts.intent),
  executions: facts.executions,
  calls: facts.calls,
  rulesOpinions: facts.rulesOpinions.map(opinionOf),
});

const opinionOf = ({ part, version, score, action, entry, stop, target, reasons }: RulesOpinion) => ({
  ...{ part, version, score, action, entry, stop, target, reasons },
});

export function runRoutes(deps: RunRouteDeps): Router {
  const router = Router();
  router
    .route('/api/v1/runs')
    .get(async (request, response) => {
      const { strategyId, symbol, limit } = parse(runQuery, 'query', request.query);
      const ownerId = ownerFilter(viewerOf(principalOf(response)));
      const rows = await deps.runs.list({
        limit,
        ...(ownerId !== null && { ownerId }),
        ...(strategyId !== undefined && { strategyId }),
        ...(symbol !== undefined && { symbol }),
      });
      answer(response, 200, runList, { runs: rows.map((row) => summaryOf(deps, row)) });
    })
    .all(onlyMethods('GET'));
  router
    .route('/api/v1/runs/:id')
    .get(async (request, response) => {
      const viewer = viewerOf(principalOf(response));
      const facts = await readRun(deps, pathParameter(request, 'id'), viewer);
      answer(response, 200, runDetail, detailOf(deps, facts));
    })
    .all(onlyMethods('GET'));
  router
    .route('/api/v1/runs/:id/cancel')
    .post(async (request, response) => {
      const principal = principalOf(response);
      const row = await cancelRun(deps, pathParameter(request, 'id'), {
        viewer: viewerOf(principal),
        actor: actorOf(principal),
      });
      answer(response, 202, cancelAnswer, {
        runId: row.id,
        workflowId: row.workflowId,
        cancelRequested: true,
      });
    })
    .all(onlyMethods('POST'));
  return router;
}
