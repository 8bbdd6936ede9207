// The owner of the login: acts on the rules, stores what it sees, outlives every error.
import { describe, expect, it } from 'vitest';
import { sessionRules, startingState } from '../domain/brokerSession/rules.js';
import type { Observation, SessionEvent } from '../domain/brokerSession/rules.js';
import type { BrokerSessionRow } from '../ports/brokerSession.js';
import { createBrokerSessionActivities } from './brokerSession.js';

const up: Observation = {
  kind: 'status',
  authenticated: true,
  connected: true,
  established: true,
  competing: false,
};

function world(status: (now: number) => Observation, oauth = false) {
  let now = 0;
  let row: BrokerSessionRow | null = null;
  let holder = '';
  const told: SessionEvent[] = [];
  const news = new Map<string, string>();
  const acts: string[] = [];
  let databaseAway = false;
  let outboxAway = false;
  let stopping = false;
  const act = (name: string, seen: Observation) => () => {
    acts.push(name);
    return Promise.resolve(seen);
  };
  const activities = createBrokerSessionActivities({
    login: 'login',
    brokerLogin: {
      status: () => Promise.resolve(status(now)),
      tickle: act('tickle', { kind: 'tickled' }),
      open: act('open', { kind: 'opened' }),
      prepare: act('prepare', { kind: 'prepared' }),
    },
    brokerSessions: {
      get: () => Promise.resolve(row),
      take: (_login, watch) => {
        holder = watch;
        return Promise.resolve(row);
      },
      save: (next, events, watch) => {
        if (databaseAway) return Promise.reject(new Error('away'));
        if (watch !== holder) return Promise.resolve(false);
        row = next;
        told.push(...events);
        return Promise.resolve(true);
      },
    },
    notifications: {
      add: ({ key, event, body }) => {
        if (databaseAway || outboxAway) return Promise.reject(new Error('away'));
        news.set(key, `${event}: ${body}`);
        return Promise.resolve(true);
      },
    },
    sessionRules: sessionRules(1, false, oauth),
    clock: { now: () => now },
    pause: (ms) => {
      now += ms;
      return Promise.resolve();
    },
    stopping: () => stopping,
  });
  return {
    activities,
    acts,
    told,
    news: () => [...news.values()],
    phase: () => row?.state.phase,
    database: (isAway: boolean) => {
      databaseAway = isAway;
    },
    outbox: (isAway: boolean) => {
      outboxAway = isAway;
    },
    keep: (kept: BrokerSessionRow) => {
      row = kept;
    },
    now: () => now,
    /** The worker stops, or the next one has begun after so long. */
    stop: () => {
      stopping = true;
    },
    startAgain: (afterMs: number) => {
      stopping = false;
      now += afterMs;
    },
  };
}

describe('watchSession', () => {
  it('brings it up, keeps it awake, and stores what it saw', async () => {
    const { activities, acts, told, phase } = world(() => up);
    await activities.watchSession({ forMs: 120_000 });
    expect(acts).toEqual(['prepare', 'tickle', 'tickle']);
    expect(told).toEqual([{ kind: 'up', reason: null }]);
    expect(phase()).toBe('up');
  });

  it('tells that IBKR has limited requests, until when, and that nobody has to log in', async () => {
    const reason = "IBKR has limited Keel's requests (429): until 1970-01-01T00:16:00Z Keel asks nothing";
    const { activities, news, phase, now } = world((at) =>
      at < 60_000 ? up : { kind: 'limited', until: 960_000, reason },
    );
    await activities.watchSession({ forMs: 120_000 });
    expect(phase()).toBe('limited');
    expect(news()).toHaveLength(1);
    expect(news()[0]).toContain(`broker.lost: login: ${reason}. Nobody has to log in`);
    expect(news()[0]).not.toContain('login-url');
    expect(await activities.awaitSession({ forMs: now() })).toBe(false);
  });

  it('goes on where an earlier worker stood: its attempts are not forgotten', async () => {
    const { activities, acts, keep, phase } = world(() => ({ ...up, authenticated: false }));
    keep({
      login: 'login',
      state: { ...startingState(0), phase: 'lost', attempts: 4, connected: true },
      checkedAt: '',
    });
    await activities.watchSession({ forMs: 1_200_000 });
    expect(acts).toEqual(['open']);
    expect(phase()).toBe('needs-login');
  });

  it('goes on while the database is away, and tells afterwards what happened meanwhile', async () => {
    const { activities, told, news, database, now } = world((at) =>
      at < 60_000 || at > 120_000 ? up : { kind: 'no-login' },
    );
    const watched = activities.watchSession({ forMs: 300_000 });
    database(true);
    while (now() < 200_000) await Promise.resolve();
    database(false);
    await watched;
    expect(told.map(({ kind }) => kind)).toEqual(['up', 'needs-login', 'up']);
    // Told under one key for each loss, however often it had to be stored; coming up is no news.
    expect(news()).toEqual([expect.stringMatching(/^broker\.lost: login: the gateway has no login/)]);
  });
});

describe('attempts to open', () => {
  const idle = { ...up, authenticated: false };

  it('are made by one watch only: one that was given up for dead ends at its next look', async () => {
    const { activities, acts } = world(() => idle);
    const forMs = 3 * 60 * 60_000;
    const watches = [activities.watchSession({ forMs }), activities.watchSession({ forMs })];
    const ends = await Promise.allSettled(watches);
    expect(ends).toMatchObject([
      { status: 'rejected', reason: { code: 'SESSION_WATCHED', errorClass: 'retryable' } },
      { status: 'fulfilled' },
    ]);
    expect(acts).toHaveLength(5);
  });

  it('that a dead watch had counted and perhaps sent are not made a second time', async () => {
    const { activities, acts, keep, phase } = world(() => idle);
    const state = { ...startingState(0), phase: 'lost', attempts: 5, connected: true, next: 'open' } as const;
    keep({ login: 'login', state, checkedAt: '' });
    await activities.watchSession({ forMs: 60_000 });
    expect([acts, phase()]).toEqual([[], 'needs-login']);
  });

  it('wait for the database that counts them', async () => {
    const { activities, acts, database, now } = world((at) => (at < 60_000 ? up : idle));
    const watched = activities.watchSession({ forMs: 1_200_000 });
    while (now() < 50_000) await Promise.resolve();
    database(true);
    while (now() < 600_000) await Promise.resolve();
    expect(acts).not.toContain('open');
    database(false);
    await watched;
    expect(acts.filter((act) => act === 'open').length).toBeGreaterThan(0);
  });
});

it('by OAuth sends nobody to a gateway that is not there', async () => {
  const silent = { kind: 'failed', reason: 'refused' } as const;
  const [gateway, oauth] = [world(() => silent), world(() => silent, true)];
  await Promise.all([gateway, oauth].map(({ activities }) => activities.watchSession({ forMs: 60_000 })));
  expect(gateway.news()).toEqual([expect.stringContaining('keel ibkr login-url')]);
  expect(oauth.news()).toEqual([expect.stringContaining('Keel goes on trying by itself')]);
  expect(oauth.news().join()).not.toMatch(/gateway|login-url|person/);
});

it.each([false, true])('tells to end the other login that has the session (OAuth: %s)', async (oauth) => {
  const { activities, news } = world(() => ({ ...up, competing: true }), oauth);
  await activities.watchSession({ forMs: 60_000 });
  expect(news()).toEqual([expect.stringContaining('end the other login')]);
  expect(news().join()).not.toContain('login-url');
});

it('tells to start a gateway that does not run, where nobody can log in', async () => {
  const reason =
    'POST /iserver/auth/status found nobody there (ECONNREFUSED). Check that the gateway answers.';
  const { activities, news } = world(() => ({ kind: 'failed', reason }));
  await activities.watchSession({ forMs: 60_000 });
  expect(news()).toEqual([expect.stringContaining('No gateway runs there: start it')]);
  expect(news().join()).not.toContain('login-url');
});

describe('where the outbox takes no news', () => {
  it('what it sees is stored all the same, and told once the outbox takes it', async () => {
    const { activities, told, news, outbox, phase, now } = world((at) =>
      at < 60_000 || at > 120_000 ? up : { kind: 'no-login' },
    );
    outbox(true);
    const watched = activities.watchSession({ forMs: 300_000 });
    while (now() < 100_000) await Promise.resolve();
    expect([phase(), news()]).toEqual(['needs-login', []]);
    while (now() < 200_000) await Promise.resolve();
    expect([phase(), news()]).toEqual(['up', []]);
    outbox(false);
    await watched;
    expect(told.map(({ kind }) => kind)).toEqual(['up', 'needs-login', 'up']);
    expect(news()).toEqual([expect.stringMatching(/^broker\.lost: login: the gateway has no login/)]);
  });

  it('a loss that an earlier worker stored and could not tell is told by the next one', async () => {
    const { activities, news, outbox } = world(() => ({ kind: 'no-login' }));
    outbox(true);
    await activities.watchSession({ forMs: 60_000 });
    outbox(false);
    await activities.watchSession({ forMs: 60_000 });
    await activities.watchSession({ forMs: 60_000 });
    expect(news()).toHaveLength(1);
  });
});

describe('awaitSession', () => {
  it('ends when the login is up, or at its deadline', async () => {
    const away = world(() => ({ kind: 'no-login' }));
    expect(await away.activities.awaitSession({ forMs: 60_000 })).toBe(false);
    expect(away.now()).toBeGreaterThanOrEqual(60_000);
    const { activities } = world(() => up);
    await activities.watchSession({ forMs: 1000 });
    expect(await activities.awaitSession({ forMs: 0 })).toBe(true);
  });

  const half = 30 * 60_000;
  const noLogin = () => world(() => ({ kind: 'no-login' }));

  it('is handed on by a worker that stops: the wait is not over, and its end stays where it was', async () => {
    const { activities, now, stop, startAgain } = noLogin();
    stop();
    const wait = { forMs: half, until: half };
    await expect(activities.awaitSession(wait)).rejects.toMatchObject({
      code: 'WORKER_STOPS',
      errorClass: 'retryable',
    });
    startAgain(20 * 60_000);
    expect(await activities.awaitSession(wait)).toBe(false);
    expect(now()).toBe(half);
  });

  it('is handed on also where an earlier build gave it no end', async () => {
    const { activities, stop } = noLogin();
    stop();
    await expect(activities.awaitSession({ forMs: half })).rejects.toMatchObject({ code: 'WORKER_STOPS' });
  });

  it('that is over tells so, also while the worker stops', async () => {
    const { activities, stop } = noLogin();
    stop();
    expect(await activities.awaitSession({ forMs: 0, until: 0 })).toBe(false);
  });

  it('that goes on after its end, because Keel was off, has the time of the first looks', async () => {
    const { activities, startAgain, phase } = world((at) =>
      at < 2 * half + 30_000 ? { kind: 'no-login' } : up,
    );
    await activities.watchSession({ forMs: 1000 });
    startAgain(2 * half);
    const [found] = await Promise.all([
      activities.awaitSession({ forMs: half, until: half }),
      activities.watchSession({ forMs: 120_000 }),
    ]);
    expect([found, phase()]).toEqual([true, 'up']);
    const late = noLogin();
    late.startAgain(2 * half);
    expect(await late.activities.awaitSession({ forMs: half, until: half })).toBe(false);
    expect(late.now()).toBe(2 * half + 60_000);
  });

  it('whose rest is shorter than that goes on no longer than the rest was', async () => {
    const { activities, startAgain, now } = noLogin();
    startAgain(half);
    expect(await activities.awaitSession({ forMs: 5000, until: 5000 })).toBe(false);
    expect(now()).toBe(half + 5000);
  });
});
