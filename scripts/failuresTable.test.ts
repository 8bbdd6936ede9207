// Reads docs/failures.md: every test that it names is there, and so is every code.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';

const root = path.resolve(import.meta.dirname, '..');
const read = (file: string): string => readFileSync(path.join(root, file), 'utf8');

interface Row {
  readonly problem: string;
  readonly seen: string;
  readonly end: string;
  readonly tests: readonly { readonly file: string; readonly name: string }[];
}

const rows: readonly Row[] = read('docs/failures.md')
  .split('\n')
  .filter((line) => line.startsWith('| ') && !/^\| (What goes wrong|---)/.test(line))
  .map((line) => {
    const cells = line.split('|').slice(1, -1);
    const [problem = '', seen = '', end = '', , tests = ''] = cells.map((cell) => cell.trim());
    if (cells.length !== 5) throw new Error(`a row has ${cells.length} cells in place of 5: ${line}`);
    return { problem, seen, end, tests: tests.split('<br>').map((text) => testOf(text, problem)) };
  });

function testOf(text: string, problem: string): { file: string; name: string } {
  const [, file, name] = /^`([^`]+\.test\.ts)`: (.+)$/.exec(text.trim()) ?? [];
  if (file === undefined || name === undefined) throw new Error(`"${problem}" names its test as ${text}`);
  return { file, name };
}

const sources = ['activities', 'adapters', 'api', 'cli', 'config', 'db', 'simulator', 'workflows', 'worker']
  .flatMap((folder) =>
    readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' }).map((name) =>
      path.join(folder, name),
    ),
  )
  .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
  .map(read)
  .join('\n');

describe('docs/failures.md', () => {
  test('has its rows', () => {
    expect(rows.length).toBeGreaterThan(50);
  });

  test.each(
    rows.flatMap(({ problem, tests }) => tests.map(({ file, name }) => [problem, file, name] as const)),
  )('%s: %s has the test "%s"', (_problem, file, name) => {
    const text = anyCases(read(file));
    const quoted = [`'${anyCases(name)}'`, `"${anyCases(name)}"`];
    expect(quoted.some((words) => text.includes(`${words}, `) || text.includes(`${words},\n`))).toBe(true);
  });

  test.each(rows.filter(({ seen, end }) => codesIn(`${seen} ${end}`).length > 0))(
    '$problem: its codes are in the sources',
    ({ seen, end }) => {
      for (const code of codesIn(`${seen} ${end}`)) expect(sources).toMatch(new RegExp(`\\b${code}\\b`));
    },
  );
});

/** How many values a repeated test puts into its name is its own affair. */
const anyCases = (text: string): string => text.replaceAll(/%[sdj]( %[sdj])*/g, '%');

/** Codes that stand alone between backticks. */
function codesIn(text: string): string[] {
  return [...text.matchAll(/`([A-Z][A-Z_]{3,})`/g)].map(([, code]) => code ?? '');
}
