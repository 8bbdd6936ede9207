import { describe, expect, it } from 'vitest';
import { detailedHealth } from '../../contracts/http/status.js';
import { monitorNames } from '../../contracts/wire/monitor.js';
import { KeelError } from '../../ports/errors.js';
import type { PartState } from '../../ports/health.js';
import type { MonitorRow } from '../../ports/monitors.js';
import { readPlatformHealth, type PlatformHealthDeps } from './platformHealth.js';

const now = Date.UTC(2026, 0, 5, 10);
const everyMs = {
  prices: 60_000,
  portfolioSync: 60_000,
  reconciliation: 60_000,
  kpis: 60_000,
  health: 60_000,
};
const rows: MonitorRow[] = monitorNames.map((name) => ({
  name,
  status: 'ok',
  message: 'all is well',
  facts: {},
  at: '2026-01-05T09:59:00.000Z',
  ms: 5,
}));
const well = (): Promise<PartState> => Promise.resolve({ ok: true, detail: 'answers' });

const read = async (changes: Partial<PlatformHealthDeps> = {}) =>
  detailedHealth.parse(
    await readPlatformHealth({
      mode: 'simulated',
      version: '0.0.0',
      nodeVersion: '20.19.0',
      probes: [
        { name: 'postgres', vital: true, look: well },
        { name: 'cache', vital: false, look: well },
      ],
      probeTimeoutMs: 50,
      monitors: { list: () => Promise.resolve(rows) },
      monitorsEveryMs: everyMs,
      retention: { everyMs: 86_400_000, on: true },
      prices: { memory: () => [] },
      clock: { now: () => now },
      ...changes,
    }),
  );

describe('the state of the platform', () => {
  it('is ok when every part and every monitor is', async () => {
    expect(await read()).toMatchObject({
      status: 'ok',
      monitors: rows.map(({ name }) => ({ name, ageSeconds: 60 })),
    });
  });

  it.each([
    ['down', true],
    ['degraded', false],
  ])('is %s when a part is away whose vitality is %s', async (status, vital) => {
    const look = () => Promise.reject(new KeelError('AWAY', 'it is away: start it'));
    const state = await read({ probes: [{ name: 'cache', vital, look }] });
    expect(state).toMatchObject({ status, parts: [{ status: 'down', detail: 'it is away: start it' }] });
  });

  it('does not wait for a part that hangs, and shows no text of an error that nobody checked', async () => {
    const state = await read({
      probes: [
        { name: 'postgres', vital: true, look: () => new Promise(() => undefined) },
        { name: 'cache', vital: false, look: () => Promise.reject(new Error('redis://:hunter2@host')) },
      ],
    });
    expect(state.parts.map(({ detail }) => detail)).toEqual([
      'no answer within 50 ms',
      'it does not answer; the log of its process says more',
    ]);
  });

  it.each([
    ['warns', { status: 'warning' as const }],
    ['has missed more than three looks', { at: '2026-01-05T09:56:59.000Z' }],
  ])('is degraded when a monitor %s', async (_what, change) => {
    const changed = rows.map((row) => (row.name === 'kpis' ? { ...row, ...change } : row));
    expect(await read({ monitors: { list: () => Promise.resolve(changed) } })).toMatchObject({
      status: 'degraded',
    });
  });

  it('knows a monitor that has never looked, and none where they are switched off', async () => {
    const none = { monitors: { list: () => Promise.resolve([]) } };
    expect((await read(none)).monitors.map(({ status, late }) => [status, late])).toEqual(
      monitorNames.map(() => ['never', true]),
    );
    expect(await read({ ...none, monitorsEveryMs: null })).toMatchObject({ status: 'ok', monitors: [] });
  });

  it('shows the look that deletes what is old, once it has looked, and is degraded when it fails', async () => {
    const retention = { everyMs: 86_400_000, on: true };
    const failed: MonitorRow = {
      ...{ name: 'retention', status: 'failed', message: 'ORPHANS', facts: {}, ms: 5 },
      at: '2026-01-04T10:00:00.000Z',
    };
    const monitors = (row: MonitorRow) => ({ list: () => Promise.resolve([...rows, row]) });
    const state = await read({ monitors: monitors(failed), monitorsEveryMs: null });
    expect(state).toMatchObject({ status: 'degraded', monitors: [{ name: 'retention', status: 'failed' }] });
    const old = monitors({ ...failed, status: 'ok', at: '2026-01-02T09:59:59.000Z' });
    expect((await read({ monitors: old, retention })).monitors.at(-1)).toMatchObject({ late: true });
    // Without a rule nobody looks any more.
    expect((await read({ monitors: old, retention: { ...retention, on: false } })).monitors).toHaveLength(5);
  });

  it('still tells of the parts when PostgreSQL is away', async () => {
    const away = () => Promise.reject(new KeelError('DATABASE_AWAY', 'PostgreSQL does not answer'));
    expect((await read({ monitors: { list: away } })).parts).toHaveLength(2);
  });
});
