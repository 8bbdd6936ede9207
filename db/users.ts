// Users. Called by the API's services of access and by the commands that make users. Every write has its audit row in
// the same statement.
import { and, asc, eq, or, sql } from 'drizzle-orm';
import type { PoolClient } from 'pg';
import type { Mode } from '../contracts/wire/names.js';
import { localKeyPrefix } from '../domain/access/localKey.js';
import type { UserRow, UserStore } from '../ports/access.js';
import { KeelError } from '../ports/errors.js';
import type { Database } from './connect.js';
import { brokenConstraint } from './errors.js';
import { keelUser } from './schemaAccess.js';
import { statement } from './statement.js';
import { inTransaction } from './transaction.js';

const insertUser = statement<{ id: string; createdAt: string }>(
  'user_create',
  `with made as (
     insert into keel_user (email, username, role, must_change_password, password_hash)
     values ($2, $3, $4, $5, $6) returning id, created_at
   ), noted as (
     insert into audit (mode, actor, action, subject, facts)
     select $1, $7, 'user.create', 'user:' || $3, jsonb_build_object('role', $4::text) from made
   )
   select id, created_at as "createdAt" from made`,
);

const lockUser = statement('user_lock', `select from keel_user where id = $1 for no key update`);

/**
 * Whoever knew the old password has no login any more and no way open to the identity provider; where no login is kept,
 * no key and no identity either.
 */
const changePassword = statement(
  'user_password',
  `with changed as (
     update keel_user set password_hash = $3, must_change_password = $4, updated_at = now()
     where id = $2 and ($8::text is null or password_hash = $8) returning id, username
   ), ended as (
     update login set ended_at = now(), end_reason = 'password'
     from changed where user_id = changed.id and ended_at is null and login.id is distinct from $5::uuid returning login.id
   ), revoked as (
     update api_key set revoked_at = now()
     from changed where user_id = changed.id and $5::uuid is null and revoked_at is null and not starts_with(name, $7)
     returning api_key.id
   ), flows as (
     delete from oidc_flow using changed where changed.id in (link_user_id, identified_user_id)
   ), unlinked as (
     delete from oidc_identity using changed where user_id = changed.id and $5::uuid is null returning issuer
   )
   insert into audit (mode, actor, action, subject, facts)
   select $1, $6, 'user.password', 'user:' || username, jsonb_build_object('mustChange', $4::boolean,
     'loginsEnded', (select count(*) from ended), 'keysRevoked', (select count(*) from revoked),
     'identitiesUnlinked', (select count(*) from unlinked))
   from changed returning id`,
);

/**
 * Locks all admins first, so that two who demote each other at once do not both succeed; not their keys, because whoever
 * writes a row of theirs may hold the audit chain already.
 */
const changeUser = statement<{ id: string }>(
  'user_change',
  `with before as (
     select id, email from keel_user where id = $2
   ), changed as (
     update keel_user u set role = coalesce($3, u.role), active = coalesce($4, u.active), email = coalesce($6, u.email),
       updated_at = now()
     from before where u.id = before.id returning u.id, username, role, active, u.email, before.email as email_before
   ), told as (
     update notification_setting s set settings = jsonb_set(settings, '{email,address}', to_jsonb(changed.email))
     from changed
     where s.user_id = changed.id::text and lower(settings #>> '{email,address}') = changed.email_before
       and changed.email <> changed.email_before
     returning s.user_id
   ), ended as (
     update login set ended_at = now(), end_reason = 'inactive'
     from changed where user_id = changed.id and not changed.active and ended_at is null returning login.id
   ), moved as (
     select id, email_before, mode, key, event, title, body, facts from changed,
       (select $1::text as mode, 'email/' || gen_random_uuid() as key, 'account.email' as event) as news,
       lateral (select 'The e-mail of ' || username || ' at Keel was changed' as title,
         $5::text || ' has changed it. If you did not expect that, ask an admin of your Keel at once.' as body,
         jsonb_build_object('by', $5::text) as facts) as words
     where email <> email_before
   ), told_him as (
     insert into notification (mode, key, event, title, body, facts, owner_id)
     select mode, key, event, title, body, facts, id from moved
   ), told_before as (
     insert into notification (mode, key, event, title, body, facts, owner_id, fanned_out)
     select mode, key || '/before', event, title, body, facts, id, true from moved
     where email_before not like '%@localhost' returning id, owner_id
   ), sent_before as (
     insert into notification_delivery (key, mode, notification_id, user_id, channel, address)
     select 'account-' || gen_random_uuid() || '-email', $1, told_before.id, owner_id::text, 'email', email_before
     from told_before join moved on moved.id = owner_id
   ), noted as (
     insert into audit (mode, actor, action, subject, facts)
     select $1, $5, 'user.change', 'user:' || username, jsonb_build_object('role', role, 'active', active,
       'loginsEnded', (select count(*) from ended)) ||
       case when email <> email_before
         then jsonb_build_object('emailBefore', email_before, 'email', email) else '{}' end
     from changed
   )
   select id from changed`,
);

const adoptRows = statement(
  'user_adopt',
  `with strategies as (
     update strategy set owner_id = $2 where owner_id is null returning id
   ), runs as (
     update run set owner_id = $2 where owner_id is null returning id
   )
   insert into audit (mode, actor, action, subject, facts)
   select $1, $3, 'user.adopt', 'user:' || username, jsonb_build_object(
     'strategies', (select count(*) from strategies), 'runs', (select count(*) from runs))
   from keel_user where id = $2 and (exists (select from strategies) or exists (select from runs))`,
);

const lastAdmin = (): KeelError =>
  new KeelError('LAST_ADMIN', 'This is the last active admin. Make another user an admin first.');

/** Says which name is taken, where that is what the database refused. Also used by identities.ts. */
export function takenName(error: unknown, { email, username }: Pick<UserRow, 'email' | 'username'>): unknown {
  const options = { facts: { username }, cause: error };
  switch (brokenConstraint(error)) {
    case 'keel_user_email':
      return new KeelError('EMAIL_TAKEN', `There is a user with the e-mail ${email} already.`, options);
    case 'keel_user_username':
      return new KeelError(
        'USERNAME_TAKEN',
        `There is a user ${username} already. Take another name.`,
        options,
      );
    default:
      return error;
  }
}

const userColumns = {
  id: keelUser.id,
  email: keelUser.email,
  username: keelUser.username,
  role: keelUser.role,
  active: keelUser.active,
  mustChangePassword: keelUser.mustChangePassword,
  secondFactor: keelUser.secondFactor,
  createdAt: keelUser.createdAt,
};

/** @throws KeelError LAST_ADMIN; then the transaction takes the change back. With EMAIL_TAKEN, too */
async function change(
  client: PoolClient,
  mode: Mode,
  id: string,
  { role, active, email }: Parameters<UserStore['change']>[1],
  actor: string,
): Promise<boolean> {
  const locked = await client.query(
    `select from keel_user where role = 'admin' and active for no key update`,
  );
  await lockUser(client, [id]);
  const [changed] = await changeUser(client, [mode, id, role ?? null, active ?? null, actor, email ?? null]);
  const { rows } = await client.query<{ left: boolean }>(
    `select exists (select from keel_user where role = 'admin' and active) as left`,
  );
  if (locked.rowCount !== 0 && rows[0]?.left !== true) throw lastAdmin();
  return changed !== undefined;
}

export function createUserStore(db: Database, mode: Mode): UserStore {
  const byId = db.orm
    .select(userColumns)
    .from(keelUser)
    .where(eq(keelUser.id, sql.placeholder('id')))
    .prepare('user_get');
  const byLogin = db.orm
    .select({ user: userColumns, passwordHash: keelUser.passwordHash })
    .from(keelUser)
    .where(or(eq(keelUser.email, sql.placeholder('login')), eq(keelUser.username, sql.placeholder('login'))))
    .prepare('user_by_login');
  const all = () =>
    db.orm.select(userColumns).from(keelUser).orderBy(asc(keelUser.createdAt), asc(keelUser.id)).$dynamic();
  const hashOf = db.orm
    .select({ passwordHash: keelUser.passwordHash })
    .from(keelUser)
    .where(eq(keelUser.id, sql.placeholder('id')))
    .prepare('user_password_hash');
  return {
    create: (user, actor) =>
      db.guard(async () => {
        const { email, username, role, mustChangePassword, passwordHash } = user;
        const values = [mode, email, username, role, mustChangePassword, passwordHash, actor];
        const [made] = await insertUser(db.pool, values).catch((error: unknown) => {
          throw takenName(error, user);
        });
        const { id, createdAt } = made ?? { id: '', createdAt: '' };
        return {
          id,
          email,
          username,
          role,
          active: true,
          mustChangePassword,
          secondFactor: false,
          createdAt,
        };
      }),
    get: (id) => db.guard(async () => (await byId.execute({ id }))[0] ?? null),
    byLogin: (login) => db.guard(async () => (await byLogin.execute({ login }))[0] ?? null),
    passwordHash: (id) => db.guard(async () => (await hashOf.execute({ id }))[0]?.passwordHash ?? null),
    setPassword: (id, { passwordHash, mustChange, keepLogin, checkedHash }, actor) =>
      inTransaction(db, async (client) => {
        // Locked first, so that the statement after it sees the logins that were opened until then.
        await lockUser(client, [id]);
        const values = [mode, id, passwordHash, mustChange, keepLogin, actor, localKeyPrefix, checkedHash];
        return (await changePassword(client, values)).length === 1;
      }),
    list: () => db.guard(() => all().prepare('user_list').execute()),
    change: async (id, wanted, actor) => {
      const known = await inTransaction(db, (client) => change(client, mode, id, wanted, actor)).catch(
        (error: unknown) => {
          throw takenName(error, { email: wanted.email ?? '', username: id });
        },
      );
      return known ? db.guard(async () => (await byId.execute({ id }))[0] ?? null) : null;
    },
    firstAdmin: () =>
      db.guard(
        async () =>
          (
            await all()
              .where(and(eq(keelUser.role, 'admin'), eq(keelUser.active, true)))
              .limit(1)
          )[0] ?? null,
      ),
    adopt: (userId, actor) =>
      inTransaction(db, async (client) => {
        await adoptRows(client, [mode, userId, actor]);
        await client.query('select adopt_notifications($1)', [userId]);
      }),
  };
}
