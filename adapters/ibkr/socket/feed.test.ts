// When the feed tries to connect, on a clock of its own, and when it subscribes. What else goes over the connection is in
// tests/socket.test.ts.
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { WebSocketServer } from 'ws';
import type { WebSocket } from 'ws';
import { makeCertificate } from '../testing/gateway.js';
import { machineTimer } from '../timer.js';
import { createLiveFeed } from './feed.js';

/** A feed whose session cannot be named, as where nobody answers. */
function createWorld() {
  let now = 0;
  let due: { at: number; run: () => void } | null = null;
  const tries: number[] = [];
  const feed = createLiveFeed({
    ...{ baseUrl: 'https://broker.example/v1/api', ca: null, certSha256: [], timeoutMs: 1000 },
    ...{ factor: 1, clockFactor: 1, clock: { now: () => now } },
    sessionId: () => {
      tries.push(now);
      return Promise.reject(new Error('away'));
    },
    timer: {
      after(ms, run) {
        const own = { at: now + ms, run };
        due = own;
        return () => {
          if (due === own) due = null;
        };
      },
    },
  });
  /** Lets time pass in steps of 100 ms. */
  const pass = async (ms: number): Promise<void> => {
    for (const end = now + ms; now < end; now += 100) {
      await new Promise(setImmediate);
      if (due === null || due.at > now) continue;
      const { run } = due;
      due = null;
      run();
    }
  };
  return { feed, tries, pass };
}

test('whoever closes and opens anew waits as long as who stays: attempts become rarer all the same', async () => {
  const stays = createWorld();
  const news = stays.feed.open();
  await stays.pass(600_000);
  news.close();
  // 1, 2, 5, 15 and then every 60 s.
  expect(stays.tries).toHaveLength(14);

  const comes = createWorld();
  for (let second = 0; second < 600; second += 1) {
    const short = comes.feed.open();
    await comes.pass(900);
    short.close();
    await comes.pass(100);
  }
  expect(comes.tries[0]).toBe(0);
  expect(comes.tries.length).toBeLessThanOrEqual(14);
  expect(comes.tries.length).toBeGreaterThan(10);
  comes.feed.close();
});

describe('subscriptions', () => {
  const ends: (() => void)[] = [];
  afterEach(() => {
    for (const end of ends.splice(0).reverse()) end();
  });

  /** A feed that is connected to a socket which says nothing by itself. */
  async function connected(): Promise<{
    tell: (frame: object) => void;
    /** How often it has subscribed to orders and to trades. */
    subscribed: () => readonly [number, number];
  }> {
    const { key, cert, sha256 } = await makeCertificate();
    const server = https.createServer({ key, cert });
    const sockets = new WebSocketServer({ server });
    const heard: string[] = [];
    const socket = new Promise<WebSocket>((resolve) => {
      sockets.on('connection', (one) => {
        one.on('message', (data: Buffer) => heard.push(data.toString('utf8')));
        resolve(one);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const feed = createLiveFeed({
      baseUrl: `https://127.0.0.1:${(server.address() as AddressInfo).port}/v1/api`,
      ...{ ca: cert, certSha256: [sha256], timeoutMs: 5000, factor: 1, clockFactor: 1 },
      ...{ clock: { now: () => Date.now() }, timer: machineTimer },
      sessionId: () => Promise.resolve('name'),
    });
    ends.push(
      () => server.close(),
      () => {
        feed.close();
      },
    );
    feed.open();
    const gateway = await socket;
    const count = (topic: string): number => heard.filter((text) => text.startsWith(topic)).length;
    return {
      tell: (frame) => {
        gateway.send(JSON.stringify(frame));
      },
      subscribed: () => [count('sor'), count('str')],
    };
  }

  const success = { topic: 'system', success: 'user1' };
  const sts = (authenticated: boolean) => ({ topic: 'sts', args: { authenticated } });
  const beat = { topic: 'system', hb: 1_730_000_000_000 };

  test('are made once with the first frames of a connection, and anew with a session that comes up anew', async () => {
    const { tell, subscribed } = await connected();
    for (const frame of [{ message: 'waiting for session' }, success, { topic: 'act' }, sts(true), beat])
      tell(frame);
    await vi.waitFor(() => {
      expect(subscribed()).toEqual([1, 1]);
    });
    tell(sts(false));
    tell(sts(true));
    await vi.waitFor(() => {
      expect(subscribed()).toEqual([2, 2]);
    });
    // A heartbeat changes nothing; what follows it shows that it has been heard.
    for (const frame of [beat, sts(true)]) tell(frame);
    await vi.waitFor(() => {
      expect(subscribed()).toEqual([3, 3]);
    });
  });

  test('are made with the heartbeat where a gateway tells nothing of the session', async () => {
    const { tell, subscribed } = await connected();
    for (const frame of [success, beat, beat]) tell(frame);
    tell(sts(false));
    tell(beat);
    await vi.waitFor(() => {
      expect(subscribed()).toEqual([1, 1]);
    });
    tell(sts(true));
    await vi.waitFor(() => {
      expect(subscribed()).toEqual([2, 2]);
    });
  });
});
