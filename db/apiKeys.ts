// API keys. Called by the API's services of access and, for the key of the local `keel` command, by the supervisor.
import type { Mode } from '../contracts/wire/names.js';
import type { ApiKeyRow, ApiKeyStore, UserRow } from '../ports/access.js';
import type { Database } from './connect.js';
import { statement } from './statement.js';

const keyFields = `k.id, k.name, k.prefix, k.scopes, k.created_at as "createdAt", k.expires_at as "expiresAt",
  k.last_used_at as "lastUsedAt", k.revoked_at as "revokedAt"`;

const insertKey = statement<ApiKeyRow>(
  'api_key_create',
  `with replaced as (
     update api_key set revoked_at = now()
     where $9 and user_id = $2 and name = $3 and revoked_at is null returning prefix
   ), k as (
     insert into api_key (user_id, name, prefix, hash, scopes, expires_at)
     values ($2, $3, $4, $5, $6::jsonb, now() + make_interval(days => $7)) returning *
   ), noted as (
     insert into audit (mode, actor, action, subject, facts)
     select $1, $8, 'key.create', 'user:' || u.username, jsonb_build_object('prefix', k.prefix, 'scopes', k.scopes,
       'replaced', coalesce((select jsonb_agg(prefix) from replaced), '[]'))
     from k join keel_user u on u.id = k.user_id
   )
   select ${keyFields} from k`,
);

const listKeys = statement<ApiKeyRow>(
  'api_key_list',
  `select ${keyFields} from api_key k where user_id = $1 order by created_at, id`,
);

const revokeKey = statement(
  'api_key_revoke',
  `with revoked as (
     update api_key set revoked_at = now()
     where id = $2 and user_id = $3 and revoked_at is null returning prefix, user_id
   )
   insert into audit (mode, actor, action, subject, facts)
   select $1, $4, 'key.revoke', 'user:' || u.username, jsonb_build_object('prefix', revoked.prefix)
   from revoked join keel_user u on u.id = revoked.user_id returning id`,
);

interface UsedKey extends ApiKeyRow {
  readonly hash: string;
  readonly useIsNoted: boolean;
  readonly user: UserRow;
}

const goodKey = statement<UsedKey>(
  'api_key_good',
  `select ${keyFields}, k.hash, coalesce(k.last_used_at > now() - interval '1 minute', false) as "useIsNoted",
     json_build_object('id', u.id, 'email', u.email, 'username', u.username,
     'role', u.role, 'active', u.active, 'mustChangePassword', u.must_change_password, 'secondFactor', u.second_factor,
     'createdAt', to_char(u.created_at, 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')) as user
   from api_key k join keel_user u on u.id = k.user_id
   where k.prefix = $1 and k.revoked_at is null and k.expires_at > now() and u.active`,
);

const noteUse = statement(
  'api_key_used',
  `update api_key set last_used_at = now()
   where id = $1 and (last_used_at is null or last_used_at < now() - interval '1 minute')`,
);

export function createApiKeyStore(db: Database, mode: Mode): ApiKeyStore {
  return {
    create: ({ userId, name, prefix, hash, scopes, days }, actor, { replace } = { replace: false }) =>
      db.guard(async () => {
        const values = [mode, userId, name, prefix, hash, JSON.stringify(scopes), days, actor, replace];
        const [made] = await insertKey(db.pool, values);
        if (made === undefined) throw new Error('the key was not returned');
        return made;
      }),
    list: (userId) => db.guard(() => listKeys(db.pool, [userId])),
    revoke: (id, userId, actor) =>
      db.guard(async () => (await revokeKey(db.pool, [mode, id, userId, actor])).length === 1),
    good: (prefix) =>
      db.guard(async () => {
        const [found] = await goodKey(db.pool, [prefix]);
        if (found === undefined) return null;
        const { hash, user, useIsNoted, ...key } = found;
        return { key, hash, user, useIsNoted };
      }),
    used: (id) =>
      db.guard(async () => {
        await noteUse(db.pool, [id]);
      }),
  };
}
