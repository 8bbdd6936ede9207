// What README and `keel help exit-codes` tell of the exit code of a run, against what it is.
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { naturalOutcomes, type RunOutcome } from '../contracts/wire/run.js';
import { findings } from './exitCodes.js';

const outcomes = (text: string): string[] =>
  [...text.matchAll(/\b[A-Z]{3,}(_[A-Z]+)*\b/g)].map(([name]) => name).sort();

/** Of the outcomes, those that are no natural end. */
const others: RunOutcome[] = ['CANCELLED', 'FAILED', 'SENT_NOT_FOUND_EXPIRED', 'UNPROTECTED'];

test('README names every end of a run beside the exit code that it gives', () => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
  const [, zero = '', one = ''] = /Its exit code is 0 (.*?)\. It is 1 after (.*?)\./s.exec(readme) ?? [];
  expect(outcomes(zero)).toEqual([...naturalOutcomes].sort());
  expect(outcomes(one)).toEqual(others);
});

test('keel help exit-codes names the ends that are no natural ones', () => {
  expect(outcomes(findings['run']?.split(';')[0] ?? '')).toEqual(others);
});
