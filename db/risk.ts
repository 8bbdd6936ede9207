// Risk verdicts, written by step 5 through the evidence store and by admission inside its own transaction.
import { desc, eq, sql } from 'drizzle-orm';
import type { NodePgDatabase } from 'drizzle-orm/node-postgres';
import type { Mode } from '../contracts/wire/names.js';
import type { RiskRow } from '../ports/evidence.js';
import { riskEvaluation } from './schema.js';
import { overwrite, placeholders } from './statement.js';

const readRisk = (row: typeof riskEvaluation.$inferSelect): RiskRow => ({
  runId: row.runId,
  stage: row.stage,
  verdict: {
    approved: row.approved,
    code: row.code,
    quantity: row.quantity,
    riskAmount: row.riskAmount,
    limitedBy: row.limitedBy,
    checks: row.checks,
    // Orders of before there were limits were stored without one.
    order: row.proposedOrder && { ...row.proposedOrder, limit: row.proposedOrder.limit ?? null },
  },
  facts: { key: row.factsKey, sha256: row.factsSha256, bytes: row.factsBytes },
});

export function createRiskQueries(orm: NodePgDatabase, mode: Mode) {
  const insert = orm
    .insert(riskEvaluation)
    .values({
      mode,
      ...placeholders('runId', 'stage', 'approved', 'code', 'quantity', 'riskAmount', 'limitedBy', 'checks'),
      // As text, so that "no order" is NULL and not the JSON word null.
      proposedOrder: sql`${sql.placeholder('order')}::jsonb`,
      ...placeholders('factsKey', 'factsSha256', 'factsBytes'),
    })
    .onConflictDoUpdate({
      target: [riskEvaluation.runId, riskEvaluation.stage],
      set: overwrite(riskEvaluation, ['runId', 'stage']),
    })
    .prepare('risk_put');
  const select = orm
    .select()
    .from(riskEvaluation)
    .where(eq(riskEvaluation.runId, sql.placeholder('runId')))
    .orderBy(desc(riskEvaluation.stage))
    .prepare('risk_get');
  return {
    async put({ runId, stage, verdict, facts }: RiskRow): Promise<void> {
      const object = { factsKey: facts.key, factsSha256: facts.sha256, factsBytes: facts.bytes };
      const order = verdict.order === null ? null : JSON.stringify(verdict.order);
      await insert.execute({ runId, stage, ...verdict, order, ...object });
    },
    /** The proposal first, then the admission. */
    ofRun: async (runId: string): Promise<readonly RiskRow[]> =>
      (await select.execute({ runId })).map(readRisk),
  };
}
