// Workflow definitions end to end: made with `keel workflows` through the API as a process, run by a real worker on real
// Temporal and PostgreSQL, checked by `keel verify`. The market only goes forward, so the tests run in this order.
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { WorkflowHandle } from '@temporalio/client';
import { createApi } from '../cli/api.js';
import { keel } from '../cli/main.js';
import { summaryOf, writeSummary } from '../cli/summary.js';
import { definitionVersion } from '../contracts/http/definition.js';
import type { RunResult } from '../contracts/wire/run.js';
import { createNyseCalendar } from '../domain/market/nyse.js';
import type { ApiProcess } from './support/api.js';
import { startApi } from './support/api.js';
import { makeUser, type TestUser } from './support/access.js';
import { startStack, type TestStack } from './support/stack.js';
import { startTemporal, type TestTemporal } from './support/temporal.js';

const calendar = createNyseCalendar();
let temporal: TestTemporal;
let stack: TestStack;
let api: ApiProcess;
let trader: TestUser;

beforeAll(async () => {
  temporal = await startTemporal();
  stack = await startStack(temporal);
  trader = await makeUser(stack.market.stores, 'maria', 'trader');
  [api] = await Promise.all([startApi({ ...stack.settings }), stack.startWorker()]);
});

afterAll(async () => {
  await api.stop();
  await stack.stop();
  await temporal.stop();
});

/** The command as a user types it. */
async function typed(
  args: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<{ code: number; text: string }> {
  const lines: string[] = [];
  const say = (line: string): void => {
    lines.push(line);
  };
  const code = await keel(args, { out: say, err: say, env: () => env });
  return { code, text: lines.join('\n') };
}
const asApi = () => createApi(api.url, trader.key);
const asTrader = (...args: string[]) => typed([...args, '--api', api.url], { KEEL_API_KEY: trader.key });

const closeOf = (date: string): string => {
  const session = calendar.session(date);
  if (session === null) throw new Error(`${date} is no session`);
  return session.close;
};

const waits = async (runId: string): Promise<void> => {
  const { runs } = stack.market.stores;
  while ((await runs.get(runId))?.status !== 'waiting')
    await new Promise((resolve) => setTimeout(resolve, 20));
};

function file(name: string, value: object): string {
  const where = path.join(stack.folder, name);
  writeFileSync(where, JSON.stringify(value));
  return where;
}

/** What `npm start -- --json` would have written of a run, checked by `keel verify`. */
async function verified(runId: string, change: object = {}): Promise<{ code: number; text: string }> {
  const detail = await asApi().run(runId);
  const objectDir = path.join(stack.folder, 'objects');
  const places = {
    apiUrl: api.url,
    dataDir: stack.folder,
    databaseDir: null,
    objectDir,
    ledgerFile: stack.ledgerFile,
  };
  const summary = path.join(stack.folder, `${runId}.json`);
  writeSummary(summary, { ...summaryOf(detail, places), ...change });
  return typed(['verify', summary], { DATABASE_URL: stack.databaseUrl });
}

describe('a workflow definition', () => {
  it('is made of a file, listed and shown', async () => {
    const made = await asTrader('workflows', 'create', '--file', 'docs/workflows/daily-only.yaml');
    expect(made).toEqual({ code: 0, text: 'Made the workflow daily-only, version 1.' });
    const { text } = await asTrader('workflows', 'list');
    expect(text).toMatch(/^ID +VERSION +TIMEFRAMES +ANALYST +OWNER +NAME$/m);
    expect(text).toMatch(/^standard +1 +daily, weekly +auto +platform +/m);
    expect(text).toMatch(/^daily-only +1 +daily +rules +/m);
    const shown = await asTrader('workflows', 'show', 'daily-only', '--json');
    expect(definitionVersion.parse(JSON.parse(shown.text))).toMatchObject({
      id: 'daily-only',
      version: 1,
      limits: { riskPerTrade: '0.005' },
    });
    const again = await asTrader('workflows', 'create', '--file', 'docs/workflows/daily-only.yaml');
    expect(again.code).toBe(1);
    expect(again.text).toMatch(/There is a workflow definition daily-only already/);
  });

  let careful: string;
  let adviser: string;
  let waiting: WorkflowHandle;

  it('decides which timeframes and steps a run takes', async () => {
    const made = await asTrader('strategies', 'create', '--file', 'docs/workflows/careful-aapl.yaml');
    expect(made.text).toMatch(/^Stored version 1 of the strategy careful-aapl: /);
    await stack.market.stepThrough([closeOf('2014-07-07')]);
    const { runId, workflowId } = await asApi().execute('careful-aapl', 'AAPL');
    [careful, waiting] = [runId, stack.client.workflow.getHandle(workflowId)];
    await waits(careful);
    const { evidence } = stack.market.stores;
    expect((await evidence.bars(careful)).map(({ timeframe }) => timeframe)).toEqual(['daily']);
    expect(await evidence.charts(careful)).toEqual([]);
    const [proposal] = await evidence.risk(careful);
    expect(proposal?.verdict.checks).toContainEqual(
      expect.objectContaining({ code: 'TIMEFRAMES_AGREE', passed: true }),
    );
  });

  it('may give advice only: a run decides, is weighed, and sends nothing', async () => {
    const steps = [
      'openRun',
      'resolveContract',
      'fetchBars',
      'renderChart',
      'analyze',
      'decide',
      'evaluateRisk',
    ];
    const advice = file('advice.json', {
      id: 'daily-only',
      steps: [...steps, 'closeRun'],
      timeframes: ['daily'],
    });
    const changed = await asTrader('workflows', 'change', 'daily-only', '--file', advice);
    expect(changed.text).toMatch(/^Stored version 2 of the workflow daily-only; /);
    const settings = { symbols: ['AAPL'], analyst: 'rules', workflowId: 'daily-only' };
    await asTrader('strategies', 'create', '--file', file('adviser.json', { name: 'Adviser', settings }));

    const { runId, workflowId } = await asApi().execute('adviser', 'AAPL');
    adviser = runId;
    const result = (await stack.client.workflow.getHandle(workflowId).result()) as RunResult;
    expect(result).toMatchObject({ status: 'ended', outcome: 'NOT_SENT', code: 'ADVICE_ONLY', order: null });
    expect(result.message).toMatch(
      /^the workflow daily-only gives advice and sends no order: it would buy \d+$/,
    );
    const { runs, intents, evidence } = stack.market.stores;
    expect(await runs.get(adviser)).toMatchObject({ definitionId: 'daily-only', definitionVersion: 2 });
    expect(await intents.byRun(adviser)).toBeNull();
    expect((await evidence.charts(adviser)).map(({ timeframe }) => timeframe)).toEqual(['daily']);
    expect(stack.ledger().filter(({ type }) => type === 'order')).toEqual([]);
    expect((await verified(adviser)).text).toMatch(/^Verified: all \d+ checks hold\.$/m);
  });

  it('bounds what its runs risk: half as much here as without its limit', async () => {
    const limitOf = async (runId: string): Promise<number> => {
      const [proposal] = await stack.market.stores.evidence.risk(runId);
      return Number(proposal?.verdict.checks.find(({ code }) => code === 'RISK_PER_TRADE')?.limit);
    };
    expect((await limitOf(careful)) * 2).toBe(await limitOf(adviser));
  });

  it('is kept in its version by a run in flight, whatever becomes of definition and strategy', async () => {
    const moved = await asTrader(
      'strategies',
      ...['change', 'careful-aapl', '--file', 'docs/workflows/careful-aapl.yaml'],
    );
    expect(moved.text).toMatch(/^Stored version 2 of the strategy careful-aapl: /);
    expect(await stack.drive(waiting)).toMatchObject({ outcome: 'FILLED' });
    const { runs, strategies } = stack.market.stores;
    expect((await strategies.get('careful-aapl'))?.settings.workflowVersion).toBe(2);
    expect(await runs.get(careful)).toMatchObject({
      strategyVersion: 1,
      definitionId: 'daily-only',
      definitionVersion: 1,
    });
    const taken = (await runs.steps(careful)).map(({ name }) => name);
    expect(taken).not.toContain('renderChart daily');
    expect(taken).toContain('orderLifecycle');
  });

  it('is what `keel verify` computes the run from again, in the stored version', async () => {
    const { code, text } = await verified(careful);
    expect(text).toMatch(/✓ workflow daily-only has its version 1$/m);
    expect(text).toMatch(/✓ admission weighed the scores that its workflow definition asks for$/m);
    expect(text).toMatch(/^Verified: all \d+ checks hold\.$/m);
    expect(code).toBe(0);
    const other = await verified(careful, { definition: { id: 'daily-only', version: 2 } });
    expect(other.code).toBe(1);
    expect(other.text).toMatch(/✗ workflow definition is that of the database/);
  });

  it('stays while strategies or runs name it', async () => {
    const { code, text } = await asTrader('workflows', 'remove', 'daily-only');
    expect([code, text]).toEqual([1, expect.stringMatching(/name a version of daily-only, so it stays/)]);
  });
});
