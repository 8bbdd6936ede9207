// Logins and their refresh tokens. A token is rotated under the lock of its login, so that however many ask at once,
// one token follows. Called by the API's services of access.
import type { PoolClient } from 'pg';
import type { Mode } from '../contracts/wire/names.js';
import { refreshVerdict } from '../domain/access/refresh.js';
import type { LoginFacts, LoginGrant, LoginStore, UserRow } from '../ports/access.js';
import type { Database } from './connect.js';
import { statement } from './statement.js';
import { inTransaction } from './transaction.js';

/** The row is locked, so that a password that changes meanwhile is waited for and then found to be another. */
const openLogin = statement<{ id: string }>(
  'login_open',
  `with proven as (
     select id from keel_user
     where id = $2 and active and ($6::text is null or password_hash = $6) and (not second_factor or $7 <> 'none') for share
   ), opened as (
     insert into login (user_id, expires_at, proven_at)
     select id, now() + make_interval(days => $4), case when $7 = 'code' then now() end from proven
     returning id, user_id
   ), first_token as (
     insert into refresh_token (hash, login_id) select $3, id from opened
   ), noted as (
     insert into audit (mode, actor, action, subject, facts)
     select $1, $5, 'login.open', 'user:' || u.username, jsonb_build_object('loginId', opened.id, 'secondFactor', $7::text)
     from opened join keel_user u on u.id = opened.user_id
   )
   select id from opened`,
);

const endLogin = statement(
  'login_end',
  `with ended as (
     update login set ended_at = now(), end_reason = $3 where id = $2 and ended_at is null returning id, user_id
   )
   insert into audit (mode, actor, action, subject, facts)
   select $1, coalesce($4, 'user:' || u.username), 'login.end', 'user:' || u.username,
     jsonb_build_object('loginId', ended.id, 'reason', $3::text)
   from ended join keel_user u on u.id = ended.user_id returning id`,
);

const userFields = `u.id, u.email, u.username, u.role, u.active, u.must_change_password as "mustChangePassword",
  u.second_factor as "secondFactor", u.created_at as "createdAt"`;

const goodLogin = statement<UserRow & Omit<LoginFacts, 'user'>>(
  'login_good',
  `select ${userFields}, (extract(epoch from now() - l.created_at) * 1000)::float8 as "openedMsAgo",
     (extract(epoch from now() - l.proven_at) * 1000)::float8 as "provenMsAgo"
   from login l join keel_user u on u.id = l.user_id
   where l.id = $1 and l.ended_at is null and l.expires_at > now() and u.active`,
);

const lockLogin = statement<{ id: string }>(
  'login_lock',
  `select l.id from login l where l.id = (select login_id from refresh_token where hash = $1) for update`,
);

interface TokenRow extends UserRow {
  readonly loginId: string;
  readonly over: boolean;
  readonly usedMsAgo: number | null;
  readonly successor: string | null;
  readonly successorUsed: boolean;
}

/** clock_timestamp, because others may have used the token since this transaction began. */
const readToken = statement<TokenRow>(
  'refresh_token_read',
  `select ${userFields}, l.id as "loginId", l.ended_at is not null or l.expires_at <= now() or not u.active as over,
     (extract(epoch from clock_timestamp() - t.used_at) * 1000)::float8 as "usedMsAgo", t.successor,
     exists (select from refresh_token s where s.hash = t.successor and s.used_at is not null) as "successorUsed"
   from refresh_token t join login l on l.id = t.login_id join keel_user u on u.id = l.user_id
   where t.hash = $1`,
);

const useToken = statement(
  'refresh_token_use',
  `with used as (
     update refresh_token set used_at = clock_timestamp(), successor = $2 where hash = $1 returning login_id
   )
   insert into refresh_token (hash, login_id) select $2, login_id from used`,
);

async function rotate(
  client: PoolClient,
  mode: Mode,
  hash: string,
  next: string,
): Promise<LoginGrant | null> {
  // Locked first and read after it, so that what is read is what the one before has left.
  if ((await lockLogin(client, [hash])).length === 0) return null;
  const [token] = await readToken(client, [hash]);
  if (token === undefined) return null;
  const { loginId, over, usedMsAgo, successor, successorUsed, ...user } = token;
  switch (refreshVerdict({ loginOver: over, usedMsAgo, successorUsed })) {
    case 'rotate':
      await useToken(client, [hash, next]);
      return { loginId, user };
    case 'repeat':
      // Another secret of the server since then would make another token: none is better than two.
      return successor === next ? { loginId, user } : null;
    case 'replay':
      await endLogin(client, [mode, loginId, 'replay', 'anonymous']);
      return null;
    case 'refuse':
      return null;
  }
}

export function createLoginStore(db: Database, mode: Mode): LoginStore {
  return {
    open: ({ userId, checkedHash, refreshHash, days, proof }, actor) =>
      db.guard(async () => {
        const values = [mode, userId, refreshHash, days, actor, checkedHash, proof];
        return (await openLogin(db.pool, values))[0]?.id ?? null;
      }),
    rotate: (hash, next) => inTransaction(db, (client) => rotate(client, mode, hash, next)),
    good: (loginId) =>
      db.guard(async () => {
        const [found] = await goodLogin(db.pool, [loginId]);
        if (found === undefined) return null;
        const { openedMsAgo, provenMsAgo, ...user } = found;
        return { user, openedMsAgo, provenMsAgo };
      }),
    end: (loginId, actor) =>
      db.guard(async () => {
        await endLogin(db.pool, [mode, loginId, 'logout', actor]);
      }),
  };
}
