// The audit trail as a chain of hashes, on the real PostgreSQL: it grows without a fork, and tells where it was changed.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { auditCommand } from '../cli/commands/audit.js';
import type { AuditPage, AuditQuery } from '../ports/audit.js';
import { checkAudit } from '../db/auditChain.js';
import { connect } from '../db/connect.js';
import type { Database } from '../db/connect.js';
import { createStores } from '../db/stores.js';
import type { Stores } from '../db/stores.js';
import { startTestPostgres } from './support/postgres.js';
import type { TestPostgres } from './support/postgres.js';

let server: TestPostgres;
let db: Database;
let others: Database;
let stores: Stores;
/** Two hundred rows wait for each other: the last one of a pool waits for its connection as long as all others take. */
const limits = { poolSize: 10, connectTimeoutMs: 60_000, statementTimeoutMs: 20_000, lockTimeoutMs: 20_000 };

beforeAll(async () => {
  server = await startTestPostgres();
  db = connect({ url: server.url, ...limits });
  others = connect({ url: server.url, ...limits });
  stores = createStores(db, 'simulated');
});

afterAll(async () => {
  await db.close();
  await others.close();
  await server.stop();
});

const append = (on: Stores, count: number, facts: Record<string, unknown> = {}) =>
  on.audit.append({ actor: 'tester', action: 'test', subject: `row ${String(count)}`, facts });

/** What `keel audit verify` says, and its exit code. */
async function verify(...args: string[]): Promise<{ code: number; words: string }> {
  const lines: string[] = [];
  const say = (line: string): void => void lines.push(line);
  const code = await auditCommand(['verify', ...args], say, say, () => server.url);
  return { code, words: lines.join('\n') };
}

/** What `keel audit list` says. */
async function list(...args: string[]): Promise<string[]> {
  const lines: string[] = [];
  const say = (line: string): void => void lines.push(line);
  expect(await auditCommand(['list', ...args], say, say, () => server.url)).toBe(0);
  return lines;
}

/** Does what only the owner of the database can do, and takes it back. */
async function tampered(sql: string): Promise<string | null> {
  const client = await db.pool.connect();
  try {
    await client.query('begin; alter table audit disable trigger user');
    await client.query(sql);
    await client.query('alter table audit enable trigger user; commit');
    return (await checkAudit(db)).fault;
  } finally {
    client.release();
  }
}

describe('the audit trail', () => {
  it('is whole while it is empty', async () => {
    expect(await verify()).toEqual({
      code: 0,
      words: `The audit trail is whole. It ends at 0:${'0'.repeat(64)}`,
    });
  });

  it('makes one chain of what two processes write at once, whatever text is in it', async () => {
    const texts = [`quotes "' \\ 12:ab`, 'Größe 密码 🔑', 'line\nbreak\ttab', ''];
    const second = createStores(others, 'simulated');
    await Promise.all(
      Array.from({ length: 200 }, (_, count) =>
        append(count % 2 === 0 ? stores : second, count, {
          text: texts[count % 4],
          n: count / 3,
          deep: { b: [1, null] },
        }),
      ),
    );
    const { head, fault } = await checkAudit(db);
    expect([fault, head.position]).toEqual([null, 200]);
    const { rows } = await db.pool.query(
      'select count(distinct previous_hash)::int as n, min(position)::int as a from audit',
    );
    expect(rows).toEqual([{ n: 200, a: 1 }]);
  });

  it('takes back with a transaction what it wrote, and leaves no hole', async () => {
    const client = await db.pool.connect();
    await client.query('begin');
    await client.query(
      `insert into audit (mode, actor, action, subject, facts) values ('simulated', 'x', 'x', 'x', '{}')`,
    );
    await client.query('rollback');
    client.release();
    await append(stores, 201);
    expect(await checkAudit(db)).toMatchObject({ fault: null, head: { position: 201 } });
  });

  it('takes no position or hash from one who writes', async () => {
    const forged = 'f'.repeat(64);
    await db.pool.query(
      `insert into audit (mode, actor, action, subject, facts, position, previous_hash, hash)
       values ('simulated', 'forger', 'x', 'x', '{}', 9, $1, $1)`,
      [forged],
    );
    expect(await checkAudit(db)).toMatchObject({ fault: null, head: { position: 202 } });
  });

  it('goes through an end that was noted, and shows when its end was cut off', async () => {
    const { head } = await checkAudit(db);
    const noted = `${String(head.position)}:${head.hash}`;
    await append(stores, 203);
    expect((await verify('--from', noted)).code).toBe(0);
    expect((await verify('--from', `${String(head.position)}:${'0'.repeat(64)}`)).words).toContain(
      'is not the one that was noted',
    );
    expect((await verify('--from', `999:${head.hash}`)).words).toContain(
      'ends at row 203, before the one that was noted',
    );
  });

  it('is listed newest first, page by page, without a row twice or missing, by actor and by action', async () => {
    const query = { before: null, actor: null, action: null, limit: 50 };
    const positions: number[] = [];
    let before: number | null = null;
    do {
      const page: AuditPage = await stores.audit.list({ ...query, before });
      positions.push(...page.entries.map(({ position }) => position));
      // What is written meanwhile moves no page.
      if (positions.length < 200) await append(stores, 300 + positions.length);
      before = page.next;
    } while (before !== null);
    expect(positions).toEqual(Array.from({ length: positions[0] ?? 0 }, (_, n) => (positions[0] ?? 0) - n));
    expect(positions.at(-1)).toBe(1);
    await stores.audit.append({
      actor: 'user:ann/key:abcdefgh',
      action: 'a.b',
      subject: 's',
      facts: { n: 1 },
    });
    await stores.audit.append({ actor: 'user:ann', action: 'c.d', subject: 's', facts: {} });
    await stores.audit.append({ actor: 'user:anna', action: 'a.b', subject: 's', facts: {} });
    const found = async (more: Partial<AuditQuery>) =>
      (await stores.audit.list({ ...query, ...more })).entries.map(
        ({ actor, action }) => `${actor} ${action}`,
      );
    expect(await found({ actor: 'user:ann' })).toEqual(['user:ann c.d', 'user:ann/key:abcdefgh a.b']);
    expect(await found({ actor: 'user:ann', action: 'a.b' })).toEqual(['user:ann/key:abcdefgh a.b']);
    expect(await found({ actor: "user:'; drop table audit" })).toEqual([]);
    const [, first = '', last = ''] = await list('--action', 'a.b', '--limit', '2');
    expect(first).toMatch(/^\d+ +\d{4}-\d\d-\d\dT\S+Z +user:anna +a\.b +s +\{\}$/);
    expect(last).toContain('user:ann/key:abcdefgh');
    const json = JSON.parse(
      (await list('--actor', 'user:ann', '--limit', '1', '--json')).join(''),
    ) as AuditPage;
    expect(json).toMatchObject({
      entries: [{ actor: 'user:ann', action: 'c.d' }],
      next: json.entries[0]?.position,
    });
    const older = await list('--actor', 'user:ann', '--before', String(json.next));
    expect(older).toHaveLength(2);
  });

  it('shows in a terminal what somebody wrote, and obeys none of it', async () => {
    await append(stores, 400, { text: 'x' });
    await stores.audit.append({ actor: 'user:\u001b[2Jeve', action: 'z', subject: 'a\nb', facts: {} });
    const said = await list('--action', 'z');
    expect(said).toHaveLength(2);
    expect(said[1]).toContain('user: [2Jeve');
  });

  it.each([
    [['list', '--from', '1'], 'audit list takes no --from'],
    [['verify', '--json'], 'audit verify takes no --json'],
    [['list', '--limit', '0'], '--limit 0: a whole number from 1 to 500'],
    [['list', '--before', '-1'], '--before'],
    [['list', 'more'], 'audit list takes nothing more'],
  ])('refuses %j', async (args, words) => {
    const say = (): void => undefined;
    await expect(auditCommand(args, say, say, () => server.url)).rejects.toThrow(words);
  });

  it.each([
    ['a changed actor', `update audit set actor = 'nobody' where position = 50`, /row 50 was changed/],
    [
      'changed facts',
      `update audit set facts = facts || '{"n": 7}' where position = 49`,
      /row 49 was changed/,
    ],
    [
      'a changed time',
      `update audit set at = at + interval '1 ms' where position = 48`,
      /row 48 was changed/,
    ],
    [
      'a row with a new hash of its own',
      `update audit set subject = 'x' where position = 40;
       update audit set hash = audit_hash(previous_hash, position, at, mode, actor, action, subject, facts) where position = 40`,
      /row 41 does not follow/,
    ],
    ['a row that was taken out', 'delete from audit where position = 30', /row 30 is missing/],
    ['a first row that was taken out', 'delete from audit where position = 1', /row 1 is missing/],
  ])('shows %s', async (_what, sql, words) => {
    expect(await tampered(sql)).toMatch(words);
    const { code, words: said } = await verify();
    expect(code).toBe(1);
    expect(said).toMatch(words);
  });

  it('is chained over rows that were there before, in their order', async () => {
    const migration = (name: string): string =>
      readFileSync(path.join(import.meta.dirname, '../db/migrations', name), 'utf8');
    await db.pool.query(migration('0012_audit_chain.down.sql'));
    await db.pool.query(migration('0012_audit_chain.sql'));
    expect((await checkAudit(others)).fault).toBeNull();
    expect((await verify()).code).toBe(0);
  });
});
