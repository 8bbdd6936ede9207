// Every recorded history replays on the workflows as they are now: a change that would break an open run fails here.
// How histories are recorded: scripts/record-histories.mjs.
import { fileURLToPath } from 'node:url';
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import { beforeAll, describe, expect, it } from 'vitest';
import { workflowTypes } from '../contracts/wire/names.js';
import { figuresOf, recordedHistories } from './support/histories.js';

const bundle = fileURLToPath(new URL('../dist/workflows/bundle.js', import.meta.url));
const histories = recordedHistories();

beforeAll(() => {
  Runtime.install({ logger: new DefaultLogger('ERROR') });
});

describe('the recorded histories', () => {
  it('replay on the workflows as they are', async () => {
    const results = Worker.runReplayHistories(
      { workflowBundle: { codePath: bundle } },
      histories.map(({ name, history }) => ({ workflowId: name, history })),
    );
    const broken: string[] = [];
    let replayed = 0;
    for await (const { workflowId, error } of results) {
      replayed += 1;
      if (error !== undefined) broken.push(`${workflowId}: ${error.message}`);
    }
    expect(broken).toEqual([]);
    expect(replayed).toBe(histories.length);
  });

  it.each(Object.values(workflowTypes))('hold one of %s at least', (workflowType) => {
    expect(histories.filter((recorded) => recorded.workflowType === workflowType)).not.toEqual([]);
  });

  it('are of the workflow that their name says', () => {
    for (const { name, workflowType, history } of histories) {
      const started = history.events?.[0]?.workflowExecutionStartedEventAttributes;
      expect([name, started?.workflowType?.name]).toEqual([name, workflowType]);
    }
  });

  it('hold every way a run and an order can end here', () => {
    const results = histories.map(({ text }) => plainText(text));
    const ends = ['FILLED', 'HOLD', 'NOTHING_TO_SELL', 'REFUSED', 'CANCELLED', 'SENT_NOT_FOUND_EXPIRED'];
    for (const end of ends)
      expect(results.filter((text) => text.includes(`"outcome":"${end}"`)).length, end).toBeGreaterThan(0);
    for (const code of ['TOO_FEW_BARS', 'UNKNOWN_SYMBOL', 'LIFECYCLE_LOST'])
      expect(results.filter((text) => text.includes(code)).length, code).toBeGreaterThan(0);
  });

  it.each(histories)('$name: under 100 events and 128 KB, payloads of at most 64 KB', ({ history, text }) => {
    const { events, largestPayloadBytes } = figuresOf(history);
    expect(events).toBeLessThan(100);
    expect(text.length).toBeLessThan(128 * 1024);
    expect(largestPayloadBytes).toBeLessThanOrEqual(64 * 1024);
  });

  it.each(histories)('$name: names no machine, no folder and no secret', ({ text }) => {
    const plain = plainText(text);
    expect(plain).not.toMatch(/\/(root|home|tmp|work|var|usr)\/|[A-Za-z]:\\\\|file:\/\//);
    expect(plain).not.toMatch(/\d+@[\w.-]+|localhost|127\.0\.0\.1/);
    expect(plain).not.toMatch(/authorization|bearer|cookie|password|secret|a-token-for-tests/i);
  });
});

/** Payloads stand in a file as base64; what is in them is text. */
const plainText = (text: string): string =>
  text.replace(/"data":"([^"]*)"/g, (_whole, data: string) => Buffer.from(data, 'base64').toString('utf8'));
