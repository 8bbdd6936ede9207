// Executions of up to seven days. The first read of a session comes back empty, as at the broker.
import { Router } from 'express';
import type { Execution } from '../exchange/types.js';
import { seeded } from '../faults.js';
import { tradeRow } from './orderRows.js';
import type { Portal } from './portal.js';
import { isHidden, query, requireAccounts } from './portal.js';

const DAY_MS = 86_400_000;
const MOST_DAYS = 7;

export function tradesRouter(portal: Portal): Router {
  const { engine, session } = portal;
  const router = Router();
  router.get('/iserver/account/trades', requireAccounts(portal), (request, response) => {
    const days = query(request, 'days');
    if (days !== null && !(/^\d+$/.test(days) && Number(days) >= 1 && Number(days) <= MOST_DAYS)) {
      response.status(400).json({ error: 'Bad Request: days must be a number from 1 to 7', statusCode: 400 });
      return;
    }
    if (!session.tradesRead) {
      session.tradesRead = true;
      response.json([]);
      return;
    }
    const { now } = engine.state;
    // Without days: the market day that is on.
    const since =
      days === null
        ? `${now.slice(0, 10)}T00:00:00.000Z`
        : new Date(Date.parse(now) - Number(days) * DAY_MS).toISOString();
    response.json(troubled(portal, since));
  });
  return router;
}

/** The rows of the account since an instant, newest first; corrected, twice, or in an order of chance, where a fault wants it. */
function troubled(portal: Portal, since: string): readonly object[] {
  const { engine, session, faults, doubled } = portal;
  const listed = (): readonly (Execution & { readonly at: string })[] =>
    engine.state.executions.filter(
      ({ account, at, orderId }) => account === session.account && at >= since && !isHidden(portal, orderId),
    );
  const ids = (): readonly string[] => listed().map(({ executionId }) => executionId);
  if (faults.take('correct-executions', 'trades') !== null) engine.correct(new Set(ids()));
  if (faults.take('duplicate-executions', 'trades') !== null) for (const id of ids()) doubled.add(id);
  const rows = listed()
    .toReversed()
    .flatMap((execution) => {
      const row = tradeRow(execution, engine.market);
      return doubled.has(execution.executionId) ? [row, row] : [row];
    });
  const shuffle = faults.take('shuffled-executions', 'trades');
  if (shuffle === null) return rows;
  const random = seeded(shuffle.seed);
  return rows
    .map((row) => ({ row, key: random() }))
    .sort((a, b) => a.key - b.key)
    .map(({ row }) => row);
}
