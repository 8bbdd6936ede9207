// The limits of a gateway among all processes: one row each, moved on by whoever takes a turn. Used by the worker in paper
// and live.
import type { SharedPacing } from '../ports/pacing.js';
import type { Database } from './connect.js';
import { statement } from './statement.js';

const takeTurn = statement<{ waitMs: number; stopMs: number }>(
  'gateway_limit_take',
  `insert into gateway_limit as old (gateway, name, free_at)
   values ($1, $2, clock_timestamp() + $3 * interval '1 millisecond')
   on conflict (gateway, name) do update
     set free_at = greatest(old.free_at, clock_timestamp()) + $3 * interval '1 millisecond'
   returning
     greatest(0, extract(epoch from free_at - clock_timestamp()) * 1000 - $3)::float8 as "waitMs",
     coalesce((select greatest(0, extract(epoch from s.free_at - clock_timestamp()) * 1000)
       from gateway_limit s where s.gateway = $1 and s.name = 'stop'), 0)::float8 as "stopMs"`,
);

const stopAll = statement(
  'gateway_limit_stop',
  `insert into gateway_limit as old (gateway, name, free_at)
   values ($1, 'stop', clock_timestamp() + $2 * interval '1 millisecond')
   on conflict (gateway, name) do update set free_at = greatest(old.free_at, excluded.free_at)`,
);

/** @param gateway what names it in every process, such as its address */
export const createSharedPacing = (db: Database, gateway: string): SharedPacing => ({
  take: (limit, gapMs) =>
    db.guard(async () => {
      const [turn] = await takeTurn(db.pool, [gateway, limit, gapMs]);
      return turn ?? { waitMs: 0, stopMs: 0 };
    }),
  stop: (forMs) =>
    db.guard(async () => {
      await stopAll(db.pool, [gateway, forMs]);
    }),
});
