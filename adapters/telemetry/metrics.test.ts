import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { Registry } from 'prom-client';
import { expect, it } from 'vitest';
import { serveMetrics, workerMetrics } from './metrics.js';

it('names the port of the metrics that another process has', async () => {
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  const { port } = other.address() as AddressInfo;
  try {
    await expect(serveMetrics({ registry: new Registry(), host: '127.0.0.1', port })).rejects.toMatchObject({
      code: 'METRICS_PORT',
      message: expect.stringMatching(
        new RegExp(`127\\.0\\.0\\.1:${String(port)}: another process has it\\..*KEEL_API_METRICS_PORT`),
      ) as unknown,
    });
  } finally {
    other.close();
  }
});

it('begins the counts that alerts watch at 0, so that the first event is a growth', async () => {
  const registry = new Registry();
  workerMetrics(registry, null);
  const served = await registry.metrics();
  const alerts = readFileSync(new URL('../../deploy/prometheus/alerts.yml', import.meta.url), 'utf8');
  const watched = [...alerts.matchAll(/increase\((keel_\w+)\{(\w+)=~?"([\w|]+)"\}/g)].flatMap(
    ([, name = '', label = '', values = '']) =>
      values.split('|').map((value) => `${name}{${label}="${value}"} 0`),
  );
  expect(watched.length).toBeGreaterThanOrEqual(4);
  expect(served.split('\n')).toEqual(expect.arrayContaining(watched));
});

it('lets an alert see a monitor whose looks all fail: its age is counted from when the worker began', async () => {
  const registry = new Registry();
  const metrics = workerMetrics(registry, 1_000_000);
  metrics.look('kpis', 'failed', 5_000_000);
  metrics.look('prices', 'ok', 5_000_000);
  const served = await registry.metrics();
  expect(served).toContain('keel_monitor_good_look_timestamp_seconds{monitor="kpis"} 1000');
  expect(served).toContain('keel_monitor_good_look_timestamp_seconds{monitor="prices"} 5000');
  const off = new Registry();
  workerMetrics(off, null);
  expect(await off.metrics()).not.toContain('good_look_timestamp_seconds{');
});
