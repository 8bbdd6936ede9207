import { describe, expect, it } from 'vitest';
import { barProgress, plainProgress } from './progress.js';

describe('progress without a terminal', () => {
  const linesOf = (of: number): string[] => {
    const lines: string[] = [];
    const progress = plainProgress((line) => lines.push(line))('objects');
    for (let done = 0; done <= of; done += 1) progress(done, of);
    return lines;
  };

  it('is a line for each quarter, however much there is to do', () => {
    expect(linesOf(20)).toEqual([
      'objects: 5 of 20',
      'objects: 10 of 20',
      'objects: 15 of 20',
      'objects: 20 of 20',
    ]);
    expect(linesOf(100_000)).toHaveLength(4);
  });

  it('is nothing for little work, and for none', () => {
    expect(linesOf(19)).toEqual([]);
    expect(linesOf(0)).toEqual([]);
  });

  it('writes no escape sequence', () => {
    expect(linesOf(40).join('').includes('\u001b')).toBe(false);
  });
});

describe('progress on a terminal', () => {
  const drawn = (steps: readonly (readonly [ms: number, done: number, of: number])[]): string[] => {
    const written: string[] = [];
    let now = 0;
    const progress = barProgress({ write: (text) => written.push(text) }, () => now)('objects');
    for (const [ms, done, of] of steps) {
      now = ms;
      progress(done, of);
    }
    return written;
  };
  const clear = '\r\u001b[K';

  it('is a bar with what is done, drawn over itself, that is gone at the end', () => {
    expect(
      drawn([
        [0, 0, 4],
        [1000, 1, 4],
        [2000, 4, 4],
      ]),
    ).toEqual([
      `${clear}objects [${'·'.repeat(24)}] 0 of 4`,
      `${clear}objects [${'█'.repeat(6)}${'·'.repeat(18)}] 1 of 4, 3.0 s left`,
      clear,
    ]);
  });

  it('is drawn ten times a second at most', () => {
    const steps = Array.from({ length: 1000 }, (_, done) => [done, done, 2000] as const);
    expect(drawn(steps)).toHaveLength(10);
  });

  it('leaves nothing behind where there was nothing to do', () => {
    expect(drawn([[0, 0, 0]])).toEqual([]);
  });
});
