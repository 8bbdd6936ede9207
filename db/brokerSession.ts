// The broker's login as its owner last saw it, and what it has told. Written by activities/brokerSession.ts.
import type { Mode } from '../contracts/wire/names.js';
import type { SessionEvent, SessionState } from '../domain/brokerSession/rules.js';
import type { BrokerSessionStore } from '../ports/brokerSession.js';
import type { Database } from './connect.js';
import { statement } from './statement.js';

const getRow = statement<{ state: SessionState; checkedAt: string }>(
  'broker_session_get',
  `select state, checked_at as "checkedAt" from broker_session where mode = $1 and login = $2`,
);

const takeRow = statement<{ state: SessionState; checkedAt: string }>(
  'broker_session_take',
  `update broker_session set watch = $3 where mode = $1 and login = $2
   returning state, checked_at as "checkedAt"`,
);

const saveRow = statement<{ login: string }>(
  'broker_session_save',
  `with kept as (
     insert into broker_session as held (mode, login, phase, reason, since, checked_at, state, watch)
     values ($1, $2, $3, $4, $6, $5, $8, $9)
     on conflict (mode, login) do update set phase = excluded.phase, reason = excluded.reason, since = excluded.since,
       checked_at = excluded.checked_at, state = excluded.state
     where held.watch = excluded.watch
     returning login
   ), told as (
     insert into broker_session_event (at, mode, login, kind, reason)
     select $5, $1, $2, e.kind, e.reason
     from json_to_recordset($7::json) as e (kind text, reason text) where exists (select from kept)
   )
   select login from kept`,
);

const listEvents = statement<{ at: string; kind: SessionEvent['kind']; reason: string | null }>(
  'broker_session_events',
  `select at, kind, reason from broker_session_event where mode = $1 and login = $2 order by id desc limit $3`,
);

export function createBrokerSessionStore(db: Database, mode: Mode): BrokerSessionStore {
  return {
    get: (login) =>
      db.guard(async () => {
        const [row] = await getRow(db.pool, [mode, login]);
        return row === undefined ? null : { login, ...row };
      }),
    take: (login, watch) =>
      db.guard(async () => {
        const [row] = await takeRow(db.pool, [mode, login, watch]);
        return row === undefined ? null : { login, ...row };
      }),
    save: ({ login, state, checkedAt }, events, watch) =>
      db.guard(async () => {
        const { phase, reason, since } = state;
        const values = [mode, login, phase, reason, checkedAt, new Date(since).toISOString()];
        const rows = await saveRow(db.pool, [
          ...values,
          JSON.stringify(events),
          JSON.stringify(state),
          watch,
        ]);
        return rows.length === 1;
      }),
    events: (login, limit) => db.guard(() => listEvents(db.pool, [mode, login, limit])),
  };
}
