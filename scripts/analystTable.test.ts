// Reads the tables of docs/analyst.md: every outcome and every class of error has its cases, and each ends the run with the
// code that the table names.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it, test } from 'vitest';
import {
  chatFailures,
  panelFailures,
  pictureFailures,
  responsesFailures,
  settingFailures,
} from '../tests/support/openai/outcomes.js';

const text = readFileSync(path.resolve(import.meta.dirname, '..', 'docs/analyst.md'), 'utf8');

/** Cells of the table whose first heading is this. */
function tableOf(heading: string): string[][] {
  const lines = text.split('\n');
  const first = lines.findIndex((line) => line.startsWith(`| ${heading} `));
  const end = lines.findIndex((line, at) => at > first && !line.startsWith('|'));
  return lines.slice(first + 2, end).map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

/** Code of every case, by its name. */
const cases = new Map<string, string>([
  ...[...chatFailures, ...responsesFailures, ...panelFailures].map(([name, , code]) => [name, code] as const),
  ...settingFailures.map(([name, , , code]) => [name, code] as const),
  ...pictureFailures.map(([name, code]) => [name, code] as const),
]);
const codesIn = (cell: string): string[] =>
  [...cell.matchAll(/`([A-Z][A-Z_]+)`/g)].map(([, code]) => code ?? '');
const namesIn = (cell: string): string[] => cell.split(';').map((name) => name.trim());

const outcomes = tableOf('outcome').filter(([outcome]) => outcome !== '`ok`');
const errors = tableOf('what');

describe('docs/analyst.md', () => {
  it('has the eight outcomes beside ok, and no other', () => {
    expect(outcomes.map(([outcome]) => outcome)).toEqual(
      [
        'refusal',
        'length',
        'content_filter',
        'empty',
        'invalid_json',
        'schema_invalid',
        'timeout',
        'budget',
      ].map((name) => `\`${name}\``),
    );
  });

  test.each([...outcomes, ...errors])('%s: its cases end as it says', (...row) => {
    const [codes, names] = [codesIn(row[2] ?? ''), namesIn(row[3] ?? '')];
    expect(codes.length).toBeGreaterThan(0);
    expect(names.length).toBeGreaterThan(0);
    for (const name of names) expect(codes, name).toContain(cases.get(name));
    for (const code of codes)
      expect(
        names.map((name) => cases.get(name)),
        code,
      ).toContain(code);
  });

  it('names every case', () => {
    const named = [...outcomes, ...errors].flatMap((row) => namesIn(row[3] ?? ''));
    expect([...named].sort()).toEqual([...cases.keys()].sort());
  });
});
