// Sends what the outbox holds. One long activity for a mode looks every second; each delivery is one attempt, and the
// row keeps when the next one may be, so that a receiver that is away holds up nobody else.
import pTimeout from 'p-timeout';
import {
  defaultNotificationSettings,
  urgentEvents,
  type NotificationChannel,
  type NotificationSettings,
} from '../contracts/wire/notification.js';
import { mayHearBeyond, mayHearByMail } from '../domain/access/roles.js';
import type { Clock } from '../ports/clocks.js';
import { KeelError } from '../ports/errors.js';
import type {
  ChannelPorts,
  Delivery,
  NewDelivery,
  News,
  Notification,
  NotificationStore,
  Person,
} from '../ports/notifications.js';
import type { Pause } from './pause.js';
import { endOfQuietHours } from './quietHours.js';

export interface NotificationDeps {
  readonly notifications: Pick<
    NotificationStore,
    'people' | 'hasWork' | 'fanOut' | 'claim' | 'sent' | 'failed' | 'giveUp' | 'settings'
  >;
  readonly channels: ChannelPorts;
  readonly clock: Clock;
  readonly pause: Pause;
  readonly stopping: () => boolean;
  /** Wall milliseconds: between looks, and for how long a delivery is one sender's. */
  readonly outboxLookMs: number;
  readonly leaseMs: number;
}

/** Deliveries that are taken and sent side by side; none waits for another, so that its lease outlasts its sending. */
const atOnce = 16;
const news = 500;
/** The pause after the n-th attempt doubles from 5 s to an hour; a day passes before it is given up. */
const firstPauseMs = 5000;
const longestPauseMs = 3_600_000;
const mostAttempts = 32;

export function createNotificationActivities(deps: NotificationDeps) {
  return {
    /** Looks for `forMs` of wall time, then returns so that the workflow can start it anew. */
    async sendNotifications({ forMs }: { forMs: number }): Promise<void> {
      const end = deps.clock.now() + forMs;
      while (deps.clock.now() < end && !deps.stopping()) {
        if ((await sendDue(deps)) === 0) await deps.pause(deps.outboxLookMs);
      }
    },
  };
}

/** @returns how much was done */
async function sendDue(deps: NotificationDeps): Promise<number> {
  if (!(await deps.notifications.hasWork())) return 0;
  const people = (await deps.notifications.people()).map(asHisRoleAllows);
  const now = deps.clock.now();
  // As long as nobody could be told of the platform, news waits.
  const fresh = people.some(({ role }) => role === 'admin')
    ? await deps.notifications.fanOut(news, (each) => deliveriesOf(each, people, now))
    : 0;
  // By this process's own clock, and from before the claim: no later than the lease in the database.
  const leaseEnd = deps.clock.now() + deps.leaseMs;
  const due = await deps.notifications.claim(atOnce, deps.leaseMs);
  const settings = new Map(people.map((each) => [each.userId, each.settings]));
  const sending = due.map((each) =>
    sendOne(deps, each, settings.get(each.userId) ?? defaultNotificationSettings, leaseEnd),
  );
  // Where one fails the others are awaited first: none may be under way when the next round begins.
  await Promise.allSettled(sending);
  await Promise.all(sending);
  return fresh + due.length;
}

/** Whoever has lost a role is told only where he could say so now; what is on its way elsewhere fails as not set. */
export function asHisRoleAllows(person: Person): Person {
  const { role, settings } = person;
  if (settings === null) return person;
  const beyond = mayHearBeyond(role);
  const { webhook, slack, telegram, email, matrix } = settings;
  const allowed = {
    webhook: beyond ? webhook : null,
    slack: beyond ? slack : null,
    telegram: beyond ? telegram : null,
    email: email !== null && mayHearByMail(person, email.address) ? email : null,
  };
  const off = (channel: NotificationChannel): boolean =>
    channel in allowed &&
    settings[channel as keyof typeof allowed] !== null &&
    allowed[channel as keyof typeof allowed] === null;
  const kept = Object.entries(matrix).map(([event, channels]) => [
    event,
    channels.filter((each) => !off(each)),
  ]);
  return {
    ...person,
    settings: { ...settings, ...allowed, matrix: Object.fromEntries(kept) as typeof matrix },
  };
}

export function deliveriesOf(
  { id, event, ownerId, createdAt, facts }: Notification,
  people: readonly Person[],
  now: number,
): readonly NewDelivery[] {
  const lost = event === 'notification.failed';
  // Whose channels do not work, or whose e-mail is another now, is nobody else's business.
  const his = lost || event === 'account.email';
  const told = people.filter(({ userId, role }) => userId === ownerId || (role === 'admin' && !his));
  return told.flatMap(({ userId, settings: own }) => {
    const settings = own ?? defaultNotificationSettings;
    const named = settings.matrix[event] ?? [];
    // Nobody has to ask for this, and where the other message did not arrive this would not either.
    const channels = his ? ['inbox' as const, ...named.filter((each) => each !== facts['channel'])] : named;
    return [...new Set(channels)].map((channel) => {
      const waits = !urgentEvents.includes(event) && channel !== 'inbox' && channel !== 'log';
      const at = waits ? endOfQuietHours(settings.quietHours, now) : now;
      // The time keeps keys of one database apart from those of the next, whose numbers begin anew.
      const key = `${id}-${Date.parse(createdAt).toString(36)}-${userId}-${channel}`;
      return { key, userId, channel, notBefore: new Date(at).toISOString() };
    });
  });
}

async function sendOne(
  { channels, notifications, clock }: NotificationDeps,
  delivery: Delivery,
  settings: NotificationSettings,
  leaseEnd: number,
): Promise<void> {
  const { channel, attempts } = delivery;
  // The claim came back so late that another sender may have it.
  const now = clock.now();
  if (now >= leaseEnd) return;
  try {
    if (channel !== 'inbox') {
      // Beyond its lease a delivery may be another sender's, and the batch waits for each: a channel that trickles ends there.
      const milliseconds = leaseEnd - now;
      const message = `The channel did not end within ${String(milliseconds)} ms.`;
      await pTimeout(channels[channel].send(delivery, settings), {
        milliseconds,
        message: new KeelError('NOTIFY_AWAY', message, { errorClass: 'retryable' }),
      });
    }
  } catch (error) {
    if (!(error instanceof KeelError)) throw error;
    const words = `${error.code}: ${error.message}`;
    if (error.errorClass !== 'retryable' || attempts >= mostAttempts) {
      await notifications.giveUp(delivery, words, newsOfLoss(delivery, error, clock.now()));
      return;
    }
    const pauseMs = Math.min(firstPauseMs * 2 ** (attempts - 1), longestPauseMs);
    await notifications.failed(delivery, words, new Date(clock.now() + pauseMs).toISOString());
    return;
  }
  await notifications.sent(delivery);
}

/**
 * Once a day, by UTC, for each channel of a person: what was lost is in the list of his deliveries. Null where it must not
 * be told: of a test he sees the fate, news of a loss that is lost itself would go on for ever, and an address that he had is
 * no channel of his.
 */
function newsOfLoss(
  { userId, channel, address, notification }: Delivery,
  error: KeelError,
  now: number,
): News | null {
  const { event, title } = notification;
  if (event === 'test' || event === 'notification.failed' || address !== null) return null;
  return {
    key: `notification.failed/${userId}/${channel}/${new Date(now).toISOString().slice(0, 10)}`,
    event: 'notification.failed',
    title: `Keel could not tell you by ${channel}`,
    body: `"${title}" was given up on: ${error.code}: ${error.message} What else is lost today over this channel is not told again; GET /api/v1/notifications lists it.`,
    facts: { channel, event, code: error.code },
  };
}
