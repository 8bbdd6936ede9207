// Identities at a provider, and the flows to it and back. Called by api/services/oidc.ts.
import type { Mode } from '../contracts/wire/names.js';
import type { UserRow } from '../ports/access.js';
import type { IdentityStore, TakenFlow } from '../ports/identity.js';
import type { Database } from './connect.js';
import { statement } from './statement.js';
import { takenName } from './users.js';

const beginFlow = statement(
  'oidc_flow_begin',
  `with old as (delete from oidc_flow where expires_at < now())
   insert into oidc_flow (state_hash, browser_hash, expires_at, link_user_id)
   values ($1, $2, now() + make_interval(mins => $3), $4)`,
);

const takeFlow = statement<TakenFlow & Record<string, unknown>>(
  'oidc_flow_take',
  `delete from oidc_flow
   where state_hash = $1 and browser_hash = $2 and expires_at > now() and identified_user_id is null
   returning link_user_id as "linkUserId",
     (select password_hash from keel_user where id = link_user_id) as "passwordHash"`,
);

const keepFlow = statement(
  'oidc_flow_keep',
  `insert into oidc_flow (state_hash, browser_hash, expires_at, identified_user_id)
   values ($1, $2, now() + make_interval(mins => $3), $4)`,
);

const userFields = `u.id, u.email, u.username, u.role, u.active, u.must_change_password as "mustChangePassword",
  u.second_factor as "secondFactor", u.created_at as "createdAt"`;

const flowUser = statement<UserRow>(
  'oidc_flow_user',
  `select ${userFields} from oidc_flow f join keel_user u on u.id = f.identified_user_id
   where f.state_hash = $1 and f.browser_hash = $2 and f.expires_at > now()`,
);

const endFlow = statement(
  'oidc_flow_end',
  `delete from oidc_flow where state_hash = $1 and browser_hash = $2 returning state_hash`,
);

const identityUser = statement<UserRow>(
  'oidc_identity_user',
  `with used as (
     update oidc_identity set last_used_at = now() where issuer = $1 and subject = $2 returning user_id
   )
   select ${userFields} from used join keel_user u on u.id = used.user_id`,
);

/** The row of the user is locked, so that a password that changes meanwhile has changed before or changes after it. */
const link = statement(
  'oidc_identity_link',
  `with owner as (
     select id from keel_user where id = $4 and active and password_hash is not distinct from $6 for no key update
   ), linked as (
     insert into oidc_identity (issuer, subject, user_id) select $2, $3, id from owner
     on conflict do nothing returning user_id
   ), noted as (
     insert into audit (mode, actor, action, subject, facts)
     select $1, $5, 'identity.link', 'user:' || u.username, jsonb_build_object('issuer', $2::text)
     from linked join keel_user u on u.id = linked.user_id
   )
   select user_id from linked
   union all select user_id from oidc_identity join owner on owner.id = user_id where issuer = $2 and subject = $3`,
);

const unlink = statement<{ count: number }>(
  'oidc_identity_unlink',
  `with gone as (
     delete from oidc_identity where user_id = $2 returning issuer
   ), noted as (
     insert into audit (mode, actor, action, subject, facts)
     select $1, $3, 'identity.unlink', 'user:' || username, jsonb_build_object('issuers', (select jsonb_agg(issuer) from gone))
     from keel_user where id = $2 and exists (select from gone)
   )
   select count(*)::int as count from gone`,
);

const createUser = statement<UserRow>(
  'oidc_user_create',
  `with u as (
     insert into keel_user (email, username, role) values ($4, $5, 'viewer') returning *
   ), linked as (
     insert into oidc_identity (issuer, subject, user_id, last_used_at) select $2, $3, u.id, now() from u
   ), noted as (
     insert into audit (mode, actor, action, subject, facts)
     select $1, 'user:' || $5, 'user.create', 'user:' || $5, jsonb_build_object('role', 'viewer', 'issuer', $2::text) from u
   )
   select ${userFields} from u`,
);

export function createIdentityStore(db: Database, mode: Mode): IdentityStore {
  return {
    beginFlow: ({ stateHash, browserHash }, { linkUserId, minutes }) =>
      db.guard(async () => {
        await beginFlow(db.pool, [stateHash, browserHash, minutes, linkUserId]);
      }),
    takeFlow: ({ stateHash, browserHash }) =>
      db.guard(async () => (await takeFlow(db.pool, [stateHash, browserHash]))[0] ?? null),
    keepIdentified: ({ stateHash, browserHash }, userId, minutes) =>
      db.guard(async () => {
        await keepFlow(db.pool, [stateHash, browserHash, minutes, userId]);
      }),
    identifiedUser: ({ stateHash, browserHash }) =>
      db.guard(async () => (await flowUser(db.pool, [stateHash, browserHash]))[0] ?? null),
    endFlow: ({ stateHash, browserHash }) =>
      db.guard(async () => (await endFlow(db.pool, [stateHash, browserHash])).length === 1),
    userOf: (issuer, subject) =>
      db.guard(async () => (await identityUser(db.pool, [issuer, subject]))[0] ?? null),
    link: ({ issuer, subject }, { userId, passwordHash }, actor) =>
      db.guard(async () => {
        const values = [mode, issuer, subject, userId, actor, passwordHash];
        return (await link(db.pool, values)).length > 0;
      }),
    unlink: (userId, actor) =>
      db.guard(async () => (await unlink(db.pool, [mode, userId, actor]))[0]?.count ?? 0),
    createUser: ({ issuer, subject }, user) =>
      db.guard(async () => {
        const values = [mode, issuer, subject, user.email, user.username];
        const [made] = await createUser(db.pool, values).catch((error: unknown) => {
          throw takenName(error, user);
        });
        if (made === undefined) throw new Error('the user was not returned');
        return made;
      }),
  };
}
