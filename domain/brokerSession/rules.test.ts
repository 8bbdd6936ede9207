// A day of the broker's login with an injected clock, against a gateway of a few lines.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  nextSessionAct,
  observeSession,
  sessionRules,
  startingState,
  type Observation,
  type SessionAct,
  type SessionEvent,
} from './rules.js';

const rules = sessionRules(1, false);
const minute = 60_000;
const day = 24 * 60 * minute;

type World = (act: SessionAct, now: number) => Observation;

const status = (change: Partial<Extract<Observation, { kind: 'status' }>> = {}): Observation => ({
  kind: 'status',
  authenticated: true,
  connected: true,
  established: true,
  competing: false,
  ...change,
});

/** Lets time pass until `until`; each act takes `actMs`. */
function live(world: World, until: number, given = rules, actMs = 50) {
  let state = startingState(0);
  let now = 0;
  const acts: { act: SessionAct; at: number }[] = [];
  const events: (SessionEvent & { at: number })[] = [];
  while (now < until) {
    const due = nextSessionAct(state, now);
    if ('waitMs' in due) {
      expect(due.waitMs).toBeGreaterThan(0);
      now += due.waitMs;
      continue;
    }
    acts.push({ act: due.act, at: now });
    now += actMs;
    const step = observeSession(state, world(due.act, now), now, given);
    state = step.state;
    events.push(...step.events.map((event) => ({ ...event, at: now })));
  }
  const times = (act: SessionAct) => acts.filter((each) => each.act === act).map(({ at }) => at);
  return { state, events, times, kinds: events.map(({ kind }) => kind) };
}

const answers: Record<Exclude<SessionAct, 'status'>, Observation> = {
  tickle: { kind: 'tickled' },
  open: { kind: 'opened' },
  prepare: { kind: 'prepared' },
};
const well: World = (act) => (act === 'status' ? status() : answers[act]);

describe('a day of the login', () => {
  it('that goes well is looked at every 15 s, kept awake every 55 s, prepared once and opened never', () => {
    const { kinds, times, state } = live(well, day);
    expect(kinds).toEqual(['up']);
    expect(times('prepare')).toHaveLength(1);
    expect(times('open')).toHaveLength(0);
    const gaps = (values: number[]) => values.slice(1).map((at, index) => at - (values[index] ?? 0));
    expect(Math.max(...gaps(times('status').slice(1)))).toBeLessThanOrEqual(15_200);
    expect(Math.max(...gaps(times('tickle')))).toBeLessThanOrEqual(55_200);
    expect(state).toMatchObject({ phase: 'up', epoch: 1, attempts: 0 });
  });

  describe('whose requests IBKR has limited', () => {
    const [begin, end] = [60 * minute, 75 * minute];
    const limited: Observation = { kind: 'limited', until: end, reason: 'limited' };
    const during = (now: number) => now >= begin && now < end;

    it('is not lost, is told of once, and goes on after that', () => {
      const world: World = (act, now) => (during(now) ? limited : well(act, now));
      const { kinds, events, times, state } = live(world, 2 * 60 * minute);
      expect(kinds).toEqual(['up', 'limited', 'up']);
      expect(events[1]).toMatchObject({ kind: 'limited', reason: 'limited' });
      expect((events[2]?.at ?? 0) - end).toBeLessThan(1000);
      expect(times('open')).toEqual([]);
      expect(state.attempts).toBe(0);
      // What is told of it stays fresh, though nothing is sent.
      const looks = times('status').filter(during);
      expect(Math.max(...looks.slice(1).map((at, index) => at - (looks[index] ?? 0)))).toBeLessThanOrEqual(
        15_200,
      );
    });

    it('is opened again once that is over where it idled out', () => {
      let opened = false;
      const { kinds, times } = live(
        (act, now) => {
          if (during(now)) return limited;
          if (act === 'open') opened = true;
          return act === 'status' ? status({ authenticated: now < begin || opened }) : well(act, now);
        },
        2 * 60 * minute,
      );
      expect(kinds).toEqual(['up', 'limited', 'lost', 'up']);
      expect(times('open')).toHaveLength(1);
    });

    it('still waits for the person that it waited for', () => {
      const { kinds } = live(
        (act, now) => {
          if (now < begin) return { kind: 'no-login' };
          return during(now) ? limited : well(act, now);
        },
        2 * 60 * minute,
      );
      expect(kinds).toEqual(['needs-login', 'up']);
    });

    it('has made no attempt where the opening was not sent', () => {
      const before = { ...startingState(0), next: 'open' as const, attempts: 3 };
      const { state } = observeSession(before, limited, begin, rules);
      expect(state).toMatchObject({ phase: 'limited', attempts: 2, next: 'status' });
    });
  });

  it('is opened and prepared again after the midnight reset, and says why', () => {
    const reset = 5 * 60 * minute;
    let opened = false;
    const { events, times, state } = live((act, now) => {
      if (act === 'open') opened = true;
      return act === 'status' ? status({ authenticated: now < reset || opened }) : well(act, now);
    }, day);
    expect(events.map(({ kind }) => kind)).toEqual(['up', 'lost', 'up']);
    expect(events[1]?.reason).toContain('midnight');
    expect((events[1]?.at ?? 0) - reset).toBeLessThan(60_000);
    expect((events[2]?.at ?? 0) - reset).toBeLessThan(60_000);
    expect(times('open')).toHaveLength(1);
    expect(times('prepare')).toHaveLength(2);
    expect(state).toMatchObject({ epoch: 2, attempts: 0 });
  });

  it.each([
    ['silence', { kind: 'failed', reason: 'no answer' }],
    ['an ended login', { kind: 'no-login' }],
    ['an ended session', status({ authenticated: false })],
    ['a login that is gone', status({ authenticated: false, connected: false })],
    ['another login', status({ competing: true })],
  ] as const)('that meets %s tells it within 60 s, timeouts of 5 s included', (_what, seen) => {
    for (let at = 10 * minute; at < 11 * minute; at += 1234) {
      const world: World = (act, now) =>
        now < at
          ? well(act, now)
          : act === 'status' || act === 'tickle'
            ? seen
            : { kind: 'failed', reason: 'gone' };
      const { events } = live(world, 20 * minute, rules, 5000);
      expect(events[1]?.kind).not.toBe('up');
      expect((events[1]?.at ?? Infinity) - at).toBeLessThan(60_000);
    }
  });

  it('takes one missed answer for nothing', () => {
    let missed = 0;
    const { kinds } = live((act, now) => {
      if (act === 'status' && now > minute && missed === 0)
        return { kind: 'failed', reason: String((missed += 1)) };
      return well(act, now);
    }, day);
    expect([missed, kinds]).toEqual([1, ['up']]);
  });

  it('opens a session that never comes up five times and no more, then waits for a person', () => {
    const idle: World = (act) => (act === 'status' ? status({ authenticated: false }) : answers[act]);
    const { kinds, times, state } = live(idle, 2 * day);
    expect(kinds).toEqual(['lost', 'needs-login']);
    expect(times('open')).toHaveLength(5);
    expect(state.phase).toBe('needs-login');
  });

  it('looks again after its wait, and leaves a session alone that has come up meanwhile', () => {
    const reset = 5 * minute;
    // Up again by itself 5 s after it was opened in vain; whoever opens it then breaks it for good.
    let firstOpened = Infinity;
    let broken = false;
    const world: World = (act, now) => {
      const usable = now < reset || (!broken && now >= firstOpened + 5000);
      if (act === 'open' && usable) broken = true;
      if (act === 'open') firstOpened = Math.min(firstOpened, now);
      return act === 'status' ? status({ authenticated: usable }) : well(act, now);
    };
    const { kinds, times } = live(world, 2 * 60 * minute);
    expect(kinds).toEqual(['up', 'lost', 'up']);
    expect(times('open')).toHaveLength(1);
  });

  it('outlasts a nightly reset of twenty minutes without a person, and is up 15 minutes after it at the latest', () => {
    for (let minutes = 1; minutes <= 20; minutes += 1) {
      const reset = 5 * 60 * minute;
      const end = reset + minutes * minute;
      let openedAt = -Infinity;
      const { events, kinds, times } = live(
        (act, now) => {
          if (act === 'open') openedAt = now;
          const usable = now < reset || openedAt >= end;
          return act === 'status' ? status({ authenticated: usable }) : well(act, now);
        },
        reset + 60 * minute,
      );
      expect(kinds).toEqual(['up', 'lost', 'up']);
      expect((events[2]?.at ?? Infinity) - end).toBeLessThan(16 * minute);
      expect(times('open').length).toBeLessThanOrEqual(5);
    }
  });

  it('counts no attempt that never left this machine', () => {
    const reachable = 60 * minute;
    let opened = false;
    const { kinds, state, times } = live((act, now) => {
      if (act === 'open' && now < reachable) return { kind: 'failed', reason: 'not sent' };
      if (act === 'open') opened = true;
      return act === 'status' ? status({ authenticated: opened }) : well(act, now);
    }, 70 * minute);
    expect(kinds).toEqual(['lost', 'up']);
    expect(times('open').length).toBeGreaterThan(5);
    expect(state.attempts).toBe(1);
  });

  it('waits for a person for days, opens nothing meanwhile, and comes up by itself after the login', () => {
    const login = 3 * day;
    const { kinds, times } = live((act, now) => {
      if (act === 'status' && now < login) return status({ authenticated: false, connected: false });
      return well(act, now);
    }, 4 * day);
    expect(kinds).toEqual(['needs-login', 'up']);
    expect(times('open')).toHaveLength(0);
  });

  it('tells at once when a session that looks well cannot be prepared, and opens nothing', () => {
    const world: World = (act) =>
      act === 'prepare' ? { kind: 'failed', reason: 'the wrong account' } : well(act, 0);
    const { events, times } = live(world, day);
    expect(events).toMatchObject([{ kind: 'lost', reason: 'the wrong account' }]);
    expect(times('open')).toHaveLength(0);
  });

  it('competes only where it may', () => {
    let taken = true;
    const world: World = (act, now) => {
      if (act === 'open') taken = false;
      return act === 'status' ? status({ competing: taken }) : well(act, now);
    };
    expect(live(world, day).kinds).toEqual(['competing']);
    taken = true;
    expect(live(world, day, sessionRules(1, true)).kinds).toEqual(['lost', 'up']);
  });

  it('counts a session that flaps: attempts are forgotten only after it was up for long', () => {
    let opened = -Infinity;
    const flapping: World = (act, now) => {
      if (act === 'open') opened = now;
      return act === 'status' ? status({ authenticated: now - opened < minute }) : well(act, now);
    };
    const { times, state } = live(flapping, day);
    expect(times('open')).toHaveLength(5);
    expect(state.phase).toBe('needs-login');
  });

  it('never opens more often than it may, is never prepared unopened, whatever the gateway says', () => {
    const seen = fc.oneof(
      fc.record({
        kind: fc.constant('status' as const),
        authenticated: fc.boolean(),
        connected: fc.constant(true),
        established: fc.boolean(),
        competing: fc.boolean(),
      }),
      fc.constant<Observation>({ kind: 'failed', reason: 'x' }),
    );
    fc.assert(
      fc.property(fc.array(seen, { minLength: 1, maxLength: 60 }), fc.boolean(), (script, compete) => {
        let index = 0;
        const { times } = live(
          (act) => (act === 'status' ? (script[index++ % script.length] ?? status()) : answers[act]),
          8 * minute,
          sessionRules(1, compete),
        );
        expect(times('open').length).toBeLessThanOrEqual(5);
      }),
    );
  });
});

describe('a day of the login by OAuth, where no person can help', () => {
  const oauth = sessionRules(1, false, true);
  /** Five attempts in the first minutes, and then one an hour. */
  const mostOpens = 5 + 24;
  const refused: Observation = { kind: 'failed', reason: 'status 401' };

  it('outlasts a maintenance of eight hours, and is up an hour after it at the latest', () => {
    const [begin, end] = [2 * 60 * minute, 10 * 60 * minute];
    let openedAt = -Infinity;
    const { kinds, events, times, state } = live(
      (act, now) => {
        if (act === 'open') openedAt = now;
        const usable = now < begin || openedAt >= end;
        return act === 'status' ? status({ authenticated: usable }) : well(act, now);
      },
      day,
      oauth,
    );
    expect(kinds).toEqual(['up', 'lost', 'up']);
    expect((events[2]?.at ?? Infinity) - end).toBeLessThan(61 * minute);
    expect(times('open').length).toBeLessThanOrEqual(5 + 9);
    expect(state.attempts).toBe(0);
  });

  it('goes on for ever, once an hour, and waits for nobody', () => {
    const idle: World = (act) =>
      act === 'status' ? status({ authenticated: false, connected: true }) : answers[act];
    const { kinds, times } = live(idle, day, oauth);
    expect(kinds).toEqual(['lost']);
    expect(times('open').length).toBeGreaterThan(24);
    expect(times('open').length).toBeLessThanOrEqual(mostOpens);
  });

  it.each([1, 2, 3, 7])('takes an answer after %i refusals for no login of a person', (refusals) => {
    let looks = 0;
    const { kinds, times } = live(
      (act) => {
        if (act !== 'status') return answers[act];
        looks += 1;
        return looks % (refusals + 1) === 0 ? status({ authenticated: false }) : refused;
      },
      day,
      oauth,
    );
    expect(kinds).not.toContain('needs-login');
    expect(times('open').length).toBeGreaterThan(20);
    expect(times('open').length).toBeLessThanOrEqual(mostOpens);
  });
});
