// The proof that replay catches what it is there for: each case edits a copy of the compiled workflows in a way that would
// break open runs, and the recorded histories must refuse it.
import { cpSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  bundleWorkflowCode,
  DefaultLogger,
  makeTelemetryFilterString,
  Runtime,
  Worker,
} from '@temporalio/worker';
import { DeterminismViolationError } from '@temporalio/workflow';
import { beforeAll, describe, expect, it } from 'vitest';
import { recordedHistories } from './support/histories.js';
import { tempFolder } from './support/temp.js';

const root = fileURLToPath(new URL('../', import.meta.url));
const logger = new DefaultLogger('ERROR');

interface Edit {
  readonly name: string;
  /** Below workflows/, compiled. */
  readonly file: string;
  readonly from: string;
  readonly to: string;
  /** The workflow type whose histories must break. */
  readonly breaks: string;
}

const edits: readonly Edit[] = [
  {
    name: 'reordered steps: protection is released after the admission',
    file: 'steps/admitAndSend.js',
    from: 'await releaseProtection(input)',
    to: '(await admitOrder(input), await releaseProtection(input))',
    breaks: 'orderLifecycle',
  },
  {
    name: 'a dropped timer: the market is not checked again after a while',
    file: 'steps/waitForMarket.js',
    from: '|| signalled(), recheck)',
    to: '|| signalled())',
    breaks: 'strategyRun',
  },
  {
    name: 'a dropped wait: the order goes out at once',
    file: 'strategyRun.js',
    from: "await story.step('waitForMarket', () => waitForMarket(",
    to: "await story.step('waitForMarket', async () => (",
    breaks: 'strategyRun',
  },
  {
    name: 'a renamed activity',
    file: 'strategyRun.js',
    from: 'steps.fetchBars(',
    to: 'steps.loadBars(',
    breaks: 'strategyRun',
  },
  {
    name: 'an added activity',
    file: 'strategyRun.js',
    from: 'const evidence = await',
    to: 'await steps.resolveContract(symbol); const evidence = await',
    breaks: 'strategyRun',
  },
  {
    name: 'another id of the child workflow',
    file: 'steps/placeAndFollow.js',
    from: 'workflowId: orderWorkflowId(mode, clientOrderId)',
    to: 'workflowId: `${orderWorkflowId(mode, clientOrderId)}/2`',
    breaks: 'strategyRun',
  },
  {
    name: 'another type of the child workflow',
    file: 'steps/placeAndFollow.js',
    from: "startChild('orderLifecycle'",
    to: "startChild('brokerState'",
    breaks: 'strategyRun',
  },
  {
    name: 'a local activity turned into an activity',
    file: 'strategyRun.js',
    from: 'stored(openDeadlineMs).openRun(',
    to: 'repeatable(openDeadlineMs).openRun(',
    breaks: 'strategyRun',
  },
  {
    name: 'a dropped local activity: the answer to a submission is not recorded',
    file: 'steps/admitAndSend.js',
    from: 'const state = await recordSubmission({ clientOrderId: input.clientOrderId, submission })',
    to: "const state = 'ACKNOWLEDGED'",
    breaks: 'orderLifecycle',
  },
  {
    name: 'a dropped signal: the run is not told',
    file: 'orderLifecycle.js',
    from: 'await tellRun(input, end)',
    to: 'void end',
    breaks: 'orderLifecycle',
  },
  {
    name: 'an added timer before the poller',
    file: 'brokerState.js',
    from: 'await watching.watchBroker(',
    to: "await sleep('1 second'); await watching.watchBroker(",
    breaks: 'brokerState',
  },
];

/** A copy of the compiled workflows that the bundler can read: what they import lies where they look for it. */
function copyOfWorkflows(): { folder: string; remove: () => void } {
  const { path: folder, remove } = tempFolder('mutation');
  for (const part of ['workflows', 'contracts'])
    cpSync(path.join(root, 'dist', part), path.join(folder, part), { recursive: true });
  writeFileSync(path.join(folder, 'package.json'), '{"type":"module"}');
  symlinkSync(path.join(root, 'node_modules'), path.join(folder, 'node_modules'));
  return { folder, remove };
}

/** Makes one edit; it fails where the text is not there exactly once, because then nothing would be shown. */
function apply(folder: string, { file, from, to }: Edit): void {
  const target = path.join(folder, 'workflows', file);
  const before = readFileSync(target, 'utf8');
  expect(before.split(from), `"${from}" stands once in ${file}`).toHaveLength(2);
  const after = before.replace(from, () => to);
  expect(after).not.toBe(before);
  writeFileSync(target, after);
}

/** @returns the name of each history that did not replay, with its error */
async function replay(folder: string): Promise<Map<string, Error>> {
  const bundle = await bundleWorkflowCode({
    workflowsPath: path.join(folder, 'workflows', 'index.js'),
    logger,
  });
  const broken = new Map<string, Error>();
  const given = recordedHistories().map(({ name, history }) => ({ workflowId: name, history }));
  for await (const { workflowId, error } of Worker.runReplayHistories({ workflowBundle: bundle }, given)) {
    if (error !== undefined) broken.set(workflowId, error);
  }
  return broken;
}

beforeAll(() => {
  // The violations are what is wanted here; they need not be told as warnings.
  const filter = makeTelemetryFilterString({ core: 'ERROR' });
  Runtime.install({ logger, telemetryOptions: { logging: { filter } } });
});

describe('replay of the recorded histories', () => {
  it('passes on an unedited copy', async () => {
    const { folder, remove } = copyOfWorkflows();
    expect([...(await replay(folder)).keys()]).toEqual([]);
    remove();
  });

  it.each(edits)('catches $name', async (edit) => {
    const { folder, remove } = copyOfWorkflows();
    apply(folder, edit);
    const broken = await replay(folder);
    const violations = [...broken].filter(([, error]) => error instanceof DeterminismViolationError);
    expect(violations.map(([name]) => name.split('.')[0])).toContain(edit.breaks);
    expect(violations).toHaveLength(broken.size);
    remove();
  });
});
