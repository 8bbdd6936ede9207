// The worker thread that draws charts: takes requests one at a time from the pool in renderer.ts, answers with a PNG.
import { parentPort } from 'node:worker_threads';
import { KeelError } from '../../ports/errors.js';
import { createRender, type Render } from './render.js';
import type { ThreadAnswer, ThreadRequest } from './threadMessages.js';

function failureOf(error: unknown): Extract<ThreadAnswer, { error: unknown }>['error'] {
  if (error instanceof KeelError) {
    const { code, message, errorClass, facts } = error;
    return { code, message, errorClass, facts };
  }
  // The same request would fail the same way: not worth another try.
  const reason = error instanceof Error ? error.message : String(error);
  return {
    code: 'CHART_FAILED',
    message: `The chart could not be drawn: ${reason}`,
    errorClass: 'final',
    facts: {},
  };
}

async function answer(render: Render, { id, request }: ThreadRequest): Promise<ThreadAnswer> {
  try {
    return { id, chart: await render(request) };
  } catch (error) {
    return { id, error: failureOf(error) };
  }
}

const port = parentPort;
if (port === null) throw new Error('renderThread.js is started by createChartRenderer, as a worker thread');
const render = createRender();
port.on('message', (message: ThreadRequest) => {
  void answer(render, message).then((reply) => {
    port.postMessage(reply);
  });
});
