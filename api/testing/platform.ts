// The state of a platform whose parts are all well, and an empty outbox. Used by memory.ts.
import type { ApiDeps } from '../app.js';
import type { Notification } from '../../ports/notifications.js';

type PlatformDeps = Pick<
  ApiDeps,
  | 'nodeVersion'
  | 'probes'
  | 'probeTimeoutMs'
  | 'monitors'
  | 'monitorsEveryMs'
  | 'retention'
  | 'environment'
  | 'maskedConfig'
  | 'migrations'
  | 'clock'
  | 'notifications'
  | 'refuseAddress'
>;

export function platformDeps(): PlatformDeps {
  const written: Notification[] = [];
  return {
    nodeVersion: '20.19.0',
    probes: [{ name: 'postgres', vital: true, look: () => Promise.resolve({ ok: true, detail: 'answers' }) }],
    probeTimeoutMs: 1000,
    monitors: { list: () => Promise.resolve([]) },
    monitorsEveryMs: null,
    retention: { everyMs: 86_400_000, on: false },
    environment: 'testing',
    maskedConfig: {},
    migrations: { status: () => Promise.resolve([]), run: () => Promise.resolve([]) },
    clock: { now: () => Date.UTC(2026, 0, 5, 10) },
    refuseAddress: () => null,
    notifications: {
      settings: () => Promise.resolve(null),
      putSettings: () => Promise.resolve(true),
      addFor: (news) => {
        written.push({
          ...news,
          id: String(written.length),
          ownerId: null,
          createdAt: '2026-01-05T10:00:00.000Z',
        });
        return Promise.resolve();
      },
      list: () => Promise.resolve([]),
      markRead: () => Promise.resolve(false),
    },
  };
}
