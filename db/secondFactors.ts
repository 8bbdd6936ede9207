// Second factors and their recovery codes. What is good once is taken by one statement, so that of many at once one gets
// it. Called by the API's services of access and by `keel admin`.
import type { PoolClient } from 'pg';
import type { Mode } from '../contracts/wire/names.js';
import { localKeyPrefix } from '../domain/access/localKey.js';
import type { SecondFactorStore } from '../ports/access.js';
import type { Database } from './connect.js';
import { statement } from './statement.js';
import { inTransaction } from './transaction.js';

const readFactor = statement<{ sealed: string; confirmed: boolean }>(
  'second_factor_read',
  `select sealed_secret as sealed, confirmed_at is not null as confirmed from second_factor where user_id = $1`,
);

const readAll = statement<{ userId: string; sealed: string }>(
  'second_factor_all',
  `select user_id as "userId", sealed_secret as sealed from second_factor order by user_id`,
);

/** One that is confirmed is not replaced. */
const enrol = statement(
  'second_factor_enrol',
  `with begun as (
     insert into second_factor (user_id, sealed_secret) values ($2, $3)
     on conflict (user_id) do update set sealed_secret = excluded.sealed_secret, created_at = now(), last_step = 0
       where second_factor.confirmed_at is null
     returning user_id
   )
   insert into audit (mode, actor, action, subject, facts)
   select $1, $4, 'second-factor.enrol', 'user:' || u.username, '{}'
   from begun join keel_user u on u.id = begun.user_id returning id`,
);

const lockUser = statement('second_factor_lock', `select from keel_user where id = $1 for no key update`);

/** Logins that were opened without it end. */
const confirm = statement(
  'second_factor_confirm',
  `with confirmed as (
     update second_factor set confirmed_at = now(), last_step = $4
     where user_id = $2 and sealed_secret = $3 and confirmed_at is null returning user_id
   ), told as (
     update keel_user u set second_factor = true, updated_at = now() from confirmed where u.id = confirmed.user_id
     returning u.id, u.username
   ), ended as (
     update login set ended_at = now(), end_reason = 'second factor'
     from confirmed where login.user_id = confirmed.user_id and ended_at is null and login.id <> $5::uuid returning login.id
   ), proven as (
     update login set proven_at = now() from confirmed where login.id = $5::uuid
   )
   insert into audit (mode, actor, action, subject, facts)
   select $1, $6, 'second-factor.confirm', 'user:' || username,
     jsonb_build_object('loginsEnded', (select count(*) from ended))
   from told returning id`,
);

const useStep = statement(
  'second_factor_step',
  `with used as (
     update second_factor set last_step = $2 where user_id = $1 and confirmed_at is not null and last_step < $2
     returning user_id
   ), proven as (
     update login set proven_at = now() from used where login.id = $3::uuid and login.user_id = used.user_id
   )
   select user_id from used`,
);

const useRecovery = statement(
  'recovery_code_use',
  `with used as (
     update recovery_code set used_at = now() where hash = $3 and user_id = $2 and used_at is null returning user_id
   )
   insert into audit (mode, actor, action, subject, facts)
   select $1, 'user:' || u.username, 'second-factor.recovery', 'user:' || u.username, jsonb_build_object('left',
     (select count(*) from recovery_code c where c.user_id = u.id and c.used_at is null and c.hash <> $3))
   from used join keel_user u on u.id = used.user_id returning id`,
);

const dropRecovery = statement('recovery_code_drop', `delete from recovery_code where user_id = $1`);
const putRecovery = statement(
  'recovery_code_put',
  `insert into recovery_code (hash, user_id) select unnest($2::text[]), $1`,
);

const noteRecovery = statement(
  'recovery_code_note',
  `insert into audit (mode, actor, action, subject, facts)
   select $1, $3, 'second-factor.recovery-codes', 'user:' || username, '{}' from keel_user where id = $2`,
);

/** A key that acts was made on proof of this one; whoever sets up another must not find it good again. */
const remove = statement(
  'second_factor_remove',
  `with removed as (
     delete from second_factor where user_id = $2 returning user_id
   ), told as (
     update keel_user u set second_factor = false, updated_at = now() from removed where u.id = removed.user_id
     returning u.id, u.username
   ), ended as (
     update login set ended_at = now(), end_reason = 'second factor'
     from removed where login.user_id = removed.user_id and ended_at is null and login.id is distinct from $4::uuid
     returning login.id
   ), revoked as (
     update api_key set revoked_at = now()
     from removed where api_key.user_id = removed.user_id and revoked_at is null and scopes @> '["live"]'
       and not starts_with(name, $5) returning api_key.id
   )
   insert into audit (mode, actor, action, subject, facts)
   select $1, $3, 'second-factor.remove', 'user:' || username, jsonb_build_object(
     'loginsEnded', (select count(*) from ended), 'keysRevoked', (select count(*) from revoked))
   from told returning id`,
);

const reseal = statement(
  'second_factor_reseal',
  `update second_factor set sealed_secret = $3 where user_id = $1 and sealed_secret = $2`,
);

const newCodes = async (client: PoolClient, userId: string, hashes: readonly string[]): Promise<void> => {
  await dropRecovery(client, [userId]);
  await putRecovery(client, [userId, hashes]);
};

export function createSecondFactorStore(db: Database, mode: Mode): SecondFactorStore {
  return {
    get: (userId) => db.guard(async () => (await readFactor(db.pool, [userId]))[0] ?? null),
    enrol: (userId, sealed, actor) =>
      db.guard(async () => (await enrol(db.pool, [mode, userId, sealed, actor])).length === 1),
    confirm: ({ userId, sealed, step, recoveryHashes, loginId }, actor) =>
      inTransaction(db, async (client) => {
        await lockUser(client, [userId]);
        const confirmed = await confirm(client, [mode, userId, sealed, step, loginId, actor]);
        if (confirmed.length === 0) return false;
        await newCodes(client, userId, recoveryHashes);
        return true;
      }),
    useStep: (userId, step, loginId) =>
      db.guard(async () => (await useStep(db.pool, [userId, step, loginId])).length === 1),
    useRecovery: (userId, hash) =>
      db.guard(async () => (await useRecovery(db.pool, [mode, userId, hash])).length === 1),
    putRecovery: (userId, hashes, actor) =>
      inTransaction(db, async (client) => {
        await lockUser(client, [userId]);
        await newCodes(client, userId, hashes);
        await noteRecovery(client, [mode, userId, actor]);
      }),
    remove: (userId, { keepLogin }, actor) =>
      inTransaction(db, async (client) => {
        await lockUser(client, [userId]);
        return (await remove(client, [mode, userId, actor, keepLogin, localKeyPrefix])).length === 1;
      }),
    all: () => db.guard(() => readAll(db.pool, [])),
    reseal: (userId, before, after) =>
      db.guard(async () => {
        await reseal(db.pool, [userId, before, after]);
      }),
  };
}
