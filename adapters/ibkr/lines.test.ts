import { describe, expect, it } from 'vitest';
import { KeelError } from '../../ports/errors.js';
import { createLines, mostLines } from './lines.js';

function linesAt(start = 0, factor = 1) {
  const time = { now: start };
  const given: string[] = [];
  const gateway = { refuses: null as Error | null };
  const lines = createLines({ now: () => time.now }, factor, (conid) => {
    if (gateway.refuses !== null) return Promise.reject(gateway.refuses);
    given.push(conid);
    return Promise.resolve();
  });
  return { time, given, gateway, lines };
}

const minute = 60_000;
const range = (from: number, to: number): string[] =>
  Array.from({ length: to - from }, (_value, index) => String(from + index));

describe('lines of market data', () => {
  it('stay open while they are asked for, and are given back once nobody has for five minutes', async () => {
    const { time, given, lines } = linesAt();
    lines.asked(['1', '2', '3']);
    time.now = 4 * minute;
    lines.asked(['2']);
    time.now = 5 * minute - 1;
    await lines.makeRoom(['3']);
    expect(given).toEqual([]);
    time.now += 1;
    await lines.makeRoom(['3']);
    expect(given).toEqual(['1']);
    await lines.makeRoom(['3']);
    expect(given).toEqual(['1']);
  });

  it('are given back a few at a time: each costs a request', async () => {
    const { time, given, lines } = linesAt();
    lines.asked(range(0, 12));
    time.now = 5 * minute;
    await lines.makeRoom([]);
    expect(given).toEqual(range(0, 5));
    await lines.makeRoom([]);
    await lines.makeRoom([]);
    expect(given).toEqual(range(0, 12));
  });

  it('make room for what is wanted, the longest idle first, and none that is being read', async () => {
    const { time, given, lines } = linesAt();
    lines.asked(range(0, 10));
    time.now = 1000;
    lines.asked(range(10, mostLines));
    time.now = 31_000;
    lines.asked(['0']);
    await lines.makeRoom(range(100, 112));
    expect(given).toEqual(range(1, 13));
    lines.asked(range(100, 112));
    await lines.makeRoom(range(200, 200 + mostLines));
    // What was asked for this very moment stays, though these are too many now.
    expect(given).toEqual(range(1, mostLines));
  });

  it('stay open, and are known, where an order asks for one while the others are given back', async () => {
    const time = { now: 0 };
    const given: string[] = [];
    const lines = createLines({ now: () => time.now }, 1, (conid) => {
      given.push(conid);
      // This one is opened again while it is given back, and the next is asked for before its turn.
      if (time.now === 5 * minute) {
        time.now += 1;
        lines.asked(['1', '2']);
      }
      return Promise.resolve();
    });
    lines.asked(['1', '2', '3']);
    time.now = 5 * minute;
    await lines.makeRoom([]);
    expect(given).toEqual(['1', '3']);
    time.now = 11 * minute;
    await lines.makeRoom([]);
    expect(given).toEqual(['1', '3', '1', '2']);
  });

  it('are tried again later where the gateway does not take one, and the question goes on', async () => {
    const { time, given, gateway, lines } = linesAt(0, 10);
    lines.asked(['1', '2']);
    time.now = minute / 2;
    gateway.refuses = new KeelError('IBKR_ERROR', 'no', { errorClass: 'retryable' });
    await lines.makeRoom([]);
    gateway.refuses = new TypeError('a defect');
    await expect(lines.makeRoom([])).rejects.toThrow(TypeError);
    gateway.refuses = null;
    await lines.makeRoom([]);
    expect(given).toEqual(['1', '2']);
  });
});
