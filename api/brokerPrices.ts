// The broker as a source of prices for the API, which does not speak to it: a worker is asked by a short workflow, and
// many who ask for one symbol share it. Made by api/main.ts.
import type { Client } from '@temporalio/client';
import { WorkflowFailedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { z } from 'zod';
import { createSilence } from '../adapters/prices/silence.js';
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

export function createWorkerPrices(options: WorkerPricesOptions): PriceSource {
  const silence = createSilence();
  return {
    name: 'broker',
    price: async (symbol) => {
      const silent = silence.begin();
      try {
        const price = await askWorker(options, symbol);
        silence.heard();
        return price;
      } catch (error) {
        const failure = answerOf(error);
        if (failure !== null) silence.heard();
        throw failureOf(symbol, error, failure, silent());
      }
    },
  };
}

function askWorker(
  { client, mode, clock, timeoutMs }: WorkerPricesOptions,
  symbol: string,
): Promise<SourcePrice> {
  const deadline = clock.now() + timeoutMs + 2 * wayMs;
  const args: [BrokerPriceInput] = [{ symbol }];
  return client.connection.withDeadline(deadline, () =>
    client.workflow.execute<(input: BrokerPriceInput) => Promise<SourcePrice>>(workflowTypes.brokerPrice, {
      workflowId: brokerPriceWorkflowId(mode, symbol),
      taskQueue: taskQueue(mode),
      args,
      workflowIdConflictPolicy: 'USE_EXISTING',
      workflowExecutionTimeout: timeoutMs + wayMs,
      staticSummary: `the broker's price of ${symbol}, for the API`,
    }),
  );
}

const restSchema = z.object({ restMs: z.number().positive() });

/** What a worker has thrown; null where none has answered. */
function answerOf(error: unknown): ApplicationFailure | null {
  const activity = error instanceof WorkflowFailedError ? error.cause : undefined;
  const failure = activity?.cause;
  return failure instanceof ApplicationFailure ? failure : null;
}

/**
 * What the worker's source threw, as it threw it; all else is a price that no worker has brought.
 * @param silent no worker has answered anybody meanwhile: they are away, for every symbol
 */
function failureOf(
  symbol: string,
  error: unknown,
  failure: ApplicationFailure | null,
  silent: boolean,
): KeelError {
  if (!failure?.type?.startsWith('PRICE_')) {
    const words = `The broker: no worker has brought its price of ${symbol}; see that one runs.`;
    const facts = { symbol, ...(silent && { restMs: sourceAwayMs }) };
    return new KeelError('PRICE_AWAY', words, { errorClass: 'retryable', facts, cause: error });
  }
  const rest = restSchema.safeParse(failure.details?.[0]);
  return new KeelError(failure.type, failure.message, {
    errorClass: failure.nonRetryable === true ? 'final' : 'retryable',
    facts: { symbol, ...(rest.success && { restMs: rest.data.restMs }) },
  });
}
