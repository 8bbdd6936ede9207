// One worker thread that draws one chart at a time. Called by the pool in renderer.ts.
import { Worker } from 'node:worker_threads';
import { KeelError } from '../../ports/errors.js';
import type { ChartRequest, RenderedChart } from '../../ports/chartRenderer.js';
import type { ThreadAnswer, ThreadRequest } from './threadMessages.js';

export interface Thread {
  /** One call at a time. Rejects with KeelError. */
  draw(request: ChartRequest): Promise<RenderedChart>;
  alive(): boolean;
  end(): Promise<void>;
}

interface Pending {
  readonly id: number;
  readonly request: ChartRequest;
  readonly resolve: (chart: RenderedChart) => void;
  readonly reject: (error: KeelError) => void;
  readonly timer: NodeJS.Timeout;
}

const died = ({ symbol, timeframe }: ChartRequest, why: string, cause: unknown): KeelError =>
  new KeelError('CHART_FAILED', `The chart of ${symbol} (${timeframe}) was not drawn: ${why}.`, {
    errorClass: 'retryable',
    facts: { symbol, timeframe },
    cause,
  });

/** Starts the thread at once; it keeps the process alive only while it draws. */
export function startThread(url: URL, timeoutMs: number): Thread {
  // Without the parent's flags and environment: the thread needs neither, and flags may not suit a thread.
  const worker = new Worker(url, { execArgv: [], env: {}, name: 'keel-chart' });
  worker.unref();
  let pending: Pending | null = null;
  let ended = false;
  let lastId = 0;

  const settle = (finish: (job: Pending) => void): void => {
    const job = pending;
    if (job === null) return;
    pending = null;
    clearTimeout(job.timer);
    worker.unref();
    finish(job);
  };
  const fail = (why: string, cause?: unknown): void => {
    ended = true;
    settle(({ request, reject }) => {
      reject(died(request, why, cause));
    });
  };

  worker.on('message', (answer: ThreadAnswer) => {
    if (answer.id !== pending?.id) return;
    settle(({ resolve, reject }) => {
      if ('chart' in answer) resolve(answer.chart);
      else reject(new KeelError(answer.error.code, answer.error.message, { ...answer.error }));
    });
  });
  worker.on('error', (error) => {
    fail(`its drawing thread failed: ${error instanceof Error ? error.message : String(error)}`, error);
  });
  worker.on('exit', (code) => {
    fail(`its drawing thread ended with code ${code}`);
  });

  return {
    alive: () => !ended,
    draw: (request) =>
      new Promise((resolve, reject) => {
        const timer = setTimeout(() => {
          fail(`it took longer than ${timeoutMs} ms`);
          void worker.terminate();
        }, timeoutMs);
        lastId += 1;
        pending = { id: lastId, request, resolve, reject, timer };
        worker.ref();
        worker.postMessage({ id: lastId, request } satisfies ThreadRequest);
      }),
    end: async () => {
      fail('the chart renderer has been closed');
      await worker.terminate();
    },
  };
}
