// Executions of up to seven days. The first read of a session comes back empty, as at the broker.
import { Router } from 'express';
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
    const days = query(request, 'days') ?? '0';
    if (!/^\d+$/.test(days) || Number(days) > MOST_DAYS) {
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
      Number(days) === 0
        ? `${now.slice(0, 10)}T00:00:00.000Z`
        : new Date(Date.parse(now) - Number(days) * DAY_MS).toISOString();
    const executions = engine.state.executions.filter(
      (execution) =>
        execution.account === session.account &&
        execution.at >= since &&
        !isHidden(portal, execution.orderId),
    );
    const rows = executions.reverse().map((execution) => tradeRow(execution, engine.market));
    response.json(troubled(portal, rows));
  });
  return router;
}

/** Rows twice, or in an order of chance, where a fault wants it. */
function troubled({ faults }: Portal, rows: readonly object[]): readonly object[] {
  const twice = faults.take('duplicate-executions', 'trades') === null ? 1 : 2;
  const all = rows.flatMap((row) => Array<object>(twice).fill(row));
  const shuffle = faults.take('shuffled-executions', 'trades');
  if (shuffle === null) return all;
  const random = seeded(shuffle.seed);
  return all
    .map((row) => ({ row, key: random() }))
    .sort((a, b) => a.key - b.key)
    .map(({ row }) => row);
}
