import { defineConfig } from 'vitest/config';

const shared = {
  environment: 'node' as const,
  setupFiles: ['tests/support/setup.ts'],
  // What is polled for comes, or the test has failed: how soon is not what it asserts.
  expect: { poll: { timeout: 20_000 } },
};

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          ...shared,
          name: 'unit',
          // Left to itself, the runner keeps one core for itself: half of a machine with two.
          maxWorkers: '100%',
          // Nothing here asserts a time: only a test that hangs may meet these, also on a machine that does much else.
          testTimeout: 60_000,
          include: [
            '{domain,contracts,ports,workflows,activities,adapters,simulator,db,config,worker,api,cli,scripts}/**/*.test.ts',
          ],
        },
      },
      {
        test: {
          ...shared,
          name: 'integration',
          include: ['tests/**/*.test.ts'],
          globalSetup: ['tests/support/globalSetup.ts'],
          testTimeout: 240_000,
          hookTimeout: 180_000,
          // Each file has servers of its own. Two of them, and two whole Keels where a file says that its tests are
          // concurrent, keep the cores of a small machine busy: they wait a good part of the time.
          maxWorkers: 2,
          maxConcurrency: 2,
        },
      },
    ],
  },
});
