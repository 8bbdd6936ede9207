// The broker as a source of prices for the API, which does not speak to it: a worker is asked by a short workflow, and
// many who ask for one symbol share it. Made by api/main.ts.
import type { Client } from '@temporalio/client';
import { WorkflowFailedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { z } from 'zod';
import { brokerPriceWorkflowId, taskQueue, workflowTypes, type Mode } from '../contracts/wire/names.js';
import type { BrokerPriceInput, SourcePrice } from '../contracts/wire/price.js';
import type { Clock } from '../ports/clocks.js';
import { KeelError } from '../ports/errors.js';
import { sourceAwayMs, type PriceSource } from '../ports/prices.js';

export interface WorkerPricesOptions {
  readonly client: Client;
  readonly mode: Mode;
  readonly clock: Clock;
  /** What the worker has for one price. */
  readonly timeoutMs: number;
}

/** The way through Temporal and back, on top of what the worker has. */
const wayMs = 2000;

export const createWorkerPrices = ({ client, mode, clock, timeoutMs }: WorkerPricesOptions): PriceSource => ({
  name: 'broker',
  price: async (symbol) => {
    const deadline = clock.now() + timeoutMs + 2 * wayMs;
    const args: [BrokerPriceInput] = [{ symbol }];
    try {
      return await client.connection.withDeadline(deadline, () =>
        client.workflow.execute<(input: BrokerPriceInput) => Promise<SourcePrice>>(
          workflowTypes.brokerPrice,
          {
            workflowId: brokerPriceWorkflowId(mode, symbol),
            taskQueue: taskQueue(mode),
            args,
            workflowIdConflictPolicy: 'USE_EXISTING',
            workflowExecutionTimeout: timeoutMs + wayMs,
            staticSummary: `the broker's price of ${symbol}, for the API`,
          },
        ),
      );
    } catch (error) {
      throw failureOf(symbol, error);
    }
  },
});

const restSchema = z.object({ restMs: z.number().positive() });

/** What the worker's source threw, as it threw it; all else is a worker that is away. */
function failureOf(symbol: string, error: unknown): KeelError {
  const activity = error instanceof WorkflowFailedError ? error.cause : undefined;
  const failure = activity?.cause;
  if (!(failure instanceof ApplicationFailure) || !failure.type?.startsWith('PRICE_')) {
    const words = `The broker: no worker has brought its price of ${symbol}; see that one runs.`;
    const facts = { symbol, restMs: sourceAwayMs };
    return new KeelError('PRICE_AWAY', words, { errorClass: 'retryable', facts, cause: error });
  }
  const rest = restSchema.safeParse(failure.details?.[0]);
  return new KeelError(failure.type, failure.message, {
    errorClass: failure.nonRetryable === true ? 'final' : 'retryable',
    facts: { symbol, ...(rest.success && { restMs: rest.data.restMs }) },
  });
}
