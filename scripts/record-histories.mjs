// Records the histories of workflows/histories anew, from whole runs through real parts: node scripts/record-histories.mjs.
// Run it when a workflow has changed so that new runs take another way; a change to one that is running already must keep the old ones replaying.
import { readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { bin, root } from './lib/paths.mjs';
import { run } from './lib/run.mjs';

const folder = path.join(root, 'workflows', 'histories');
/** Test file, the tests of it that end in a way of their own, and the strategies whose runs are recorded where not all are. */
const sources = [
  ['tests/runs.test.ts', ''],
  ['tests/platform.test.ts', ''],
  ['tests/restingEntry.test.ts', 'fills there|ends with its session|killed: null|report:cancelEntry'],
  [
    'tests/faults.test.ts',
    'SENT and POST|at start:submitOrder|after:admitOrder|after:submitOrder|report:submitOrder|after:watchBroker',
  ],
  [
    'tests/analystPanel.test.ts',
    'takes a buy back|is not asked|is sent for a buy',
    'm-panel-veto,m-panel-holds,m-panel-orders',
  ],
];

for (const file of await readdir(folder).catch(() => [])) {
  if (file.endsWith('.json')) await rm(path.join(folder, file));
}
for (const [file, filter, strategies = 'all'] of sources) {
  const args = ['run', '--project', 'integration', file, ...(filter === '' ? [] : ['-t', filter])];
  const env = { ...process.env, RECORD_HISTORIES: strategies };
  const result = await run(bin('vitest'), args, { cwd: root, env, timeoutMs: 30 * 60_000, live: true });
  if (result.code !== 0) process.exitCode = 1;
}
