import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { KeelError } from '../../ports/errors.js';
import type { SharedPacing, SharedPlace } from '../../ports/pacing.js';
import { createPacing } from './pacing.js';
import { sleep } from './timer.js';
import type { GateName } from './gates.js';
import type { Pacing } from './pacing.js';
import type { Timer } from './timer.js';

/** A clock that stands until it is moved, and a timer on it. */
function fakeTime() {
  let now = 1_000_000;
  let setBy = 0;
  let waiting: { at: number; run: () => void }[] = [];
  const settle = async (): Promise<void> => {
    for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
  };
  const timer: Timer = {
    after(ms, run) {
      const entry = { at: now + ms, run };
      waiting.push(entry);
      return () => {
        waiting = waiting.filter((other) => other !== entry);
      };
    },
  };
  return {
    clock: { now: () => now + setBy },
    timer,
    /** Sets the clock; what waits, waits as long as before. */
    set: (byMs: number) => {
      setBy += byMs;
    },
    /** The process stands still for so long: what was due meanwhile runs afterwards, all at once. */
    stall: (ms: number) => {
      now += ms;
    },
    pending: () => waiting.length,
    async advance(ms: number): Promise<void> {
      const end = now + ms;
      await settle();
      for (;;) {
        const next = waiting.filter((entry) => entry.at <= end).sort((a, b) => a.at - b.at)[0];
        if (next === undefined) break;
        now = Math.max(now, next.at);
        waiting = waiting.filter((entry) => entry !== next);
        next.run();
        await settle();
      }
      now = end;
    },
  };
}

const far = 1e12;
/** The most requests that may arrive within one second of the gateway, where the network delays one by up to 100 ms more than the next. */
const mostInSecond = (went: readonly number[], factor = 1): number =>
  Math.max(...went.map((start) => went.filter((at) => at >= start && at < start + 1100 / factor).length));
const outcome = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'went',
    (error: unknown) => (error as { code: string }).code,
  );

describe('the rate all requests share', () => {
  it('never lets more than 10 requests into any second, whatever is asked for', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.tuple(
            fc.integer({ min: 0, max: 400 }),
            fc.constantFrom('ordinary', 'ordinary', 'cancel', 'reply'),
            fc.constantFrom(0, 0, 0, 0, 700, 3000),
          ),
          { minLength: 1, maxLength: 60 },
        ),
        fc.constantFrom(1, 4, 10),
        async (asks, factor) => {
          const time = fakeTime();
          const pacing = createPacing({ clock: time.clock, timer: time.timer, factor });
          const went: number[] = [];
          for (const [pause, lane, stallMs] of asks) {
            await time.advance(pause);
            time.stall(stallMs);
            void pacing.slot(lane as 'ordinary', far).then(() => went.push(time.clock.now()));
          }
          await time.advance(60_000);
          expect(went).toHaveLength(asks.length);
          expect(mostInSecond(went, factor)).toBeLessThanOrEqual(10);
        },
      ),
      { numRuns: 40 },
    );
  });

  it('makes up for nothing that it missed while the process stood still', async () => {
    const time = fakeTime();
    const pacing = createPacing({ clock: time.clock, timer: time.timer, factor: 1 });
    const went: number[] = [];
    const ask = (lane: 'ordinary' | 'cancel') =>
      pacing.slot(lane, far).then(() => went.push(time.clock.now()));
    for (let n = 0; n < 30; n += 1) void ask(n % 3 === 0 ? 'cancel' : 'ordinary');
    await time.advance(200);
    time.stall(2000);
    await time.advance(60_000);
    expect(went).toHaveLength(30);
    expect(mostInSecond(went)).toBeLessThanOrEqual(10);
  });

  it('lets those that waited out go before those that came later, also after the process stood still', async () => {
    const time = fakeTime();
    const pacing = createPacing({ clock: time.clock, timer: time.timer, factor: 1 });
    const went: number[] = [];
    const ask = (index: number, deadline = far) =>
      outcome(pacing.slot('ordinary', deadline).then(() => went.push(index)));
    await pacing.slot('ordinary', far);
    // One of them can not wait for as long as it takes: it leaves, and the others go on.
    const hurried = time.clock.now() + 3000 + 160;
    const asked = Array.from({ length: 8 }, (_value, index) => ask(index, index === 4 ? hurried : far));
    await time.advance(0);
    time.stall(3000);
    for (let index = 8; index < 32; index += 1) {
      asked.push(ask(index));
      await time.advance(150);
    }
    await time.advance(10_000);
    expect((await Promise.all(asked)).filter((end) => end !== 'went')).toEqual(['IBKR_PACING_DEADLINE']);
    expect(went).toEqual(Array.from({ length: 32 }, (_value, index) => index).filter((index) => index !== 4));
  });

  it('keeps the order of asking through a penalty, and loses no time after it', async () => {
    const time = fakeTime();
    const pacing = createPacing({ clock: time.clock, timer: time.timer, factor: 900 });
    const gapMs = 160 / 900;
    const went: { index: number; at: number }[] = [];
    const ask = (index: number): void =>
      void pacing.slot('ordinary', far).then(() => went.push({ index, at: time.clock.now() }));
    await pacing.slot('ordinary', far);
    for (let index = 0; index < 20; index += 1) ask(index);
    pacing.penalize();
    const end = time.clock.now() + 1000;
    await time.advance(500);
    ask(20);
    await time.advance(2000);
    expect(went.map(({ index }) => index)).toEqual(Array.from({ length: 21 }, (_value, index) => index));
    expect(went[0]?.at).toBeCloseTo(end, 3);
    expect(went[20]?.at).toBeCloseTo(end + 20 * gapMs, 3);
  });

  it('lets a cancel pass a queue of ordinary requests', async () => {
    const time = fakeTime();
    const pacing = createPacing({ clock: time.clock, timer: time.timer, factor: 1 });
    for (let ask = 0; ask < 50; ask += 1) void pacing.slot('ordinary', far);
    const cancel = outcome(pacing.slot('cancel', time.clock.now() + 1));
    await time.advance(0);
    expect(await cancel).toBe('went');
  });

  it('refuses at once what cannot go before its deadline, and takes no slot for it', async () => {
    const time = fakeTime();
    const pacing = createPacing({ clock: time.clock, timer: time.timer, factor: 1 });
    await pacing.slot('ordinary', far);
    const error: unknown = await pacing.slot('ordinary', time.clock.now() + 100).catch((e: unknown) => e);
    expect(error).toMatchObject({ code: 'IBKR_PACING_DEADLINE', errorClass: 'retryable' });
    const next = outcome(pacing.slot('ordinary', time.clock.now() + 160));
    await time.advance(160);
    expect(await next).toBe('went');
  });
});

/** An order goes out in the slot that was kept for it, then so many replies, each after the one before: when, in ms after the order. */
async function repliesAfter(pacing: Pacing, time: ReturnType<typeof fakeTime>, count: number) {
  const start = time.clock.now();
  expect(pacing.takeReserved()).toBe(true);
  const went: number[] = [];
  const asked = (async () => {
    for (let question = 0; question < count; question += 1) {
      await pacing.slot('reply', far);
      went.push(time.clock.now() - start);
    }
  })();
  await time.advance(10_000);
  await asked;
  return went;
}

describe('a reply', () => {
  it('passes any number of cancels in the ordinary slots that are free', async () => {
    const time = fakeTime();
    const pacing = createPacing({ clock: time.clock, timer: time.timer, factor: 1 });
    await pacing.reserve(far);
    for (let ask = 0; ask < 30; ask += 1) void pacing.slot('cancel', far);
    expect(await repliesAfter(pacing, time, 4)).toEqual([160, 320, 480, 640]);
  });

  it('leaves its room to a cancel that waits, also to one that the process made late', async () => {
    const time = fakeTime();
    const pacing = createPacing({ clock: time.clock, timer: time.timer, factor: 1 });
    const start = time.clock.now();
    await pacing.slot('cancel', far);
    const cancel = pacing.slot('cancel', far).then(() => time.clock.now() - start);
    await time.advance(0);
    time.stall(2000);
    const reply = pacing.slot('reply', far).then(() => time.clock.now() - start);
    await time.advance(5000);
    expect([await cancel, await reply]).toEqual([2000, 2000]);
  });

  it('goes at once where no cancel waits, and a cancel waits for it', async () => {
    const time = fakeTime();
    const pacing = createPacing({ clock: time.clock, timer: time.timer, factor: 1 });
    expect(await outcome(pacing.slot('reply', time.clock.now()))).toBe('went');
    const early = outcome(pacing.slot('cancel', time.clock.now() + 549));
    expect(await early).toBe('IBKR_PACING_DEADLINE');
    expect(await outcome(pacing.slot('reply', time.clock.now()))).toBe('went');
    expect(await outcome(pacing.slot('reply', time.clock.now() + 549))).toBe('IBKR_PACING_DEADLINE');
  });
});

describe('a penalty', () => {
  it('stops everything but cancels for fifteen minutes, also what already waits', async () => {
    const time = fakeTime();
    const pacing = createPacing({ clock: time.clock, timer: time.timer, factor: 1 });
    await pacing.slot('ordinary', far);
    const waits = outcome(pacing.slot('ordinary', time.clock.now() + 60_000));
    const patient = pacing.slot('ordinary', far);
    pacing.penalize();
    let passed = false;
    void patient.then(() => {
      passed = true;
    });
    await time.advance(899_000);
    expect(await waits).toBe('IBKR_PACING_DEADLINE');
    expect(passed).toBe(false);
    expect(await outcome(pacing.slot('cancel', time.clock.now()))).toBe('went');
    await time.advance(2_000);
    expect(passed).toBe(true);
  });

  it('is counted from the first answer of 429, whatever cancels meet meanwhile', async () => {
    const time = fakeTime();
    const pacing = createPacing({ clock: time.clock, timer: time.timer, factor: 1 });
    pacing.penalize();
    const next = outcome(pacing.slot('ordinary', far));
    let passed = false;
    void next.then(() => {
      passed = true;
    });
    for (let minute = 0; minute < 14; minute += 1) {
      await time.advance(60_000);
      pacing.penalize();
    }
    expect(passed).toBe(false);
    await time.advance(60_000);
    expect(passed).toBe(true);
    pacing.penalize();
    expect(await outcome(pacing.slot('ordinary', time.clock.now() + 899_000))).toBe('IBKR_PACING_DEADLINE');
  });

  it('is shorter by the factor', async () => {
    const time = fakeTime();
    const pacing = createPacing({ clock: time.clock, timer: time.timer, factor: 900 });
    pacing.penalize();
    expect(await outcome(pacing.slot('ordinary', time.clock.now() + 999))).toBe('IBKR_PACING_DEADLINE');
    const next = outcome(pacing.slot('ordinary', time.clock.now() + 1000));
    await time.advance(1000);
    expect(await next).toBe('went');
  });

  it('voids slots that were kept', async () => {
    const time = fakeTime();
    const pacing = createPacing({ clock: time.clock, timer: time.timer, factor: 1 });
    await pacing.reserve(far);
    pacing.penalize();
    expect(pacing.takeReserved()).toBe(false);
  });
});

describe('a kept slot', () => {
  it('serves one request, within a second', async () => {
    const time = fakeTime();
    const pacing = createPacing({ clock: time.clock, timer: time.timer, factor: 1 });
    await pacing.reserve(far);
    expect(pacing.takeReserved()).toBe(true);
    expect(pacing.takeReserved()).toBe(false);
    const second = pacing.reserve(far);
    await time.advance(200);
    await second;
    await time.advance(1_001);
    expect(pacing.takeReserved()).toBe(false);
  });

  it('is used once in a second: the rate has room for one that is used late', async () => {
    const time = fakeTime();
    const pacing = createPacing({ clock: time.clock, timer: time.timer, factor: 1 });
    const kept = [pacing.reserve(far), pacing.reserve(far)];
    await time.advance(900);
    await Promise.all(kept);
    expect(pacing.takeReserved()).toBe(true);
    expect(pacing.takeReserved()).toBe(false);
    const third = pacing.reserve(far);
    await time.advance(1099);
    await third;
    expect(pacing.takeReserved()).toBe(false);
    const fourth = pacing.reserve(far);
    await time.advance(1);
    await fourth;
    expect(pacing.takeReserved()).toBe(true);
  });
});

describe('the limits of single endpoints', () => {
  it.each([
    ['orders', 5000],
    ['trades', 5000],
    ['portfolioAccounts', 5000],
    ['tickle', 1000],
  ] as const)('starts the next %s request %i ms after the end of the one before', async (gate, gapMs) => {
    const time = fakeTime();
    const pacing = createPacing({ clock: time.clock, timer: time.timer, factor: 2 });
    const leave = await pacing.enter(gate, far);
    let entered = false;
    void pacing.enter(gate, far).then(() => {
      entered = true;
    });
    await time.advance(10_000);
    expect(entered).toBe(false);
    leave();
    await time.advance(gapMs / 2 - 1);
    expect(entered).toBe(false);
    await time.advance(1);
    expect(entered).toBe(true);
  });

  it('lets four reads of history run at once and no more', async () => {
    const time = fakeTime();
    const pacing = createPacing({ clock: time.clock, timer: time.timer, factor: 100 });
    const leaves: (() => void)[] = [];
    for (let read = 0; read < 6; read += 1) {
      void pacing.enter('history', far).then((leave) => leaves.push(leave));
    }
    await time.advance(1000);
    expect(leaves).toHaveLength(4);
    leaves[0]?.();
    await time.advance(0);
    expect(leaves).toHaveLength(5);
  });

  it('keeps the place of a read of history whose answer never came, as long as it may last', async () => {
    const time = fakeTime();
    const pacing = createPacing({ clock: time.clock, timer: time.timer, factor: 100, requestMs: 10_000 });
    const soon = time.clock.now() + 5000;
    for (let read = 0; read < 4; read += 1) (await pacing.enter('history', soon))(false);
    const next = outcome(pacing.enter('history', far));
    let went = false;
    void next.then(() => {
      went = true;
    });
    // The deadline, what a request may be late, and what it may last.
    await time.advance(15_999);
    expect(went).toBe(false);
    await time.advance(1);
    expect(went).toBe(true);
    const leave = await pacing.enter('orders', far);
    leave(false);
    const list = outcome(pacing.enter('orders', time.clock.now() + 50));
    await time.advance(50);
    expect(await list).toBe('went');
  });

  it('refuses whoever waits at a gate past the deadline, and the others still get their turn', async () => {
    const time = fakeTime();
    const pacing = createPacing({ clock: time.clock, timer: time.timer, factor: 1 });
    const leave = await pacing.enter('place', far);
    const hurried = outcome(pacing.enter('place', time.clock.now() + 50));
    const patient = outcome(pacing.enter('place', far));
    await time.advance(60);
    expect(await hurried).toBe('IBKR_PACING_DEADLINE');
    leave();
    await time.advance(0);
    expect(await patient).toBe('went');
  });

  it('refuses a turn that would begin after the deadline, and leaves the gate free', async () => {
    const time = fakeTime();
    const pacing = createPacing({ clock: time.clock, timer: time.timer, factor: 1 });
    (await pacing.enter('orders', far))();
    expect(await outcome(pacing.enter('orders', time.clock.now() + 4999))).toBe('IBKR_PACING_DEADLINE');
    const next = outcome(pacing.enter('orders', time.clock.now() + 5000));
    await time.advance(5000);
    expect(await next).toBe('went');
    expect(time.pending()).toBe(0);
  });
});

describe('a clock that is set back by ten minutes', () => {
  const backMs = 600_000;

  it('holds up no request, cancel, reply or gate', async () => {
    const time = fakeTime();
    const pacing = createPacing({ clock: time.clock, timer: time.timer, factor: 1 });
    await pacing.slot('ordinary', far);
    await pacing.slot('cancel', far);
    (await pacing.enter('orders', far))();
    time.set(-backMs);
    const soon = time.clock.now() + 6000;
    const asked = Promise.all([
      ...(['ordinary', 'cancel', 'reply'] as const).map((lane) => outcome(pacing.slot(lane, soon))),
      outcome(pacing.enter('orders', soon)),
    ]);
    await time.advance(6000);
    expect(await asked).toEqual(['went', 'went', 'went', 'went']);
  });

  it('makes neither a penalty nor a kept slot last longer, nor either end at once', async () => {
    const time = fakeTime();
    time.set(4 * backMs);
    const pacing = createPacing({ clock: time.clock, timer: time.timer, factor: 1 });
    await pacing.reserve(far);
    time.set(-backMs);
    expect(pacing.takeReserved()).toBe(true);
    const second = pacing.reserve(far);
    await time.advance(1000);
    await second;
    time.set(-backMs);
    void pacing.slot('cancel', far);
    await time.advance(1101);
    expect(pacing.takeReserved()).toBe(false);
    pacing.penalize();
    time.set(-backMs);
    expect(await outcome(pacing.slot('ordinary', time.clock.now() + 800_000))).toBe('IBKR_PACING_DEADLINE');
    const after = outcome(pacing.slot('ordinary', time.clock.now() + 901_000));
    await time.advance(901_000);
    expect(await after).toBe('went');
  });
});

it('refuses a factor that is not positive', () => {
  expect(() => createPacing({ clock: { now: () => 0 }, factor: 0 })).toThrow(RangeError);
});

describe('limits that are shared among processes', () => {
  /** What db/pacing.ts keeps, on the test's clock, and answers after so many milliseconds. */
  function budget(time: ReturnType<typeof fakeTime>, answerMs: () => number = () => 0) {
    const free = new Map<string, number>();
    let stopEnd = 0;
    let away = false;
    const kept: SharedPacing = {
      take: (limit, gapMs, longestMs) => {
        const now = time.clock.now();
        const at = Math.max(now, free.get(limit) ?? 0);
        const stopMs = Math.max(0, stopEnd - now);
        if (Math.max(at - now, stopMs) > longestMs) return Promise.resolve({ waitMs: null, stopMs });
        free.set(limit, at + gapMs);
        return Promise.resolve({ waitMs: at - now, stopMs });
      },
      claim: (limit, gapMs) => {
        const now = time.clock.now();
        const leftMs = Math.max(0, (free.get(limit) ?? 0) - now);
        if (leftMs > 0) return Promise.resolve({ taken: false, waitMs: leftMs });
        free.set(limit, now + gapMs);
        return Promise.resolve({ taken: true, waitMs: gapMs });
      },
      enterPlace: (limit, places, forMs) => {
        const now = time.clock.now();
        const names = Array.from({ length: places }, (_, place) => `${limit} ${place}`);
        const name = names.find((each) => (free.get(each) ?? 0) <= now);
        if (name === undefined) return Promise.resolve(null);
        free.set(name, now + forMs);
        return Promise.resolve({ name, until: String(now + forMs) });
      },
      leavePlace: ({ name, until }: SharedPlace) => {
        if (free.get(name) === Number(until)) free.set(name, time.clock.now());
        return Promise.resolve();
      },
      stop: (forMs) => {
        stopEnd = Math.max(stopEnd, time.clock.now() + forMs);
        return Promise.resolve();
      },
    };
    const asked = async <T>(question: () => Promise<T>): Promise<T> => {
      if (away) throw new KeelError('DATABASE_AWAY', 'away', { errorClass: 'retryable' });
      const [there, back] = [answerMs(), answerMs()];
      if (there > 0) await sleep(time.timer, there);
      const answer = await question();
      if (back > 0) await sleep(time.timer, back);
      return answer;
    };
    const shared: SharedPacing = {
      take: (...question) => asked(() => kept.take(...question)),
      claim: (...question) => asked(() => kept.claim(...question)),
      enterPlace: (...question) => asked(() => kept.enterPlace(...question)),
      leavePlace: (place) => asked(() => kept.leavePlace(place)),
      stop: (forMs) => asked(() => kept.stop(forMs)),
    };
    return {
      shared,
      lose: () => {
        away = true;
      },
      find: () => {
        away = false;
      },
    };
  }
  const processes = (count: number) => {
    const time = fakeTime();
    const { shared, lose, find } = budget(time);
    const all = Array.from({ length: count }, () =>
      createPacing({ clock: time.clock, timer: time.timer, factor: 1, shared, requestMs: 10_000 }),
    );
    return { time, all, lose, find };
  };

  it('never let more than 10 requests of all processes into a second', async () => {
    const { time, all } = processes(3);
    const went: number[] = [];
    const asked = all.flatMap((pacing) =>
      Array.from({ length: 20 }, () => pacing.slot('ordinary', far).then(() => went.push(time.clock.now()))),
    );
    await time.advance(60_000);
    await Promise.all(asked);
    expect(mostInSecond(went)).toBeLessThanOrEqual(10);
  });

  /** A request as client.ts sends it. @returns when it went out, or the code of its refusal */
  const send = async (
    pacing: Pacing,
    time: ReturnType<typeof fakeTime>,
    gate: GateName,
    deadline: number,
  ): Promise<number | string> => {
    try {
      const leave = await pacing.enter(gate, deadline);
      try {
        await pacing.slot('ordinary', deadline, gate);
        return time.clock.now();
      } finally {
        leave();
      }
    } catch (error) {
      return (error as KeelError).code;
    }
  };

  it('keep the lists of orders 5 s apart where one process has a queue of other requests and the other none', async () => {
    const { time, all } = processes(2);
    const [busy, idle] = all;
    if (busy === undefined || idle === undefined) throw new Error('two are made');
    for (let ask = 0; ask < 8; ask += 1) void busy.slot('ordinary', far);
    const first = send(busy, time, 'orders', far);
    await time.advance(0);
    const second = send(idle, time, 'orders', far);
    await time.advance(20_000);
    const went = await Promise.all([first, second]);
    expect(Math.abs(Number(went[0]) - Number(went[1]))).toBeGreaterThanOrEqual(5000);
  });

  it('never let two requests of one gate out closer than its gap, whoever waits for what and however slow the database is', async () => {
    const gaps = { orders: 5000, trades: 5000, tickle: 1000 } as const;
    const arrival = fc.record({
      pauseMs: fc.integer({ min: 0, max: 3000 }),
      process: fc.nat({ max: 2 }),
      gate: fc.constantFrom(null, null, 'orders', 'orders', 'trades', 'tickle'),
      patienceMs: fc.constantFrom(2000, 30_000, 120_000),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(arrival, { minLength: 2, maxLength: 40 }),
        fc.array(fc.constantFrom(0, 0, 1, 5, 20, 60, 300), { minLength: 1, maxLength: 20 }),
        async (arrivals, delays) => {
          const time = fakeTime();
          let answers = 0;
          const { shared } = budget(time, () => delays[(answers += 1) % delays.length] ?? 0);
          const all = [1, 2, 3].map(() =>
            createPacing({ clock: time.clock, timer: time.timer, factor: 1, shared }),
          );
          const went: { gate: string | null; at: number }[] = [];
          const ends: Promise<void>[] = [];
          for (const { pauseMs, process, gate, patienceMs } of arrivals) {
            await time.advance(pauseMs);
            const pacing = all[process];
            if (pacing === undefined) throw new Error('three are made');
            const deadline = time.clock.now() + patienceMs;
            const sent =
              gate === null
                ? pacing.slot('ordinary', deadline).then(
                    () => time.clock.now(),
                    (error: unknown) => (error as KeelError).code,
                  )
                : send(pacing, time, gate, deadline);
            ends.push(
              sent.then((at) => {
                if (typeof at === 'string') {
                  expect(at).toBe('IBKR_PACING_DEADLINE');
                  return;
                }
                // No later than its deadline, but for the two answers of the database that it may have waited for.
                expect(at).toBeLessThanOrEqual(deadline + 1200);
                went.push({ gate, at });
              }),
            );
          }
          await time.advance(600_000);
          await Promise.all(ends);
          for (const [gate, gapMs] of Object.entries(gaps)) {
            const times = went.filter((each) => each.gate === gate).map(({ at }) => at);
            times.sort((a, b) => a - b);
            for (const [index, at] of times.entries()) {
              if (index > 0) expect(at - (times[index - 1] ?? 0)).toBeGreaterThanOrEqual(gapMs);
            }
          }
          // Room for a cancel and a kept slot of each of two processes.
          expect(mostInSecond(went.map(({ at }) => at))).toBeLessThanOrEqual(6);
        },
      ),
      { numRuns: 30 },
    );
  }, 120_000);

  it('never let more than 10 requests of two processes into a second, whatever they cancel, order and read, and when the database goes', async () => {
    const arrival = fc.record({
      pauseMs: fc.constantFrom(0, 0, 0, 20, 130, 400, 1200),
      process: fc.nat({ max: 1 }),
      kind: fc.constantFrom('cancel', 'cancel', 'read', 'read', 'order', 'reply', 'reply'),
      /** From the order's slot to its request: the lock of the login, the row of its intent. */
      holdMs: fc.constantFrom(0, 20, 400, 950, 1100),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(arrival, { minLength: 20, maxLength: 80 }),
        fc.array(fc.constantFrom(0, 0, 1, 5, 20, 60, 300), { minLength: 1, maxLength: 20 }),
        fc.constantFrom(null, 0, 10),
        async (arrivals, delays, goesAt) => {
          const time = fakeTime();
          let answers = 0;
          const { shared, lose } = budget(time, () => delays[(answers += 1) % delays.length] ?? 0);
          const all = [1, 2].map(() =>
            createPacing({ clock: time.clock, timer: time.timer, factor: 1, shared }),
          );
          const went: number[] = [];
          const out = (): void => void went.push(time.clock.now());
          const ordered = async (pacing: Pacing, holdMs: number): Promise<void> => {
            await pacing.reserve(far);
            await sleep(time.timer, holdMs);
            if (!pacing.takeReserved()) await pacing.slot('order', far);
            out();
          };
          const ends: Promise<string>[] = [];
          for (const [index, { pauseMs, process, kind, holdMs }] of arrivals.entries()) {
            if (index === goesAt) lose();
            await time.advance(pauseMs);
            const pacing = all[process];
            if (pacing === undefined) throw new Error('two are made');
            if (kind === 'order') ends.push(outcome(ordered(pacing, holdMs)));
            else ends.push(outcome(pacing.slot(kind === 'read' ? 'ordinary' : kind, far).then(out)));
          }
          await time.advance(600_000);
          const codes = new Set(await Promise.all(ends));
          expect([...codes].filter((code) => code !== 'went' && code !== 'DATABASE_AWAY')).toEqual([]);
          if (goesAt === null) expect(codes).toEqual(new Set(['went']));
          expect(mostInSecond(went)).toBeLessThanOrEqual(10);
        },
      ),
      { numRuns: 60 },
    );
  }, 120_000);

  it('give each of two processes a cancel a second, whatever the other one does', async () => {
    const { time, all, lose } = processes(2);
    lose();
    const asked = all.flatMap((pacing) =>
      [0, 1, 2].map(() => pacing.slot('cancel', far).then(() => time.clock.now() - 1_000_000)),
    );
    await time.advance(10_000);
    expect((await Promise.all(asked)).sort((a, b) => a - b)).toEqual([0, 0, 1100, 1100, 2200, 2200]);
  });

  it('give a reply their next turn where its own room is taken, and keep it no longer than until that is free', async () => {
    const { time, all } = processes(2);
    const [pacing, other] = all;
    if (pacing === undefined || other === undefined) throw new Error('two are made');
    await pacing.reserve(far);
    expect(await repliesAfter(pacing, time, 4)).toEqual([0, 209, 418, 627]);
    await pacing.reserve(far);
    for (let read = 0; read < 60; read += 1) void other.slot('ordinary', far);
    expect(await repliesAfter(pacing, time, 4)).toEqual([0, 627, 1100, 1100]);
  });

  it('keep no reply waiting where they cannot be reached', async () => {
    const time = fakeTime();
    let answerMs = 0;
    const { shared } = budget(time, () => answerMs);
    const pacing = createPacing({ clock: time.clock, timer: time.timer, factor: 1, shared });
    await pacing.reserve(far);
    answerMs = 60_000;
    expect(await repliesAfter(pacing, time, 4)).toEqual([0, 1100, 1100, 2200]);
  });

  it('let four reads of history run at once in all processes, and no more', async () => {
    const { time, all } = processes(2);
    const leaves: (() => void)[] = [];
    for (const pacing of [...all, ...all, ...all])
      void pacing.enter('history', far).then((leave) => leaves.push(leave));
    await time.advance(5000);
    expect(leaves).toHaveLength(4);
    leaves[0]?.();
    await time.advance(1000);
    expect(leaves).toHaveLength(5);
  });

  it('keep the place of a read of history whose answer never came from all processes, and to its end only', async () => {
    const { time, all } = processes(2);
    const [one, other] = all;
    const soon = time.clock.now() + 5000;
    for (let read = 0; read < 4; read += 1) (await one?.enter('history', soon))?.(false);
    await time.advance(15_000);
    expect(await outcome(other?.enter('history', time.clock.now()) ?? Promise.resolve())).toBe(
      'IBKR_PACING_DEADLINE',
    );
    const next = [one, other].map((pacing) => outcome(pacing?.enter('history', far) ?? Promise.resolve()));
    await time.advance(1500);
    expect(await Promise.all(next)).toEqual(['went', 'went']);
  });

  it('give the place of a process that died back, and not that of whoever has it then', async () => {
    const { time, all } = processes(2);
    const [dying, living] = all;
    const soon = time.clock.now() + 5000;
    const late: (() => void)[] = [];
    for (let read = 0; read < 4; read += 1) {
      void dying?.enter('history', soon).then((leave) => late.push(leave));
    }
    await time.advance(0);
    // The deadline, what a request may be late, and what it may last.
    expect(await outcome(living?.enter('history', time.clock.now()) ?? Promise.resolve())).toBe(
      'IBKR_PACING_DEADLINE',
    );
    await time.advance(15_999);
    expect(await outcome(living?.enter('history', time.clock.now()) ?? Promise.resolve())).toBe(
      'IBKR_PACING_DEADLINE',
    );
    await time.advance(1);
    const taken: (() => void)[] = [];
    for (let read = 0; read < 4; read += 1) {
      void living?.enter('history', far).then((leave) => taken.push(leave));
    }
    await time.advance(0);
    expect(taken).toHaveLength(4);
    for (const leave of late) leave();
    await time.advance(0);
    expect(await outcome(dying?.enter('history', time.clock.now()) ?? Promise.resolve())).toBe(
      'IBKR_PACING_DEADLINE',
    );
  });

  it('let no history be read where they cannot be reached, and the next one when they can', async () => {
    const { time, all, lose, find } = processes(1);
    const [pacing] = all;
    lose();
    for (let read = 0; read < 5; read += 1) {
      expect(await outcome(pacing?.enter('history', far) ?? Promise.resolve())).toBe('DATABASE_AWAY');
    }
    find();
    const next = outcome(pacing?.enter('history', time.clock.now()) ?? Promise.resolve());
    await time.advance(0);
    expect(await next).toBe('went');
  });

  // A claim that came too late costs the whole gap of its gate, 60 s at most, and makes room for answers that are half as slow
  // again: from 40 ms to the 600 ms that the slowest one takes that is a handful of claims.
  const handfulMs = 600_000;

  it.each(['orders', 'trades', 'tickle', 'validate', 'history'] as const)(
    'let %s out through a database that is always slow',
    async (gate) => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.integer({ min: 40, max: 300 }), { minLength: 1, maxLength: 20 }),
          async (delays) => {
            const time = fakeTime();
            let answers = 0;
            const { shared } = budget(time, () => delays[(answers += 1) % delays.length] ?? 0);
            const pacing = createPacing({ clock: time.clock, timer: time.timer, factor: 1, shared });
            const asked = send(pacing, time, gate, time.clock.now() + handfulMs);
            const kept = outcome(pacing.reserve(time.clock.now() + handfulMs));
            await time.advance(handfulMs + 10_000);
            expect([typeof (await asked), await kept]).toEqual(['number', 'went']);
          },
        ),
        { numRuns: 30 },
      );
    },
  );

  it('are taken as usual again soon after a database that stood still for seconds', async () => {
    const time = fakeTime();
    let answers = 0;
    const { shared } = budget(time, () => ((answers += 1) <= 2 ? 2500 : 0));
    const pacing = createPacing({ clock: time.clock, timer: time.timer, factor: 1, shared });
    let turns = 0;
    const take = async (): Promise<void> => {
      for (;;) {
        await pacing.slot('ordinary', far);
        turns += 1;
      }
    };
    void take();
    await time.advance(5000);
    turns = 0;
    await time.advance(20_000);
    const ofRecovery = turns;
    turns = 0;
    await time.advance(10_000);
    // The usual rate: one in 209 ms.
    expect(turns).toBeGreaterThanOrEqual(47);
    expect(ofRecovery).toBeGreaterThanOrEqual(30);
  });

  it('wait no longer than the deadline for a database that is slow', async () => {
    const time = fakeTime();
    const { shared } = budget(time, () => 300);
    const pacing = createPacing({ clock: time.clock, timer: time.timer, factor: 1, shared });
    const asked = send(pacing, time, 'orders', time.clock.now() + 500);
    await time.advance(20_000);
    expect(await asked).toBe('IBKR_PACING_DEADLINE');
  });

  it('claim no gate for a request that is not wanted any more', async () => {
    const { time, all } = processes(2);
    const [one, other] = all;
    const given = one?.slot('ordinary', far, 'orders', () => false);
    await time.advance(1000);
    await given;
    const sent = other?.slot('ordinary', time.clock.now() + 1000, 'orders');
    await time.advance(1000);
    await sent;
  });

  it('lose no turn to a caller who is refused', async () => {
    const { time, all } = processes(2);
    const [one, other] = all;
    if (one === undefined || other === undefined) throw new Error('two are made');
    await send(one, time, 'orders', far);
    for (let tries = 0; tries < 20; tries += 1) {
      const refusal = send(other, time, 'orders', time.clock.now() + 100);
      await time.advance(0);
      expect(await refusal).toBe('IBKR_PACING_DEADLINE');
    }
    const next = send(other, time, 'orders', time.clock.now() + 12_000);
    await time.advance(12_000);
    expect(await next).toEqual(expect.any(Number));
  });

  it('stop every process after a 429 of one, and no cancel', async () => {
    const { time, all } = processes(2);
    const [one, other] = all;
    one?.penalize();
    await time.advance(1000);
    expect(await outcome(other?.slot('ordinary', time.clock.now() + 60_000) ?? Promise.resolve())).toBe(
      'IBKR_PACING_DEADLINE',
    );
    expect(await outcome(other?.slot('cancel', time.clock.now() + 1000) ?? Promise.resolve())).toBe('went');
  });

  it('let no order out where they cannot be reached; reads go on slowly, cancels as ever', async () => {
    const { time, all, lose } = processes(1);
    const [pacing] = all;
    lose();
    expect(await outcome(pacing?.reserve(far) ?? Promise.resolve())).toBe('DATABASE_AWAY');
    const order = outcome(pacing?.slot('order', far) ?? Promise.resolve());
    const read = outcome(pacing?.slot('ordinary', far) ?? Promise.resolve());
    await time.advance(1500);
    expect([await order, await read]).toEqual(['DATABASE_AWAY', 'went']);
    expect(await outcome(pacing?.slot('cancel', far) ?? Promise.resolve())).toBe('went');
    // What has a limit of its own waits for the database, but for what keeps the login awake.
    const gated = (gate: GateName) =>
      pacing === undefined ? Promise.resolve('') : send(pacing, time, gate, time.clock.now() + 10_000);
    const [list, tickle] = [gated('orders'), gated('tickle')];
    await time.advance(10_000);
    expect(await list).toBe('DATABASE_AWAY');
    expect(await tickle).toEqual(expect.any(Number));
  });
});
