// What the API makes of a worker that does not bring a price. The way through a real Temporal is in tests/platform.test.ts.
import { WorkflowFailedError, type Client } from '@temporalio/client';
import { ActivityFailure, ApplicationFailure, RetryState, TimeoutFailure } from '@temporalio/common';
import { describe, expect, it } from 'vitest';
import type { SourcePrice } from '../contracts/wire/price.js';
import type { KeelError } from '../ports/errors.js';
import { createWorkerPrices } from './brokerPrices.js';

const price: SourcePrice = {
  ...{ symbol: 'AAPL', price: '95.97', currency: 'USD', at: '2014-07-07T20:00:00.000Z' },
  ...{ previousClose: null, volume: null, marketCap: null },
};

/** The worker's answer, which the test gives when it likes. */
function worker() {
  const asked: { answer: (with_: SourcePrice) => void; fail: (error: Error) => void }[] = [];
  const client = {
    connection: { withDeadline: (_deadline: number, work: () => Promise<unknown>) => work() },
    workflow: {
      execute: () =>
        new Promise<SourcePrice>((answer, fail) => {
          asked.push({ answer, fail });
        }),
    },
  } as unknown as Client;
  const source = createWorkerPrices({ client, mode: 'paper', clock: { now: () => 0 }, timeoutMs: 5000 });
  const factsOf = (symbol: string): Promise<unknown> =>
    source.price(symbol).catch((error: unknown) => (error as KeelError).facts);
  return { asked, factsOf };
}

const failed = (cause: Error): WorkflowFailedError =>
  new WorkflowFailedError('Workflow execution failed', cause, RetryState.TIMEOUT);
const late = (): WorkflowFailedError => failed(new TimeoutFailure('too late', undefined, 'START_TO_CLOSE'));
const thrown = (type: string): WorkflowFailedError =>
  failed(
    new ActivityFailure(
      'Activity failed',
      'brokerPrice',
      '1',
      RetryState.MAXIMUM_ATTEMPTS_REACHED,
      'worker',
      ApplicationFailure.create({ type, message: type }),
    ),
  );

describe('the broker, asked through a worker', () => {
  it('is left alone for every symbol where no worker has answered anybody', async () => {
    const { asked, factsOf } = worker();
    const facts = factsOf('AAPL');
    asked[0]?.fail(late());
    expect(await facts).toEqual({ symbol: 'AAPL', restMs: 10_000 });
  });

  it.each([
    [
      'brings another price',
      (each: ReturnType<typeof worker>['asked'][number]) => {
        each.answer(price);
      },
    ],
    [
      'refuses another one',
      (each: ReturnType<typeof worker>['asked'][number]) => {
        each.fail(thrown('PRICE_HALTED'));
      },
    ],
  ])('is not left alone where a worker %s meanwhile', async (_what, end) => {
    const { asked, factsOf } = worker();
    const [slow, other] = [factsOf('SLOW'), factsOf('AAPL')];
    asked.slice(1).forEach(end);
    await other;
    asked[0]?.fail(late());
    expect(await slow).toEqual({ symbol: 'SLOW' });
  });

  it('is not left alone for a symbol that trips the worker up', async () => {
    const { asked, factsOf } = worker();
    const facts = factsOf('ODD');
    asked[0]?.fail(thrown('UNEXPECTED'));
    expect(await facts).toEqual({ symbol: 'ODD' });
  });
});
