// The chart renderer of servers: a pool of worker threads behind the port. Called by the composition roots.
import { KeelError } from '../../ports/errors.js';
import type { ChartRendererPort, ChartRequest, RenderedChart } from '../../ports/chartRenderer.js';
import { checkRequest } from './request.js';
import { startThread, type Thread } from './thread.js';

interface Job {
  readonly request: ChartRequest;
  readonly resolve: (chart: RenderedChart) => void;
  readonly reject: (error: Error) => void;
}

const closedError = (request: ChartRequest): KeelError =>
  new KeelError(
    'CHART_FAILED',
    `The chart of ${request.symbol} (${request.timeframe}) was not drawn: the chart renderer has been closed.`,
    { errorClass: 'retryable', facts: { symbol: request.symbol, timeframe: request.timeframe } },
  );

/**
 * Draws charts off the main thread. Threads start with the first request, draw one chart at a time, and let the
 * process end while they are idle. Requests beyond the number of threads wait in order.
 *
 * @param options.threadUrl the compiled renderThread.js; beside this file by default.
 * @param options.threads how many charts are drawn at once, 1 by default.
 * @param options.timeoutMs wall milliseconds after which a chart is given up and its thread replaced.
 * @returns a port whose `render` fails with KeelError CHART_INPUT (final: bars that can not be drawn) or CHART_FAILED
 * (retryable when the thread died, took too long or was closed; final when drawing itself failed).
 */
export function createChartRenderer(
  options: { threadUrl?: URL; threads?: number; timeoutMs?: number } = {},
): ChartRendererPort {
  const threadUrl = options.threadUrl ?? new URL('./renderThread.js', import.meta.url);
  const limit = options.threads ?? 1;
  const timeoutMs = options.timeoutMs ?? 30_000;
  if (!Number.isInteger(limit) || limit < 1)
    throw new RangeError(`threads must be a whole number from 1, not ${limit}`);
  const queue: Job[] = [];
  const idle: Thread[] = [];
  const all = new Set<Thread>();
  let closed = false;

  const run = async (thread: Thread, job: Job): Promise<void> => {
    try {
      job.resolve(await thread.draw(job.request));
    } catch (error) {
      job.reject(error instanceof Error ? error : new Error(String(error)));
    }
    if (thread.alive()) idle.push(thread);
    else all.delete(thread);
    next();
  };

  const next = (): void => {
    while (!closed && queue.length > 0 && (idle.length > 0 || all.size < limit)) {
      const job = queue.shift();
      if (job === undefined) return;
      const thread = idle.pop() ?? startThread(threadUrl, timeoutMs);
      // An idle thread may have died since its last chart; the job goes back to the front and meets another.
      if (!thread.alive()) {
        all.delete(thread);
        queue.unshift(job);
        continue;
      }
      all.add(thread);
      void run(thread, job);
    }
  };

  return {
    render: (request) =>
      new Promise((resolve, reject) => {
        checkRequest(request);
        if (closed) {
          reject(closedError(request));
          return;
        }
        queue.push({ request, resolve, reject });
        next();
      }),
    close: async () => {
      closed = true;
      for (const { request, reject } of queue.splice(0)) reject(closedError(request));
      await Promise.all([...all].map((thread) => thread.end()));
    },
  };
}
