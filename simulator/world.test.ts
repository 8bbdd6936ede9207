// What a simulator takes for its world when it starts: that of its ledger, and none where the ledger has lost its end.
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openWorld } from './world.js';

const options = {
  ...{ accountId: 'DU1234567', cash: '10000', slippage: '0', commissionPerShare: '0' },
  clock: { now: () => Date.parse('2026-01-02T03:04:05.678Z') },
  onError: (error: unknown) => {
    throw error;
  },
};
let directory = '';
let file = '';
const mark = (): string => join(directory, 'ledger.mark.json');

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'keel-world-'));
  file = join(directory, 'ledger.jsonl');
});
afterEach(() => {
  rmSync(directory, { recursive: true });
});

/** Starts, lets the clock run so many times, and stops. @returns how many steps the world has had */
async function live(steps = 0): Promise<number> {
  const undo: (() => void | Promise<void>)[] = [];
  try {
    const { engine } = await openWorld(options, file, undo);
    for (let n = 0; n < steps; n += 1) engine.step(engine.state.now);
    return engine.state.step;
  } finally {
    for (const step of undo.reverse()) await step();
  }
}

const lines = (): string[] => readFileSync(file, 'utf8').trimEnd().split('\n');

describe('a ledger that has lost whole lines', () => {
  it.each([
    ['was emptied', () => '', 'is empty, and had 4 lines'],
    [
      'was cut at the end of a line',
      (all: string[]) => `${all.slice(0, 2).join('\n')}\n`,
      'ends with line 2 of 4',
    ],
    ['was cut within its last line', (all: string[]) => all.join('\n').slice(0, -5), 'ends with line 3 of 4'],
  ])('is refused where it %s, and stays as it is', async (_what, damage, words) => {
    await live(3);
    const damaged = damage(lines());
    writeFileSync(file, damaged);
    const refusal = expect.objectContaining({
      code: 'LEDGER_CUT',
      message: expect.stringMatching(
        new RegExp(`ledger\\.jsonl ${words}.*delete .*ledger\\.mark\\.json`),
      ) as string,
    }) as Error;
    await expect(live()).rejects.toEqual(refusal);
    await expect(live()).rejects.toEqual(refusal);
    expect(readFileSync(file, 'utf8')).toBe(damaged);
  });

  it('is gone on with once it is whole again, or once a person has deleted the mark', async () => {
    await live(3);
    const copy = join(directory, 'copy');
    copyFileSync(file, copy);
    writeFileSync(file, `${lines().slice(0, 2).join('\n')}\n`);
    await expect(live()).rejects.toMatchObject({ code: 'LEDGER_CUT' });
    copyFileSync(copy, file);
    expect(await live(1)).toBe(4);
    writeFileSync(file, `${lines().slice(0, 2).join('\n')}\n`);
    rmSync(mark());
    expect(await live(1)).toBe(2);
    expect(await live()).toBe(2);
  });
});

describe('a new world', () => {
  it('begins where there is no ledger, or an empty one that nobody knows of', async () => {
    writeFileSync(file, '');
    expect(await live(2)).toBe(2);
    rmSync(file);
    expect(existsSync(mark())).toBe(true);
    expect(await live()).toBe(0);
    expect(await live(1)).toBe(1);
  });

  it('is not refused for what a crash left of a write that was not answered, nor for a mark that cannot be read', async () => {
    await live(1);
    writeFileSync(file, `${readFileSync(file, 'utf8')}{"seq":3,"ty`);
    expect(await live(1)).toBe(2);
    writeFileSync(mark(), '\0\0\0');
    expect(await live()).toBe(2);
  });
});
