import { describe, expect, it } from 'vitest';
import { defaultNotificationSettings, type NotificationSettings } from '../contracts/wire/notification.js';
import type { Notification } from '../ports/notifications.js';
import { deliveriesOf } from './notifications.js';

const news = (event: Notification['event']): Notification => ({
  id: '7',
  key: 'run/x',
  event,
  title: 'FILLED AAPL demo',
  body: 'FILLED',
  facts: {},
  createdAt: '2026-01-06T03:30:00.000Z',
});
const night = Date.parse('2026-01-06T03:30:00.000Z');
const quiet: NotificationSettings = {
  ...defaultNotificationSettings,
  matrix: { 'run.ended': ['inbox', 'email', 'email'], 'run.unprotected': ['email', 'log'] },
  quietHours: { from: '22:00', to: '07:00', zone: 'America/New_York' },
};

describe('news', () => {
  it('goes to each person over the channels that the person has set for the event, once', () => {
    const users = [
      { userId: 'anna', settings: quiet },
      { userId: 'ben', settings: defaultNotificationSettings },
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

  it('waits for the end of quiet hours where it is not urgent, but not in the inbox', () => {
    const users = [{ userId: 'anna', settings: quiet }];
    expect(deliveriesOf(news('run.ended'), users, night).map(({ notBefore }) => notBefore)).toEqual([
      '2026-01-06T03:30:00.000Z',
      '2026-01-06T12:00:00.000Z',
    ]);
    const urgent = deliveriesOf(news('run.unprotected'), users, night);
    expect(new Set(urgent.map(({ notBefore }) => notBefore))).toEqual(new Set(['2026-01-06T03:30:00.000Z']));
  });

  it('goes nowhere for an event that is not named', () => {
    expect(deliveriesOf(news('broker.lost'), [{ userId: 'anna', settings: quiet }], night)).toEqual([]);
  });
});
