import { describe, expect, it } from 'vitest';
import type { LegState } from '../contracts/wire/order.js';
import type { BrokerOrder } from '../ports/broker.js';
import type { BrokerSnapshot, IntentRow } from '../ports/stores.js';
import { createRelease } from './release.js';
import { listedStop, sentIntent } from './testing/orders.js';

const start = Date.parse('2014-07-09T14:00:00.000Z');
const iso = (at: number): string => new Date(at).toISOString();
const stop: LegState = { role: 'stop', brokerOrderId: '2', status: 'WORKING', filledQuantity: '0' };
const bought = (leg: LegState): IntentRow => ({
  ...sentIntent,
  state: 'FILLED',
  brokerOrderId: '1',
  filledQuantity: '10',
  legs: [leg],
});

/** The account's stop as it is stored, in an intent that is open or is not, and a broker that has its own answers to a cancel. */
function release(leg: LegState, answers: readonly ('asked' | 'nothing')[], closed = false) {
  const world = { now: start, leg, readAt: start, orders: [] as readonly BrokerOrder[] };
  const asked: string[] = [];
  const rows = (wanted: boolean) => Promise.resolve(wanted ? [bought(world.leg)] : []);
  const isReleased = createRelease(
    {
      mode: 'paper',
      accountId: 'DU1',
      broker: {
        cancelOrder: (_account, id) => {
          asked.push(id);
          return Promise.resolve(answers[asked.length - 1] ?? 'nothing');
        },
      },
      intents: { listOpen: () => rows(!closed), listUnproven: () => rows(closed) },
      brokerState: {
        latest: () =>
          Promise.resolve({
            readStartedAt: iso(world.readAt),
            orders: world.orders,
          } satisfies Partial<BrokerSnapshot> as BrokerSnapshot),
      },
      clock: { now: () => world.now },
    },
    '265598',
  );
  return { world, asked, isReleased };
}

describe('a leg that a list tells of', () => {
  it('is cancelled once, and waited for until a list tells its end', async () => {
    const { world, asked, isReleased } = release(stop, ['asked']);
    expect(await isReleased()).toBe(false);
    world.now += 60_000;
    expect(await isReleased()).toBe(false);
    world.leg = { ...stop, status: 'CANCELLED' };
    expect(await isReleased()).toBe(true);
    expect(asked).toEqual(['2']);
  });
  it('is waited for also where there is nothing to cancel: it may have filled, and no read shows that yet', async () => {
    const { world, isReleased } = release(stop, ['nothing']);
    expect(await isReleased()).toBe(false);
    world.readAt = start + 60_000;
    expect(await isReleased()).toBe(false);
  });
});

describe.each([
  ['is held for alive', { ...stop, unproven: true }, false],
  ['is taken for cancelled', { ...stop, status: 'CANCELLED', unproven: true }, true],
] as const)('a leg that no list tells of, and that %s', (_what, leg, closed) => {
  it('is cancelled until the broker has nothing to cancel and the account was read after that', async () => {
    const { world, asked, isReleased } = release(leg, ['asked', 'nothing'], closed);
    expect(await isReleased()).toBe(false);
    world.now += 2000;
    expect(await isReleased()).toBe(false);
    expect(asked).toEqual(['2']);
    world.now += 2000;
    expect(await isReleased()).toBe(false);
    expect(asked).toEqual(['2', '2']);
    world.readAt = world.now;
    expect(await isReleased()).toBe(true);
    expect(asked).toEqual(['2', '2']);
  });
  it('is cancelled once more, and waited for, where a list has it at work again', async () => {
    const { world, asked, isReleased } = release(leg, ['nothing', 'asked', 'nothing'], closed);
    world.orders = [listedStop];
    world.readAt = start + 5000;
    expect(await isReleased()).toBe(false);
    world.now += 5000;
    expect(await isReleased()).toBe(false);
    expect(asked).toEqual(['2', '2']);
    world.now += 5000;
    world.orders = [{ ...listedStop, unlistedSince: iso(start) }];
    expect(await isReleased()).toBe(false);
    world.readAt = world.now;
    expect(await isReleased()).toBe(true);
    expect(asked).toEqual(['2', '2', '2']);
  });
});
