// GET /api/v1/runs/{id}/progress: a run's progress as server-sent events. Mounted by api/app.ts.
import type { Response } from 'express';
import { Router } from 'express';
import type { ProgressDeps, ProgressEvent } from '../services/progress.js';
import { followRun } from '../services/progress.js';
import { KeelError } from '../../ports/errors.js';
import { viewerOf } from '../services/principal.js';
import { principalOf } from './access.js';
import { onlyMethods, pathParameter } from './http.js';

export interface ProgressRouteDeps extends ProgressDeps {
  /** Milliseconds between two looks at a run, and between two signs of life. */
  readonly progressPollMs: number;
  readonly progressHeartbeatMs: number;
  /** Streams that one user may have open at once, in this process. */
  readonly streamsPerUser: number;
  /** Aborts when the process stops. */
  readonly stopping: AbortSignal;
}

const text = (event: ProgressEvent): string =>
  event.kind === 'heartbeat'
    ? ': alive\n\n'
    : `event: ${event.kind}\ndata: ${JSON.stringify(event.progress)}\n\n`;

/** Writes and, when the client reads slower than we write, waits for it. */
async function write(response: Response, data: string, signal: AbortSignal): Promise<void> {
  if (response.write(data) || signal.aborted) return;
  await new Promise<void>((resolve) => {
    response.once('drain', resolve);
    signal.addEventListener('abort', () => {
      resolve();
    });
  });
}

/** Counts a user's open streams; each is given back when its answer is over, however that came. */
function createStreamCount(most: number) {
  const open = new Map<string, number>();
  return (userId: string, response: Response): void => {
    const count = open.get(userId) ?? 0;
    if (count >= most) {
      throw new KeelError(
        'TOO_MANY_STREAMS',
        `You follow ${String(count)} runs at once, as many as are possible; close one of those streams.`,
        { facts: { retryAfterSeconds: 5 } },
      );
    }
    open.set(userId, count + 1);
    response.on('close', () => {
      const left = (open.get(userId) ?? 1) - 1;
      if (left > 0) open.set(userId, left);
      else open.delete(userId);
    });
  };
}

export function progressRoutes(deps: ProgressRouteDeps): Router {
  const router = Router();
  const takeStream = createStreamCount(deps.streamsPerUser);
  router
    .route('/api/v1/runs/:id/progress')
    .get(async (request, response) => {
      takeStream(principalOf(response).user.id, response);
      const gone = new AbortController();
      response.on('close', () => {
        gone.abort();
      });
      const signal = AbortSignal.any([gone.signal, deps.stopping]);
      const events = followRun(deps, pathParameter(request, 'id'), {
        viewer: viewerOf(principalOf(response)),
        pollMs: deps.progressPollMs,
        heartbeatMs: deps.progressHeartbeatMs,
        signal,
      });
      for await (const event of events) {
        // Only now: an error before the first event is an ordinary answer.
        if (!response.headersSent) {
          response.writeHead(200, { 'Content-Type': 'text/event-stream', 'X-Accel-Buffering': 'no' });
        }
        await write(response, text(event), signal);
      }
      response.end();
    })
    .all(onlyMethods('GET'));
  return router;
}
