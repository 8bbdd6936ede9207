import { describe, expect, it } from 'vitest';
import { defaultNotificationSettings, type NotificationSettings } from '../contracts/wire/notification.js';
import type { Role } from '../domain/access/roles.js';
import { KeelError } from '../ports/errors.js';
import type { Delivery, News, Notification } from '../ports/notifications.js';
import { asHisRoleAllows, createNotificationActivities, deliveriesOf } from './notifications.js';

const news = (event: Notification['event'], ownerId: string | null = null): Notification => ({
  id: '7',
  key: 'run/x',
  event,
  title: 'FILLED AAPL demo',
  body: 'FILLED',
  facts: {},
  ownerId,
  createdAt: '2026-01-06T03:30:00.000Z',
});
const as = (userId: string, role: Role) => ({ userId, role, email: `${userId}@example.com` });
const night = Date.parse('2026-01-06T03:30:00.000Z');
const quiet: NotificationSettings = {
  ...defaultNotificationSettings,
  matrix: { 'run.ended': ['inbox', 'email', 'email'], 'run.unprotected': ['email', 'log'] },
  quietHours: { from: '22:00', to: '07:00', zone: 'America/New_York' },
};

describe('news', () => {
  it('goes to each person over the channels that the person has set for the event, once', () => {
    const users = [
      { ...as('anna', 'admin'), settings: quiet },
      { ...as('ben', 'admin'), settings: null },
    ];
    expect(
      deliveriesOf(news('run.ended'), users, night).map(({ key, ...each }) => [
        each.userId,
        each.channel,
        key,
      ]),
    ).toEqual([
      ['anna', 'inbox', '7-mk2173k0-anna-inbox'],
      ['anna', 'email', '7-mk2173k0-anna-email'],
      ['ben', 'inbox', '7-mk2173k0-ben-inbox'],
    ]);
  });

  it('goes nowhere that one who has lost a role could not name any more', () => {
    const settings: NotificationSettings = {
      ...defaultNotificationSettings,
      webhook: { url: 'https://hook.example.com/', secret: 'a-secret-of-the-webhook' },
      slack: { url: 'https://slack.example.com/' },
      email: { address: 'Anna@example.com' },
      matrix: { 'run.ended': ['inbox', 'webhook', 'slack', 'email'] },
    };
    const channels = (role: Role, change: Partial<NotificationSettings> = {}) => {
      const person = asHisRoleAllows({ ...as('anna', role), settings: { ...settings, ...change } });
      return [
        deliveriesOf(news('run.ended', 'anna'), [person], night).map(({ channel }) => channel),
        person.settings?.webhook ?? null,
      ];
    };
    expect(channels('admin')).toEqual([['inbox', 'webhook', 'slack', 'email'], settings.webhook]);
    expect(channels('trader')).toEqual([['inbox', 'webhook', 'slack', 'email'], settings.webhook]);
    // As a viewer he hears in the inbox and at his own address; what is on its way to the webhook finds none.
    expect(channels('viewer')).toEqual([['inbox', 'email'], null]);
    const other = { email: { address: 'somebody@example.com' } };
    expect(channels('admin', other)[0]).toContain('email');
    expect(channels('trader', other)[0]).toEqual(['inbox', 'webhook', 'slack']);
  });

  it('waits for the end of quiet hours where it is not urgent, but not in the inbox', () => {
    const users = [{ ...as('anna', 'admin'), settings: quiet }];
    expect(deliveriesOf(news('run.ended'), users, night).map(({ notBefore }) => notBefore)).toEqual([
      '2026-01-06T03:30:00.000Z',
      '2026-01-06T12:00:00.000Z',
    ]);
    const urgent = deliveriesOf(news('run.unprotected'), users, night);
    expect(new Set(urgent.map(({ notBefore }) => notBefore))).toEqual(new Set(['2026-01-06T03:30:00.000Z']));
  });

  it('of a run goes to its owner and to admins, that of the platform to admins alone', () => {
    const people = [
      { ...as('anna', 'admin'), settings: null },
      { ...as('ben', 'trader'), settings: null },
      { ...as('carl', 'trader'), settings: null },
    ];
    const told = (ownerId: string | null) =>
      deliveriesOf(news('run.ended', ownerId), people, night).map(({ userId }) => userId);
    expect([told('ben'), told('anna'), told(null)]).toEqual([['anna', 'ben'], ['anna'], ['anna']]);
  });

  it('of a loss goes to its person alone, to the inbox always and never where the other was lost', () => {
    const matrix = { 'notification.failed': ['email', 'webhook', 'inbox'] as const };
    const people = [
      { ...as('anna', 'admin'), settings: { ...quiet, matrix } },
      { ...as('ben', 'viewer'), settings: { ...quiet, matrix } },
      { ...as('carl', 'viewer'), settings: quiet },
    ];
    const told = (ownerId: string) =>
      deliveriesOf(
        { ...news('notification.failed', ownerId), facts: { channel: 'email' } },
        people,
        night,
      ).map(({ userId, channel }) => `${userId} ${channel}`);
    expect(told('ben')).toEqual(['ben inbox', 'ben webhook']);
    expect(told('carl')).toEqual(['carl inbox']);
  });

  it('goes nowhere for an event that is not named', () => {
    expect(deliveriesOf(news('broker.lost'), [{ ...as('anna', 'admin'), settings: quiet }], night)).toEqual(
      [],
    );
  });
});

const leaseMs = 60_000;

interface Outbox {
  readonly claimMs?: number;
  readonly failAt?: number;
  readonly hangs?: boolean;
  readonly event?: Notification['event'];
  readonly attempts?: number;
  /** What the channel ends with. */
  readonly error?: KeelError;
}

/** An outbox of `count` deliveries; `claimMs` is how long the database takes to hand some out. */
function outbox(count: number, { claimMs = 0, failAt = -1, hangs = false, ...more }: Outbox = {}) {
  let now = night;
  const waiting = Array.from({ length: count }, (_, index): Delivery => ({
    ...{ key: String(index), userId: 'anna', channel: 'log', state: 'sending', attempts: more.attempts ?? 3 },
    ...{
      notBefore: '',
      lastError: null,
      sentAt: null,
      readAt: null,
      address: null,
      notification: news(more.event ?? 'run.ended'),
    },
  }));
  const claims: number[] = [];
  const marked: (readonly [string, number])[] = [];
  const failed: (readonly [string, string, string | null])[] = [];
  const losses: (News | null)[] = [];
  let open = 0;
  const send = async (): Promise<void> => {
    if (more.error !== undefined) throw more.error;
    open += 1;
    await new Promise((resolve) => {
      if (!hangs) setImmediate(resolve);
    });
    open -= 1;
  };
  const channel = { send };
  const activities = createNotificationActivities({
    notifications: {
      people: () => Promise.resolve([{ ...as('anna', 'admin'), settings: null }]),
      hasWork: () => Promise.resolve(waiting.length > 0),
      fanOut: () => Promise.resolve(0),
      claim: (limit) => {
        now += claimMs;
        claims.push(limit);
        return Promise.resolve(waiting.splice(0, limit));
      },
      sent: ({ key, attempts }) => {
        marked.push([key, attempts]);
        return marked.length - 1 === failAt
          ? Promise.reject(new KeelError('DATABASE_AWAY', 'away', { errorClass: 'retryable' }))
          : Promise.resolve();
      },
      giveUp: ({ key }, error, lost) => {
        failed.push([key, error, null]);
        losses.push(lost);
        return Promise.resolve();
      },
      failed: ({ key }, error, retryAt) => {
        failed.push([key, error, retryAt]);
        return Promise.resolve();
      },
      settings: () => Promise.resolve(null),
    },
    channels: { log: channel, webhook: channel, email: channel, slack: channel, telegram: channel },
    clock: { now: () => now },
    pause: (ms) => {
      now += ms;
      return Promise.resolve();
    },
    stopping: () => waiting.length === 0,
    outboxLookMs: 1000,
    leaseMs,
  });
  return {
    send: () => activities.sendNotifications({ forMs: 600_000 }),
    claims,
    marked,
    failed,
    losses,
    underWay: () => open,
  };
}

describe('the outbox', () => {
  it('takes no more than it sends at once, and marks with the attempt that it took', async () => {
    const box = outbox(40);
    await box.send();
    expect(box.claims).toEqual([16, 16, 16]);
    expect(box.marked).toHaveLength(40);
    expect(box.marked[0]).toEqual(['0', 3]);
  });

  it('sends nothing whose lease has passed', async () => {
    const late = outbox(1, { claimMs: leaseMs });
    await late.send();
    expect([late.claims.length, late.marked]).toEqual([1, []]);
    const soon = outbox(1, { claimMs: leaseMs - 5000 });
    await soon.send();
    expect(soon.marked).toHaveLength(1);
  });

  it('waits for no channel beyond its lease, and tries it again', async () => {
    const box = outbox(2, { claimMs: leaseMs - 20, hangs: true });
    await box.send();
    expect(box.marked).toEqual([]);
    expect(box.failed.map(([key, error, retryAt]) => [key, error, retryAt === null])).toEqual([
      ['0', 'NOTIFY_AWAY: The channel did not end within 20 ms.', false],
      ['1', 'NOTIFY_AWAY: The channel did not end within 20 ms.', false],
    ]);
  });

  it('tells of what it gives up on, under a key of the person, the channel and the day', async () => {
    const refused = new KeelError('NOTIFY_REFUSED', 'the webhook answered 404.');
    const box = outbox(2, { error: refused, event: 'run.failed' });
    await box.send();
    expect(box.losses.map((lost) => [lost?.key, lost?.event, lost?.facts])).toEqual([
      ...Array<unknown>(2).fill([
        'notification.failed/anna/log/2026-01-06',
        'notification.failed',
        { channel: 'log', event: 'run.failed', code: 'NOTIFY_REFUSED' },
      ]),
    ]);
    expect(box.losses[0]?.body).toContain('NOTIFY_REFUSED: the webhook answered 404.');
  });

  it('gives up on what is away after a day, and before that tells of nothing', async () => {
    const away = new KeelError('NOTIFY_AWAY', 'away', { errorClass: 'retryable' });
    const early = outbox(1, { error: away, attempts: 31 });
    await early.send();
    expect([early.losses, early.failed[0]?.[2]]).toEqual([[], '2026-01-06T04:30:00.000Z']);
    const last = outbox(1, { error: away, attempts: 32 });
    await last.send();
    expect(last.losses).toMatchObject([{ event: 'notification.failed' }]);
  });

  it.each(['test', 'notification.failed'] as const)('tells nothing of a %s that is lost', async (event) => {
    const box = outbox(1, { error: new KeelError('NOTIFY_REFUSED', 'no'), event });
    await box.send();
    expect(box.losses).toEqual([null]);
  });

  it('fails with what failed, and only when no other is under way', async () => {
    const box = outbox(16, { failAt: 0 });
    await expect(box.send()).rejects.toThrow('away');
    expect(box.underWay()).toBe(0);
    expect(box.marked).toHaveLength(16);
  });
});
