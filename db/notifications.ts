// The outbox of what people are told. News goes in with the news itself, deliveries are claimed by one sender at a time
// and marked one by one, so that a crash repeats at most what was under way.
import { and, eq, isNull, sql } from 'drizzle-orm';
import type { Mode } from '../contracts/wire/names.js';
import type { NotificationChannel } from '../contracts/wire/notification.js';
import type { Delivery, Notification, NotificationStore, Person } from '../ports/notifications.js';
import type { Database } from './connect.js';
import { notificationDelivery, notificationSetting } from './schemaNotifications.js';
import { statement } from './statement.js';
import { inTransaction } from './transaction.js';

const addNews = statement<{ id: string }>(
  'notification_add',
  `insert into notification (mode, key, event, title, body, facts, fanned_out)
   values ($1, $2, $3, $4, $5, $6, $7) on conflict do nothing returning id`,
);

const addDeliveries = statement(
  'notification_add_deliveries',
  `insert into notification_delivery (mode, notification_id, key, user_id, channel, not_before)
   select $1, d.* from unnest($2::bigint[], $3::text[], $4::text[], $5::text[], $6::timestamptz[]) as d
   on conflict do nothing`,
);

const takeNews = statement<NewsRow>(
  'notification_take',
  `update notification set fanned_out = true where id in (
     select id from notification where mode = $1 and not fanned_out order by id limit $2 for update skip locked)
   returning id, key, event, title, body, facts, owner_id as "ownerId", created_at as "createdAt"`,
);
type NewsRow = Notification & Record<string, unknown>;

const deliveryColumns = `d.key, d.user_id as "userId", d.channel, d.state, d.attempts, d.not_before as "notBefore",
  d.last_error as "lastError", d.sent_at as "sentAt", d.read_at as "readAt", d.address,
  json_build_object('id', n.id::text, 'key', n.key, 'event', n.event, 'title', n.title, 'body', n.body,
    'facts', n.facts, 'ownerId', n.owner_id, 'createdAt', to_char(n.created_at, 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')) as notification`;
type DeliveryRow = Delivery & Record<string, unknown>;

/** While it is being sent, `not_before` is the end of the lease: until then nobody else takes it. */
const claimDue = statement<DeliveryRow>(
  'notification_claim',
  `update notification_delivery d
   set state = 'sending', attempts = attempts + 1, not_before = now() + $3 * interval '1 millisecond'
   from notification n
   where n.id = d.notification_id and d.key in (
     select key from notification_delivery
     where mode = $1 and state in ('pending', 'sending') and not_before <= now()
     order by not_before limit $2 for update skip locked)
   returning ${deliveryColumns}`,
);

/** The attempt is the fence: a sender whose lease has passed to another marks nothing. */
const markSent = statement(
  'notification_sent',
  `update notification_delivery set state = 'sent', sent_at = now(), last_error = null
   where mode = $1 and key = $2 and state = 'sending' and attempts = $3`,
);

const markFailed = statement(
  'notification_failed',
  `update notification_delivery set state = 'pending', last_error = $4, not_before = $5
   where mode = $1 and key = $2 and state = 'sending' and attempts = $3`,
);

/** Who is no user any more is told nothing. */
const giveUp = statement(
  'notification_give_up',
  `with given as (
     update notification_delivery set state = 'failed', last_error = $4
     where mode = $1 and key = $2 and state = 'sending' and attempts = $3 returning user_id
   )
   insert into notification (mode, key, event, title, body, facts, owner_id)
   select $1, $5::text, $6, $7, $8, $9::jsonb, u.id from given join keel_user u on u.id::text = given.user_id
   where $5::text is not null
   on conflict do nothing`,
);

const listOf = statement<DeliveryRow>(
  'notification_list',
  `select ${deliveryColumns} from notification_delivery d join notification n on n.id = d.notification_id
   where d.mode = $1 and d.user_id = $2 and ($3::text is null or d.channel = $3)
     and (not $4 or d.read_at is null)
   order by d.notification_id desc, d.channel limit $5`,
);

const people = statement<Person & Record<string, unknown>>(
  'notification_people',
  `select u.id::text as "userId", u.role, u.email, s.settings
   from keel_user u left join notification_setting s on s.user_id = u.id::text and s.mode = $1
   where u.active order by u.created_at, u.id`,
);

const anyWork = statement<{ work: boolean }>(
  'notification_work',
  `select exists (select from notification where mode = $1 and not fanned_out) or exists (
     select from notification_delivery
     where mode = $1 and state in ('pending', 'sending') and not_before <= now()) as work`,
);

/** The lock lets no e-mail or role be changed beside it: a change that comes after it finds what was stored. */
const putSettings = statement(
  'notification_put_settings',
  `with him as (
     select id::text as id from keel_user where id = $2::uuid and email = $4 and role = $5 for share
   )
   insert into notification_setting (mode, user_id, settings) select $1, id, $3::jsonb from him
   on conflict (mode, user_id) do update set settings = excluded.settings, updated_at = now()
   returning user_id`,
);

type Sending = Pick<NotificationStore, 'hasWork' | 'fanOut' | 'claim' | 'sent' | 'failed' | 'giveUp'>;

function createSending(db: Database, mode: Mode): Sending {
  return {
    hasWork: () => db.guard(async () => (await anyWork(db.pool, [mode]))[0]?.work === true),
    fanOut: (limit, deliveriesOf) =>
      inTransaction(db, async (client) => {
        const news = await takeNews(client, [mode, limit]);
        const rows = news.flatMap((row) => deliveriesOf(row).map((each) => ({ id: row.id, ...each })));
        if (rows.length > 0) {
          await addDeliveries(client, [
            mode,
            rows.map(({ id }) => id),
            rows.map(({ key }) => key),
            rows.map(({ userId }) => userId),
            rows.map(({ channel }) => channel),
            rows.map(({ notBefore }) => notBefore),
          ]);
        }
        return news.length;
      }),
    claim: (limit, leaseMs) => db.guard(() => claimDue(db.pool, [mode, limit, leaseMs])),
    sent: ({ key, attempts }) =>
      db.guard(async () => {
        await markSent(db.pool, [mode, key, attempts]);
      }),
    failed: ({ key, attempts }, error, retryAt) =>
      db.guard(async () => {
        await markFailed(db.pool, [mode, key, attempts, error, retryAt]);
      }),
    giveUp: ({ key, attempts }, error, news) =>
      db.guard(async () => {
        const { event, title, body, facts } = news ?? { event: null, title: null, body: null, facts: null };
        const told = [news?.key ?? null, event, title, body, facts === null ? null : JSON.stringify(facts)];
        await giveUp(db.pool, [mode, key, attempts, error, ...told]);
      }),
  };
}

export function createNotificationStore(db: Database, mode: Mode): NotificationStore {
  const add = (news: Parameters<NotificationStore['add']>[0], fannedOut: boolean) => {
    const { key, event, title, body, facts } = news;
    return addNews(db.pool, [mode, key, event, title, body, JSON.stringify(facts), fannedOut]);
  };
  return {
    ...createSending(db, mode),
    add: (news) => db.guard(async () => (await add(news, false)).length > 0),
    addFor: (news, { key, userId, channel, notBefore }) =>
      db.guard(async () => {
        const id = (await add(news, true))[0]?.id;
        if (id === undefined) return;
        await addDeliveries(db.pool, [mode, [id], [key], [userId], [channel], [notBefore]]);
      }),
    settings: (userId) =>
      db.guard(async () => {
        const rows = await db.orm
          .select({ settings: notificationSetting.settings })
          .from(notificationSetting)
          .where(and(eq(notificationSetting.mode, mode), eq(notificationSetting.userId, userId)));
        return rows[0]?.settings ?? null;
      }),
    putSettings: (userId, settings, { email, role }) =>
      db.guard(async () => {
        const values = [mode, userId, JSON.stringify(settings), email, role];
        return (await putSettings(db.pool, values)).length > 0;
      }),
    people: () => db.guard(() => people(db.pool, [mode])),
    list: (userId, { channel, unread, limit }) =>
      db.guard(() => listOf(db.pool, [mode, userId, channel ?? null, unread, limit])),
    markRead: (userId, key) =>
      db.guard(async () => {
        const inbox: NotificationChannel = 'inbox';
        const mine = and(
          eq(notificationDelivery.mode, mode),
          eq(notificationDelivery.userId, userId),
          eq(notificationDelivery.channel, inbox),
          eq(notificationDelivery.key, key),
        );
        const marked = await db.orm
          .update(notificationDelivery)
          .set({ readAt: sql`now()` })
          .where(and(mine, isNull(notificationDelivery.readAt)))
          .returning({ key: notificationDelivery.key });
        if (marked.length > 0) return true;
        const known = await db.orm
          .select({ key: notificationDelivery.key })
          .from(notificationDelivery)
          .where(mine);
        return known.length > 0;
      }),
  };
}
