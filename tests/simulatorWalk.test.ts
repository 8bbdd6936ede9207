// The walk through the simulator's own API in README.md, run as printed: every command by a shell, every answer compared.
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startSimulator } from '../simulator/server.js';
import type { Simulator } from '../simulator/server.js';
import { OPEN_PLUS_5, optionsFor, step } from './support/simulator.js';
import { tempFolder } from './support/temp.js';

const readme = readFileSync(path.join(import.meta.dirname, '..', 'README.md'), 'utf8');
const run = promisify(execFile);

/** Commands of the `console` block, and what it shows below each. */
function walk(): { command: string; prints: string }[] {
  const block = /^```console\n(.*?)^```$/ms.exec(readme)?.[1] ?? '';
  return block
    .split(/^\$ /m)
    .slice(1)
    .map((text) => {
      const [, command = '', prints = ''] = /^((?:.*\\\n)*.*)\n([^]*)$/.exec(text) ?? [];
      return { command, prints: prints.trim() };
    });
}

describe('the walk through the API of the simulator', () => {
  const folder = tempFolder('simulator-walk');
  let simulator: Simulator;
  beforeAll(async () => {
    simulator = await startSimulator(optionsFor(folder.path));
    await step(simulator, OPEN_PLUS_5);
  });
  afterAll(async () => {
    await simulator.close();
    folder.remove();
  });

  test('has every call and every kind of refusal', () => {
    const text = walk()
      .map(({ command, prints }) => `${command}\n${prints}`)
      .join('\n');
    for (const part of ['/health', '/balance', '/price/', '/portfolio', '"buy"', '"sell"'])
      expect(text).toContain(part);
    for (const code of ['KEY_MISSING', 'KEY_UNKNOWN', 'UNKNOWN_TICKER', 'INVALID_INPUT', 'MALFORMED_JSON'])
      expect(text).toContain(code);
    for (const code of ['PRICE_BELOW_MARKET', 'PRICE_ABOVE_MARKET', 'NOT_ENOUGH_CASH', 'NOT_ENOUGH_SHARES'])
      expect(text).toContain(code);
  });

  test.each(walk())('$command', async ({ command, prints }) => {
    const here = command.replaceAll('http://127.0.0.1:5002', simulator.apiUrl);
    const { stdout } = await run('sh', ['-c', here]);
    expect(stdout.trim()).toBe(prints);
  });
});
