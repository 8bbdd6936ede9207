// Tells people that a part of the platform or a monitor is not well, and when all are well again. Called by the look at
// health, which keeps what this returns in its result: the next look begins there.
import {
  missedLooks,
  monitorNames,
  type MonitorName,
  type MonitorResult,
} from '../contracts/wire/monitor.js';
import type { Clock } from '../ports/clocks.js';
import type { MonitorRow, MonitorStore } from '../ports/monitors.js';
import type { NotificationStore } from '../ports/notifications.js';

export interface PlatformNewsDeps {
  readonly notifications: Pick<NotificationStore, 'add'>;
  readonly monitors: Pick<MonitorStore, 'get' | 'list'>;
  /** Wall milliseconds between two looks of each. */
  readonly monitorsEveryMs: Readonly<Record<MonitorName, number>>;
  /** What was told of is over when no look has seen it for so many wall milliseconds. */
  readonly wellAfterMs: number;
  readonly clock: Clock;
}

export interface Trouble {
  readonly name: string;
  /** One sentence for people. */
  readonly words: string;
  /** Another event tells that it began; that it is over is told here. */
  readonly toldElsewhere?: true;
}

/** In the look at health: a monitor has failed when it has failed twice, whatever its interval. */
const failedLooks = 2;

type Facts = MonitorResult['facts'];

interface Told {
  readonly name: string;
  /** When it was last away, or nobody looked; milliseconds since 1970. */
  readonly lastAway: number;
}

interface Before {
  /** End of the last look; null before the first. */
  readonly at: string | null;
  /** Whether that look was so recent that this one is the next in a row. */
  readonly inARow: boolean;
  readonly wrong: readonly string[];
  readonly told: readonly Told[];
  /** Since when somebody has looked without a gap, milliseconds since 1970. */
  readonly since: number;
}

const namesIn = (value: Facts[string] | undefined): readonly string[] =>
  typeof value === 'object' && value !== null ? value : [];

function readBefore(row: MonitorRow | null, everyMs: number, now: number): Before {
  if (row === null) return { at: null, inARow: false, wrong: [], told: [], since: now };
  const { at, facts, status } = row;
  const inARow = now - Date.parse(at) <= missedLooks * everyMs;
  const lastAway = namesIn(facts['lastAway']);
  const since = inARow ? Date.parse(String(facts['since'])) : NaN;
  return {
    at,
    inARow,
    wrong: inARow ? namesIn(facts['wrong']) : [],
    // A look that was not taken is no witness that a part was there.
    told: namesIn(facts['told']).map((name, index) => {
      const away = Date.parse(lastAway[index] ?? '');
      return { name, lastAway: !inARow || status === 'failed' || Number.isNaN(away) ? now : away };
    }),
    since: Number.isNaN(since) ? now : since,
  };
}

/** What a look at health keeps that could not look itself. */
export const keptOf = ({ facts }: MonitorRow): Facts => ({
  wrong: namesIn(facts['wrong']),
  told: namesIn(facts['told']),
  lastAway: namesIn(facts['lastAway']),
  since: facts['since'] ?? null,
});

/** Whether people were told that a part is away, and not yet that all is well. */
export const isTold = (row: MonitorRow | null, name: string): boolean =>
  namesIn(row?.facts['told']).includes(name);

/** How many looks of a monitor have failed in a row, with one that fails now. */
export const failedInARow = (before: MonitorRow | null): number =>
  before?.status === 'failed' ? Number(before.facts['failedInARow'] ?? 1) + 1 : 1;

/** Monitors that fail or do not look. Where no worker was there, none is late before it had time to look. */
function troublesOfMonitors(
  rows: readonly MonitorRow[],
  everyMs: PlatformNewsDeps['monitorsEveryMs'],
  since: number,
  now: number,
): readonly Trouble[] {
  // The look that asks is no witness of itself.
  const others = monitorNames.filter((name) => name !== 'health');
  return others.flatMap((each): Trouble[] => {
    const row = rows.find(({ name }) => name === each);
    const name = `monitor ${each}`;
    if (now - Math.max(since, row === undefined ? 0 : Date.parse(row.at)) > missedLooks * everyMs[each]) {
      const last = row === undefined ? 'has never looked' : `has not looked since ${row.at}`;
      return [{ name, words: `It ${last}: see its schedule in Temporal.` }];
    }
    const failing = row?.status === 'failed' && Number(row.facts['failedInARow'] ?? 1) >= failedLooks;
    // That the broker is lost is told already.
    return !failing || row.facts['code'] === 'BROKER_STATE_STALE' ? [] : [{ name, words: row.message }];
  });
}

/**
 * Nothing is told of what one look alone has seen. What gets worse is told once for each change, with all that is wrong then. A
 * part that comes and goes stays told until it was there for long enough; that all is well again is told once.
 * @param parts that do not answer in this look
 * @returns facts for the look's result
 */
export async function tellOfPlatform(deps: PlatformNewsDeps, parts: readonly Trouble[]): Promise<Facts> {
  const { monitorsEveryMs: everyMs, clock } = deps;
  const now = clock.now();
  const [row, rows] = await Promise.all([deps.monitors.get('health'), deps.monitors.list()]);
  const before = readBefore(row, everyMs.health, now);
  const troubles = [...parts, ...troublesOfMonitors(rows, everyMs, before.since, now)];
  const wrong = troubles.map(({ name }) => name);
  const was = before.told.map(({ name }) => name);
  const worse = troubles.filter(
    ({ name, toldElsewhere = false }) =>
      (toldElsewhere || before.wrong.includes(name)) && !was.includes(name),
  );
  const still = before.told
    .map(({ name, lastAway }) => ({ name, lastAway: wrong.includes(name) ? now : lastAway }))
    .filter(({ lastAway }) => now === lastAway || now - lastAway < deps.wellAfterMs);
  const entries = [...still, ...worse.map(({ name }) => ({ name, lastAway: now }))];
  const told = entries.map(({ name }) => name);
  if (before.at !== null) await tell(deps, { at: before.at, was, told, worse, troubles });
  return {
    wrong,
    told,
    lastAway: entries.map(({ lastAway }) => new Date(lastAway).toISOString()),
    since: new Date(before.since).toISOString(),
  };
}

interface Change {
  /** Names the change: a look that is done again tells it no second time. */
  readonly at: string;
  readonly was: readonly string[];
  readonly told: readonly string[];
  readonly worse: readonly Trouble[];
  readonly troubles: readonly Trouble[];
}

async function tell({ notifications }: PlatformNewsDeps, change: Change): Promise<void> {
  const { at, was, told, worse, troubles } = change;
  if (worse.some(({ toldElsewhere }) => toldElsewhere !== true)) {
    const all = troubles.filter(({ name }) => told.includes(name));
    const names = all.map(({ name }) => name).join(', ');
    await notifications.add({
      key: `platform/degraded/${at}`,
      event: 'platform.degraded',
      title: `Keel is degraded: ${names}`,
      body: all.map(({ name, words }) => `${name}: ${words}`).join('\n'),
      facts: { wrong: names },
    });
  } else if (was.length > 0 && told.length === 0) {
    const names = was.join(', ');
    await notifications.add({
      key: `platform/well/${at}`,
      event: 'platform.well',
      title: 'Keel is well again',
      body: `What was told of is over: ${names}.`,
      facts: { was: names },
    });
  }
}
