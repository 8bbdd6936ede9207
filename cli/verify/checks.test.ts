import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createCheckList } from './checks.js';
import { readLedger } from './ledger.js';

describe('a check list', () => {
  it('takes decimal strings for the numbers they are, exactly', () => {
    const list = createCheckList();
    list.same('spelling', { price: '93.30' }, { price: '93.3', other: undefined });
    list.same('value', '93.30', '93.31');
    list.same('far digits', '0.10000000000000000001', '0.1');
    list.same('null is not nothing', { a: null }, {});
    expect(list.checks.map(({ ok }) => ok)).toEqual([true, false, false, false]);
  });

  it('goes on after a check that throws', async () => {
    const list = createCheckList();
    expect(await list.attempt('broken', () => Promise.reject(new Error('why')))).toBeNull();
    expect(list.checks).toEqual([{ what: 'broken', ok: false, problem: 'why' }]);
  });
});

describe('readLedger', () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'keel-ledger-'));
  });
  afterEach(() => {
    rmSync(directory, { recursive: true });
  });
  const ledger = (text: string): string => {
    const file = join(directory, 'ledger.jsonl');
    writeFileSync(file, text);
    return file;
  };
  const account = (seq: number, left: number): string =>
    `${JSON.stringify({ seq, left, type: 'account', account: `DU${String(seq)}`, cash: '1' })}\n`;

  it('counts whole writes only', () => {
    const file = ledger(`${account(1, 0)}${account(2, 1)}{"seq":3,"le`);
    expect(readLedger(file).accounts).toEqual(['DU1']);
  });

  it('names the line that is damaged or missing', () => {
    expect(() => readLedger(ledger(`${account(1, 0)}nonsense\n`))).toThrow(/line 2 is no JSON/);
    expect(() => readLedger(ledger(account(2, 0)))).toThrow(/line 1 has number 2/);
  });
});
