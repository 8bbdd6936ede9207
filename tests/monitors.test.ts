// Monitors in time: a look that takes longer than its interval, looks that were missed while Temporal was away, schedules
// that follow the configuration of the worker that starts, and news that may not leave this machine. A Temporal server
// of its own, because it is killed; prices come from a server that answers when the test says so.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { says, startPriceServer, yahooChart, type PriceServer } from '../adapters/prices/testing/sources.js';
import { defaultNotificationSettings } from '../contracts/wire/notification.js';
import { monitorScheduleId } from '../contracts/wire/names.js';
import { makeUser } from './support/access.js';
import { demoSettings, startStack, type TestStack } from './support/stack.js';
import { startTemporal, type TestTemporal } from './support/temporal.js';

/** Of every monitor in config/testing.yaml. */
const everyMs = 2000;
const scheduleId = monitorScheduleId('simulated', 'prices');
const poll = { timeout: 60_000, interval: 100 };
let temporal: TestTemporal;
let stack: TestStack;
let yahoo: PriceServer;
let worker: Awaited<ReturnType<TestStack['startWorker']>>;

beforeAll(async () => {
  yahoo = await startPriceServer();
  temporal = await startTemporal();
  stack = await startStack(temporal, {
    KEEL_MONITORS: 'on',
    KEEL_PRICE_CHAIN: 'yahoo',
    KEEL_YAHOO_URL: yahoo.url,
  });
  const watched = { id: 'watched', name: 'watched', settings: demoSettings };
  await stack.market.stores.strategies.create(watched, 'test');
  yahoo.answer = answersAtOnce;
  worker = await stack.startWorker();
});

afterAll(async () => {
  await stack.stop();
  await temporal.stop();
  await yahoo.close();
});

/** Kept from look to look, until the market is stepped. */
const answersAtOnce = says(200, yahooChart('AAPL', 95, 1_404_331_200));
const described = () => stack.client.schedule.getHandle(scheduleId).describe();

interface Look {
  readonly startedAt: number;
  readonly endedAt: number | null;
}

/** The looks of the monitor that Temporal knows of, oldest first. */
async function looks(): Promise<readonly Look[]> {
  const found: Look[] = [];
  const query = `WorkflowId STARTS_WITH "${scheduleId}-"`;
  for await (const { startTime, closeTime } of stack.client.workflow.list({ query })) {
    found.push({ startedAt: startTime.getTime(), endedAt: closeTime?.getTime() ?? null });
  }
  return found.sort((a, b) => a.startedAt - b.startedAt);
}

describe('a look that takes longer than its interval', () => {
  it('makes the next one be skipped: two never look at once, and looking goes on', async () => {
    const held: (() => void)[] = [];
    await expect.poll(() => described().then(({ info }) => info.numActionsTaken), poll).toBeGreaterThan(0);
    const before = (await described()).info.numActionsSkippedOverlap;
    yahoo.answer = (request: IncomingMessage, response: ServerResponse) => {
      held.push(() => {
        answersAtOnce(request, response);
      });
    };
    // The market is stepped, so that no price comes from the cache.
    await stack.market.stepThrough(['2014-07-02T20:00:00.000Z']);
    await expect.poll(() => held.length, poll).toBeGreaterThan(0);
    await expect
      .poll(() => described().then(({ info }) => info.numActionsSkippedOverlap), poll)
      .toBeGreaterThan(before);
    yahoo.answer = answersAtOnce;
    for (const release of held) release();
    const { numActionsTaken } = (await described()).info;
    await expect
      .poll(() => described().then(({ info }) => info.numActionsTaken), poll)
      .toBeGreaterThan(numActionsTaken);
    const overlapping = async () => {
      const all = await looks();
      expect(all.length).toBeGreaterThan(1);
      return all.filter(({ startedAt }, index) => {
        const earlier = all[index - 1];
        return earlier !== undefined && (earlier.endedAt ?? Infinity) > startedAt;
      });
    };
    // Temporal lists the end of a look when it comes to it, which may be after the start of the next.
    await expect.poll(overlapping, poll).toEqual([]);
  });
});

describe('looks that were missed while Temporal was away', () => {
  it('are made up when it is back, because they are not older than monitors.catchUpMs', async () => {
    // A look that is under way would make those that are made up be skipped: it has just ended, and the next is to come.
    const before = (await described()).info.numActionsTaken;
    await expect
      .poll(async () => {
        const { numActionsTaken, recentActions, nextActionTimes } = (await described()).info;
        const last = recentActions.at(-1)?.action.workflow;
        if (numActionsTaken <= before || last === undefined) return 'none yet';
        const { status } = await stack.client.workflow.getHandle(last.workflowId).describe();
        const next = nextActionTimes[0]?.getTime() ?? 0;
        return next - Date.now() < everyMs / 2 ? 'the next one is near' : status.name;
      }, poll)
      .toBe('COMPLETED');
    await temporal.kill();
    const goneAt = Date.now();
    // Time itself is what is waited for: one look at least has to fall into it.
    await expect.poll(() => Date.now() - goneAt, poll).toBeGreaterThan(2 * everyMs);
    const backAt = Date.now();
    await temporal.restart();
    const madeUp = async (): Promise<number> =>
      (await described().catch(() => null))?.info.recentActions.filter(
        ({ scheduledAt, takenAt }) =>
          scheduledAt.getTime() < backAt && takenAt.getTime() - scheduledAt.getTime() > everyMs,
      ).length ?? 0;
    await expect.poll(madeUp, poll).toBeGreaterThan(0);
    const { policies, info } = await described();
    expect([policies.catchupWindow, info.numActionsMissedCatchupWindow]).toEqual([60_000, 0]);
    // And the worker, which was there all the time, looks on.
    const { at } = (await stack.market.stores.monitors.get('prices')) ?? { at: '' };
    await expect
      .poll(async () => ((await stack.market.stores.monitors.get('prices'))?.at ?? '') > at, poll)
      .toBe(true);
  });
});

describe('news for an address of this machine', () => {
  it('is refused where the configuration does not allow it, and no connection is made', async () => {
    const { notifications } = stack.market.stores;
    const { id: userId } = await makeUser(stack.market.stores, 'hears', 'admin');
    const webhook = {
      url: `${yahoo.url.replace('http:', 'https:')}/hook`,
      secret: 'a-secret-of-the-webhook',
    };
    const asWho = { email: 'hears@example.com', role: 'admin' } as const;
    const settings = { ...defaultNotificationSettings, webhook };
    expect(await notifications.putSettings(userId, settings, asWho)).toBe(true);
    const news = { key: 'test/private', event: 'test' as const, title: 'a test', body: 'a test', facts: {} };
    const notBefore = new Date().toISOString();
    await notifications.addFor(news, { key: 'test-private', userId, channel: 'webhook', notBefore });
    const fate = async () =>
      (await notifications.list(userId, { unread: false, limit: 50 })).find(
        ({ key }) => key === 'test-private',
      );
    await expect.poll(async () => (await fate())?.state, poll).toBe('failed');
    expect((await fate())?.lastError).toMatch(/^NOTIFY_ADDRESS: 127\.0\.0\.1 is an address of this machine/);
    expect(yahoo.asked.filter((asked) => asked.includes('hook'))).toEqual([]);
  });
});

describe('a worker that starts with another configuration', () => {
  const restart = async (change: NodeJS.ProcessEnv): Promise<void> => {
    await worker.stop();
    Object.assign(stack.env, change);
    worker = await stack.startWorker();
  };

  it('changes the schedules, in place', async () => {
    const before = await described();
    expect(before.spec.intervals).toMatchObject([{ every: everyMs }]);
    await restart({ KEEL_ENV: 'development' });
    const after = await described();
    expect(after.spec.intervals).toMatchObject([{ every: 60_000 }]);
    expect(after.info.createdAt).toEqual(before.info.createdAt);
  });

  it('takes them away where they are off, and makes them again', async () => {
    await restart({ KEEL_MONITORS: 'off' });
    await expect(described()).rejects.toThrow(/not found/i);
    await restart({ KEEL_MONITORS: 'on', KEEL_ENV: 'testing' });
    expect((await described()).spec.intervals).toMatchObject([{ every: everyMs }]);
  });
});
