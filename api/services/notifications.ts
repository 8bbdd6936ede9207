// What a person is told and wants to be told. Called by api/routes/notifications.ts.
import { randomUUID } from 'node:crypto';
import type { z } from 'zod';
import type { notificationSettings } from '../../contracts/http/notification.js';
import {
  defaultNotificationSettings,
  type NotificationChannel,
  type NotificationSettings,
} from '../../contracts/wire/notification.js';
import { mayHearBeyond, mayHearByMail } from '../../domain/access/roles.js';
import type { Clock } from '../../ports/clocks.js';
import { KeelError } from '../../ports/errors.js';
import type { NotificationStore } from '../../ports/notifications.js';
import type { AuditStore } from '../../ports/audit.js';
import type { AttemptStore } from '../../ports/access.js';
import { InvalidInputError } from './invalidInput.js';
import type { Principal } from './principal.js';
import { actorOf } from './principal.js';

export interface NotificationServiceDeps {
  readonly notifications: Pick<
    NotificationStore,
    'settings' | 'putSettings' | 'addFor' | 'list' | 'markRead'
  >;
  readonly audit: Pick<AuditStore, 'append'>;
  readonly attempts: Pick<AttemptStore, 'begin'>;
  readonly clock: Clock;
  /** Why nothing is ever sent to a URL, for people; null for one that something may be sent to. */
  readonly refuseAddress: (url: string) => string | null;
}

type Wanted = z.output<typeof notificationSettings>;

export const readSettings = async (
  { notifications }: NotificationServiceDeps,
  userId: string,
): Promise<NotificationSettings> => (await notifications.settings(userId)) ?? defaultNotificationSettings;

const missing = (field: string): InvalidInputError =>
  new InvalidInputError([{ in: 'body', field, message: 'is needed: none is stored yet' }]);

/** What a change names that is not stored already: what one chose while he might goes back as it came. */
function newIn(wanted: Wanted, known: NotificationSettings): Wanted {
  const { webhook, slack, telegram, email } = wanted;
  const same = {
    webhook: webhook?.url === known.webhook?.url && (webhook?.secret ?? null) === null,
    slack: known.slack !== null && (slack?.url ?? known.slack.url) === known.slack.url,
    telegram: telegram?.chatId === known.telegram?.chatId,
    email: email?.address === known.email?.address,
  };
  return {
    ...wanted,
    webhook: same.webhook ? null : webhook,
    slack: same.slack ? null : slack,
    telegram: same.telegram ? null : telegram,
    email: same.email ? null : email,
  };
}

/** Channels that are set and that his role does not allow him now: nothing is sent by them until it does. */
export function notUsed({ user }: Principal, settings: NotificationSettings): readonly NotificationChannel[] {
  const { webhook, slack, telegram, email } = settings;
  const beyond = { webhook, slack, telegram };
  const refused = mayHearBeyond(user.role)
    ? []
    : (['webhook', 'slack', 'telegram'] as const).filter((name) => beyond[name] !== null);
  return email === null || mayHearByMail(user, email.address) ? refused : [...refused, 'email'];
}

/** @throws InvalidInputError for an address that nothing is ever sent to here */
function canBeSentTo({ refuseAddress }: NotificationServiceDeps, { webhook, slack }: Wanted): void {
  const urls = { 'webhook.url': webhook?.url, 'slack.url': slack?.url };
  const problems = Object.entries(urls).flatMap(([field, url]) => {
    const message = url === undefined ? null : refuseAddress(url);
    return message === null ? [] : [{ in: 'body' as const, field, message }];
  });
  if (problems.length > 0) throw new InvalidInputError(problems);
}

/** Else everybody who may look could have Keel write to whom he likes. @throws InvalidInputError, KeelError ROLE_TOO_LOW */
function mayHear({ user }: Principal, { webhook, slack, telegram, email }: Wanted): void {
  const beyond = Object.entries({ webhook, slack, telegram }).filter(([, value]) => value !== null);
  if (beyond.length > 0 && !mayHearBeyond(user.role)) {
    const names = beyond.map(([name]) => name).join(', ');
    throw new KeelError(
      'ROLE_TOO_LOW',
      `To be told by ${names} needs the role trader; yours is ${user.role}.`,
    );
  }
  if (email === null || mayHearByMail(user, email.address)) return;
  const message = `must be your own, ${user.email}; only an admin may name another`;
  throw new InvalidInputError([{ in: 'body', field: 'email.address', message }]);
}

/**
 * A secret that is left out stays, but not for another address: it would be shown to whoever is there.
 * @throws InvalidInputError, KeelError ROLE_TOO_LOW, USER_CHANGED
 */
export async function writeSettings(
  deps: NotificationServiceDeps,
  principal: Principal,
  wanted: Wanted,
): Promise<NotificationSettings> {
  const { id: userId, username } = principal.user;
  const known = await readSettings(deps, userId);
  const added = newIn(wanted, known);
  mayHear(principal, added);
  canBeSentTo(deps, added);
  const { webhook, slack, email, telegram, quietHours, matrix } = wanted;
  const kept = known.webhook?.url === webhook?.url ? known.webhook?.secret : undefined;
  const secret = webhook?.secret ?? kept;
  if (webhook !== null && secret === undefined) throw missing('webhook.secret');
  const slackUrl = slack?.url ?? known.slack?.url;
  if (slack !== null && slackUrl === undefined) throw missing('slack.url');
  const settings: NotificationSettings = {
    ...{ email, telegram, quietHours },
    webhook: webhook === null || secret === undefined ? null : { url: webhook.url, secret },
    slack: slack === null || slackUrl === undefined ? null : { url: slackUrl },
    matrix: Object.fromEntries(Object.entries(matrix)),
  };
  // Where alarms go is worth knowing, also when the change itself then fails.
  await deps.audit.append({
    actor: actorOf(principal),
    action: 'notifications.settings',
    subject: `user:${username}`,
    facts: { matrix: settings.matrix, webhookHost: webhook === null ? null : new URL(webhook.url).host },
  });
  if (await deps.notifications.putSettings(userId, settings, principal.user)) return settings;
  throw new KeelError(
    'USER_CHANGED',
    'Your e-mail or role was changed meanwhile, and nothing was stored. Read the settings again and send them with your change.',
  );
}

/**
 * @returns the key of the delivery, under which its fate can be read
 * @throws KeelError TOO_MANY_ATTEMPTS: each test goes to an address that the user has chosen
 */
export async function sendTest(
  { notifications, attempts, clock }: NotificationServiceDeps,
  userId: string,
  channel: NotificationChannel,
  address: string,
): Promise<string> {
  await attempts.begin('notification', userId, address);
  const id = randomUUID();
  const key = `test-${id}-${channel}`;
  const news = {
    key: `test/${id}`,
    event: 'test' as const,
    title: 'Keel: a test',
    body: `This is a test of the channel ${channel}. Nothing has happened.`,
    facts: { channel },
  };
  const notBefore = new Date(clock.now()).toISOString();
  await notifications.addFor(news, { key, userId, channel, notBefore });
  return key;
}

/** @throws KeelError NOTIFICATION_NOT_FOUND */
export async function markRead(
  { notifications }: NotificationServiceDeps,
  userId: string,
  key: string,
): Promise<void> {
  if (await notifications.markRead(userId, key)) return;
  throw new KeelError('NOTIFICATION_NOT_FOUND', 'There is no such message in your inbox.');
}
