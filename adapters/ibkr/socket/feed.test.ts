// When the feed tries to connect, on a clock of its own. What goes over the connection is in tests/socket.test.ts.
import { expect, test } from 'vitest';
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
