// The chart renderer's pool with real threads of the built program.
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import sharp from 'sharp';
import { afterEach, expect, it } from 'vitest';
import { createRender } from '../adapters/charts/render.js';
import { createChartRenderer } from '../adapters/charts/renderer.js';
import { aapl, barsOf, requestOf } from '../adapters/charts/testing/samples.js';
import type { ChartRendererPort } from '../ports/chartRenderer.js';
import { tempFolder } from './support/temp.js';

const built = new URL('../dist/adapters/charts/', import.meta.url);
const threadUrl = new URL('renderThread.js', built);
const open: ChartRendererPort[] = [];

function pool(options: Parameters<typeof createChartRenderer>[0] = {}): ChartRendererPort {
  const renderer = createChartRenderer({ threadUrl, ...options });
  open.push(renderer);
  return renderer;
}

/** A thread of our own making: the far side of the pool's messages. */
function threadOf(source: string): URL {
  const file = path.join(tempFolder('chart-thread').path, 'thread.mjs');
  writeFileSync(file, `import { parentPort } from 'node:worker_threads';\n${source}`);
  return pathToFileURL(file);
}

afterEach(async () => {
  await Promise.all(open.splice(0).map((renderer) => renderer.close()));
});

it('draws in a thread exactly what the drawing function draws', async () => {
  const request = requestOf(aapl());
  const chart = await pool().render(request);
  expect(chart).toMatchObject({ width: 1200, height: 900 });
  expect(await sharp(chart.png).metadata()).toMatchObject({ format: 'png', width: 1200, height: 900 });
  expect(Buffer.compare(chart.png, (await createRender()(request)).png)).toBe(0);
});

it('gives each of many requests its own picture, with one thread and with two', async () => {
  const requests = [30, 60, 90, 120, 150].map((count) => requestOf(aapl().slice(0, count)));
  const render = createRender();
  const expected: Uint8Array[] = [];
  for (const request of requests) expected.push((await render(request)).png);
  for (const threads of [1, 2]) {
    const renderer = pool({ threads });
    const charts = await Promise.all(requests.map((request) => renderer.render(request)));
    for (const [at, { png }] of charts.entries())
      expect(Buffer.compare(png, expected[at] ?? new Uint8Array())).toBe(0);
  }
});

it('leaves the main thread free while it draws', async () => {
  const renderer = pool();
  await renderer.render(requestOf(aapl()));
  const { performance } = await import('node:perf_hooks');
  const before = performance.eventLoopUtilization();
  for (let count = 0; count < 5; count += 1) await renderer.render(requestOf(aapl()));
  expect(performance.eventLoopUtilization(before).utilization).toBeLessThan(0.5);
});

it('refuses bars that can not be drawn and goes on', async () => {
  const renderer = pool();
  await expect(renderer.render(requestOf([]))).rejects.toMatchObject({
    code: 'CHART_INPUT',
    errorClass: 'final',
  });
  const request = requestOf(aapl());
  const wrong = { ...request, indicators: { ...request.indicators, rsi: 0 } };
  await expect(renderer.render(wrong)).rejects.toMatchObject({
    name: 'KeelError',
    code: 'CHART_INPUT',
    errorClass: 'final',
    facts: { symbol: 'AAPL', timeframe: 'daily' },
  });
  await expect(renderer.render(requestOf(barsOf([1, 2])))).resolves.toMatchObject({ width: 1200 });
});

it('rejects the request of a thread that dies, replaces the thread and draws the next', async () => {
  // Dies on the first request of each thread whose symbol says so; answers the others.
  const renderer = pool({
    threadUrl: threadOf(`parentPort.on('message', ({ id, request }) => {
      if (request.symbol === 'DIE') process.exit(7);
      parentPort.postMessage({ id, chart: { png: new Uint8Array([id]), width: 1, height: 1 } });
    });`),
  });
  const bars = aapl();
  const [first, dead, last] = await Promise.allSettled(
    ['AAPL', 'DIE', 'AAPL'].map((symbol) => renderer.render(requestOf(bars, { symbol }))),
  );
  expect(first).toMatchObject({ status: 'fulfilled' });
  expect(dead).toMatchObject({
    status: 'rejected',
    reason: { code: 'CHART_FAILED', errorClass: 'retryable', facts: { symbol: 'DIE', timeframe: 'daily' } },
  });
  // Message ids begin anew in a new thread.
  expect(last).toMatchObject({ status: 'fulfilled', value: { png: new Uint8Array([1]) } });
});

it('survives a thread that died while it was idle', async () => {
  const renderer = pool({
    threadUrl: threadOf(`parentPort.on('message', ({ id }) => {
      parentPort.postMessage({ id, chart: { png: new Uint8Array([id]), width: 1, height: 1 } });
      setImmediate(() => process.exit(0));
    });`),
  });
  for (let count = 0; count < 3; count += 1) {
    const outcome = await renderer.render(requestOf(aapl())).catch((error: unknown) => error);
    // Whether the exit was seen before the next request or during it, the answer is a chart or worth another try.
    if (outcome instanceof Error)
      expect(outcome).toMatchObject({ code: 'CHART_FAILED', errorClass: 'retryable' });
    else expect(outcome).toMatchObject({ width: 1 });
  }
});

it('gives up a chart that takes too long, and draws the next in a new thread', async () => {
  const renderer = pool({
    timeoutMs: 8000,
    threadUrl: threadOf(`parentPort.on('message', ({ id, request }) => {
      if (request.symbol === 'SLOW') for (;;);
      parentPort.postMessage({ id, chart: { png: new Uint8Array([id]), width: 1, height: 1 } });
    });`),
  });
  const slow = renderer.render(requestOf(aapl(), { symbol: 'SLOW' }));
  const next = renderer.render(requestOf(aapl())).catch((error: unknown) => error);
  await expect(slow).rejects.toMatchObject({ code: 'CHART_FAILED', errorClass: 'retryable' });
  await expect(slow).rejects.toThrow(/longer than 8000 ms/);
  expect(await next).toMatchObject({ width: 1 });
});

it('says which thread file is missing', async () => {
  const renderer = pool({ threadUrl: new URL('missing.js', built) });
  await expect(renderer.render(requestOf(aapl()))).rejects.toThrow(/missing\.js/);
});

it('rejects what waits and what comes when it is closed', async () => {
  const renderer = pool();
  const waiting = Promise.allSettled([1, 2, 3].map(() => renderer.render(requestOf(aapl()))));
  await renderer.close();
  for (const outcome of await waiting)
    expect(outcome).toMatchObject({
      status: 'rejected',
      reason: { code: 'CHART_FAILED', errorClass: 'retryable' },
    });
  await expect(renderer.render(requestOf(aapl()))).rejects.toMatchObject({ code: 'CHART_FAILED' });
  await renderer.close();
});

it('lets the process end while its thread is idle and nobody has closed it, but not before the chart is drawn', async () => {
  const script = `
    const { createChartRenderer } = await import(${JSON.stringify(new URL('renderer.js', built).href)});
    const { requestOf, aapl } = await import(${JSON.stringify(new URL('testing/samples.js', built).href)});
    const { png } = await createChartRenderer().render(requestOf(aapl()));
    console.log(png.byteLength);`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script], {
    timeout: 60_000,
    cwd: fileURLToPath(new URL('..', import.meta.url)),
  });
  expect(Number(stdout)).toBeGreaterThan(10_000);
});
