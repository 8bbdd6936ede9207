import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createRedact } from '../../domain/redaction/redact.js';
import { KeelError } from '../../ports/errors.js';
import { createErrorReports } from './errorReports.js';

interface Received {
  readonly url: string;
  readonly auth: string;
  readonly body: string;
}

/** The far side: what an error tracker's ingest does with an envelope. */
let server: Server;
let received: Received[];

beforeEach(async () => {
  received = [];
  server = createServer((request, response) => {
    void text(request).then((body) => {
      received.push({ url: request.url ?? '', auth: String(request.headers['x-sentry-auth']), body });
      response.writeHead(200, { 'Content-Type': 'application/json' }).end('{}');
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
});

afterEach(() => {
  server.close();
  server.closeAllConnections();
});

const reportsTo = (change: object = {}) =>
  createErrorReports({
    dsn: `http://publickey@127.0.0.1:${String((server.address() as AddressInfo).port)}/sub/42`,
    role: 'worker',
    environment: 'testing',
    release: '0.1.0',
    redact: createRedact(['hunter2-hunter2']),
    clock: { now: () => Date.parse('2026-01-02T03:04:05.000Z') },
    ...change,
  });

/** Header, item header, event. */
const linesOf = (body: string): readonly Record<string, unknown>[] =>
  body
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>);

describe('createErrorReports', () => {
  it('sends one envelope of three lines with the chain of causes, and no secret', async () => {
    const reports = reportsTo();
    const cause = new Error('connect postgres://keel:other-pass@db/keel with hunter2-hunter2 failed');
    reports.report(new KeelError('ODD', 'nobody expected this', { cause }), { runId: 'demo-1' });
    await reports.flush();
    expect(received).toHaveLength(1);
    const [{ url, auth, body } = { url: '', auth: '', body: '' }] = received;
    expect(url).toBe('/sub/api/42/envelope/');
    expect(auth).toMatch(/sentry_version=7, .*sentry_key=publickey/);
    const [header, item, event] = linesOf(body);
    expect(header?.['event_id']).toMatch(/^[0-9a-f]{32}$/);
    expect(item).toMatchObject({ type: 'event' });
    expect(event).toMatchObject({
      event_id: header?.['event_id'],
      timestamp: '2026-01-02T03:04:05.000Z',
      level: 'error',
      release: 'keel@0.1.0',
      tags: { runId: 'demo-1', code: 'ODD' },
      exception: { values: [{ type: 'Error' }, { type: 'KeelError', value: 'nobody expected this' }] },
    });
    expect(body).not.toMatch(/hunter2|other-pass/);
  });

  it('stops after thirty in a minute', async () => {
    const reports = reportsTo();
    for (let count = 0; count < 50; count += 1) reports.report(new Error('storm'), {});
    await reports.flush();
    expect(received).toHaveLength(30);
  });

  it('says nothing when the tracker is away, and nothing without a DSN', async () => {
    const away = reportsTo({ dsn: 'http://key@127.0.0.1:1/1' });
    away.report(new Error('lost'), {});
    await away.flush();
    const off = reportsTo({ dsn: '' });
    off.report(new Error('off'), {});
    await off.flush();
    expect(received).toEqual([]);
  });

  it('refuses a DSN that is none, without showing it', () => {
    expect(() => reportsTo({ dsn: 'https://secret-thing/nowhere' })).toThrow(/SENTRY_DSN is no DSN/);
  });
});
