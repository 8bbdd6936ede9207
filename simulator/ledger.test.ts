import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ExchangeEvent } from './exchange/types.js';
import { openLedger } from './ledger.js';
import { summed } from './ledgerSum.js';

const clock = { now: () => Date.parse('2026-01-02T03:04:05.678Z') };
const at = '2014-07-07T13:30:00.000Z';
const step = (number: number): ExchangeEvent => ({ type: 'step', at, step: number });
let directory = '';
let file = '';

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'keel-ledger-'));
  file = join(directory, 'ledger.jsonl');
});
afterEach(() => {
  rmSync(directory, { recursive: true });
});

function write(...batches: readonly ExchangeEvent[][]): void {
  const ledger = openLedger(file, clock, () => undefined);
  for (const batch of batches) ledger.append(batch);
  ledger.close();
}

function read(): { events: readonly ExchangeEvent[]; lines: number; cutBytes: number } {
  const events: ExchangeEvent[] = [];
  const { lines, cutBytes, close } = openLedger(file, clock, (event) => events.push(event));
  close();
  return { events, lines, cutBytes };
}

describe('the ledger', () => {
  it('gives back what was appended, and counts its lines', () => {
    write([step(1), step(2)], [step(3)]);
    expect(read()).toMatchObject({ events: [step(1), step(2), step(3)], lines: 3, cutBytes: 0 });
    const lines = readFileSync(file, 'utf8').trim().split('\n');
    expect(lines.map((line) => JSON.parse(line) as unknown)).toMatchObject([
      { seq: 1, left: 1, wall: '2026-01-02T03:04:05.678Z' },
      { seq: 2, left: 0 },
      { seq: 3, left: 0 },
    ]);
  });

  it('cuts a torn last line off, wherever it was torn, and goes on', { timeout: 60_000 }, () => {
    write([step(1)]);
    const whole = readFileSync(file);
    write([step(2)]);
    const both = readFileSync(file);
    for (let end = whole.length + 1; end < both.length; end += 1) {
      writeFileSync(file, both.subarray(0, end));
      expect(read()).toMatchObject({ events: [step(1)], cutBytes: end - whole.length });
      expect(readFileSync(file)).toEqual(whole);
    }
    write([step(2)]);
    expect(read().events).toMatchObject([step(1), step(2)]);
  });

  it('cuts a write of several lines off as one', () => {
    write([step(1)], [step(2), step(3), step(4)]);
    const lines = readFileSync(file, 'utf8').split('\n');
    writeFileSync(file, `${lines.slice(0, 3).join('\n')}\n`);
    expect(read().events).toMatchObject([step(1)]);
  });

  it('reads lines that lie across the slices in which it reads', () => {
    const reason = 'é'.repeat(250_000);
    const events = [1, 2, 3].map((orderId): ExchangeEvent => ({ type: 'reject', at, orderId, reason }));
    write(...events.map((event) => [event]));
    expect(read()).toMatchObject({ events, lines: 3, cutBytes: 0 });
  });

  it.each([
    ['a changed number', (text: string) => text.replace('"step":2', '"step":9'), 'line 2'],
    ['a changed byte', (text: string) => text.replace('"seq":2', '"seq":7'), 'line 2'],
    ['a lost line', (text: string) => text.split('\n').toSpliced(1, 1).join('\n'), 'line 2'],
    ['a line that is no JSON', (text: string) => text.replace('{"seq":1', '#{"seq":1'), 'line 1'],
    ['a line of an unknown type', (text: string) => text.replace('"step","at"', '"leap","at"'), 'line 1'],
    ['a line more', (text: string) => `${text}{"type":"step"}\n`, 'line 4'],
    ['a line without its checksum', (text: string) => text.replace(/,"sum":"\w+"\}\n$/, '}\n'), 'line 3'],
    [
      'a line of another ledger',
      (text: string) => text.replace(/"sum":"\w+"\}\n$/, '"sum":"00000000"}\n'),
      'line 3',
    ],
  ])('refuses %s and changes nothing', (_what, damage, where) => {
    write([step(1)], [step(2)], [step(3)]);
    const damaged = damage(readFileSync(file, 'utf8'));
    writeFileSync(file, damaged);
    expect(() => read()).toThrow(where);
    expect(readFileSync(file, 'utf8')).toBe(damaged);
  });

  it('refuses market time that goes back', () => {
    write([step(1)]);
    const { sum } = JSON.parse(readFileSync(file, 'utf8')) as { sum: string };
    const line = { seq: 2, type: 'tick', at: '2014-07-07T13:29:00.000Z', wall: at, left: 0 };
    appendFileSync(file, `${summed(JSON.stringify(line), sum).line}\n`);
    expect(() => read()).toThrow('market time is before');
  });

  it('goes on with one of before there were checksums', () => {
    write([step(1)], [step(2)]);
    writeFileSync(file, readFileSync(file, 'utf8').replaceAll(/,"sum":"\w+"\}/g, '}'));
    write([step(3)]);
    write([step(4)]);
    expect(read().events).toMatchObject([step(1), step(2), step(3), step(4)]);
  });
});
