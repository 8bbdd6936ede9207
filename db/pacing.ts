// The limits of a gateway among all processes: one row each, moved on by whoever takes a turn. Used by the worker in paper
// and live.
import type { SharedPacing, SharedPlace } from '../ports/pacing.js';
import type { Database } from './connect.js';
import { statement } from './statement.js';

/**
 * True of a row that is free only later than anybody could have asked for: the database's clock was set back, and by as much
 * nobody shall wait. @param longestMs in SQL: what a row may be ahead, but for two minutes of others
 */
const isLost = (row: string, longestMs: string): string =>
  `${row}.free_at > clock_timestamp() + ${longestMs} * interval '1 millisecond' + interval '2 minutes'`;

const takeTurn = statement<{ waitMs: number | null; stopMs: number }>(
  'gateway_limit_take',
  `with stop as (
     select coalesce(max(greatest(0, extract(epoch from free_at - clock_timestamp()) * 1000)), 0)::float8 as ms
     from gateway_limit where gateway = $1 and name = 'stop'
   ), turn as (
     insert into gateway_limit as old (gateway, name, free_at)
     select $1, $2, clock_timestamp() + $3 * interval '1 millisecond' from stop where stop.ms <= $4
     on conflict (gateway, name) do update
       set free_at = case when ${isLost('old', '($3::float8 + $4::float8)')} then clock_timestamp()
         else greatest(old.free_at, clock_timestamp()) end + $3 * interval '1 millisecond'
       where old.free_at <= clock_timestamp() + $4 * interval '1 millisecond'
         or ${isLost('old', '($3::float8 + $4::float8)')}
     returning greatest(0, extract(epoch from free_at - clock_timestamp()) * 1000 - $3)::float8 as ms
   )
   select turn.ms as "waitMs", stop.ms as "stopMs" from stop left join turn on true`,
);

/** What is left of the wait is read as it was before the statement: right for whoever is not the second of two at once. */
const claim = statement<{ taken: boolean; waitMs: number }>(
  'gateway_limit_claim',
  `with claimed as (
     insert into gateway_limit as old (gateway, name, free_at)
     values ($1, $2, clock_timestamp() + $3 * interval '1 millisecond')
     on conflict (gateway, name) do update set free_at = clock_timestamp() + $3 * interval '1 millisecond'
       where old.free_at <= clock_timestamp() or ${isLost('old', '$3')}
     returning 1
   )
   select exists (select from claimed) as taken,
     case when exists (select from claimed) then $3::float8 else coalesce(
       (select greatest(0, extract(epoch from free_at - clock_timestamp()) * 1000)::float8
        from gateway_limit where gateway = $1 and name = $2), 0) end as "waitMs"`,
);

/** Looks at the places in any order, so that two who ask at once seldom want the same: the second of them gets none. */
const enterPlace = statement<{ name: string; until: string }>(
  'gateway_limit_enter',
  `with free as (
     select place.name from (
       select $2::text || ' ' || number::text as name from generate_series(1, $3::int) as number
     ) as place
     left join gateway_limit as kept on kept.gateway = $1 and kept.name = place.name
     where kept.free_at is null or kept.free_at <= clock_timestamp() or ${isLost('kept', '$4')}
     order by random() limit 1
   )
   insert into gateway_limit as old (gateway, name, free_at)
   select $1, free.name, clock_timestamp() + $4 * interval '1 millisecond' from free
   on conflict (gateway, name) do update set free_at = clock_timestamp() + $4 * interval '1 millisecond'
     where old.free_at <= clock_timestamp() or ${isLost('old', '$4')}
   returning old.name, old.free_at::text as until`,
);

/** To the microsecond, no two holders of a place have the same end. */
const leavePlace = statement(
  'gateway_limit_leave',
  `update gateway_limit set free_at = clock_timestamp()
   where gateway = $1 and name = $2 and free_at = $3::timestamptz`,
);

const stopAll = statement(
  'gateway_limit_stop',
  `insert into gateway_limit as old (gateway, name, free_at)
   values ($1, 'stop', clock_timestamp() + $2 * interval '1 millisecond')
   on conflict (gateway, name) do update set free_at = greatest(old.free_at, excluded.free_at)`,
);

/** One name for all the ways to write an address: with a last slash or without, in capitals, with the usual port. */
function nameOf(address: string): string {
  const { origin, pathname } = new URL(address);
  return `${origin}${pathname.replace(/\/+$/, '')}`;
}

/**
 * @param address of the gateway. Two names of one host are two gateways here, each with limits of its own
 * @throws TypeError when it is no address
 */
export const createSharedPacing = (db: Database, address: string): SharedPacing =>
  pacingOf(db, nameOf(address));

const pacingOf = (db: Database, gateway: string): SharedPacing => ({
  take: (limit, gapMs, longestMs) =>
    db.guard(async () => {
      const [turn] = await takeTurn(db.pool, [gateway, limit, gapMs, longestMs]);
      return turn ?? { waitMs: null, stopMs: 0 };
    }),
  claim: (limit, gapMs) =>
    db.guard(async () => {
      const [claimed] = await claim(db.pool, [gateway, limit, gapMs]);
      return claimed ?? { taken: false, waitMs: 0 };
    }),
  enterPlace: (limit, places, forMs) =>
    db.guard(async (): Promise<SharedPlace | null> => {
      const [place] = await enterPlace(db.pool, [gateway, limit, places, forMs]);
      return place ?? null;
    }),
  leavePlace: ({ name, until }) =>
    db.guard(async () => {
      await leavePlace(db.pool, [gateway, name, until]);
    }),
  stop: (forMs) =>
    db.guard(async () => {
      await stopAll(db.pool, [gateway, forMs]);
    }),
});
