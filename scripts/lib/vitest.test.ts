import { expect, test } from 'vitest';
import { closingLine, countTests } from './vitest.mjs';

const file = (
  status: string,
  ...tests: string[]
): { status: string; assertionResults: { status: string; fullName: string }[] } => ({
  status,
  assertionResults: tests.map((test, index) => ({ status: test, fullName: `test ${index}` })),
});

test('passed, failed, skipped and todo tests are counted', () => {
  expect(
    countTests({ testResults: [file('failed', 'passed', 'failed', 'skipped'), file('passed', 'todo')] }),
  ).toEqual({
    passed: 1,
    failed: 1,
    skipped: ['test 2', 'test 0'],
  });
});

test('a file that could not be loaded is one failure', () => {
  expect(countTests({ testResults: [file('failed'), file('failed', 'passed')] })).toEqual({
    passed: 1,
    failed: 2,
    skipped: [],
  });
});

test('the closing line names skipped tests only when there are some', () => {
  expect(closingLine({ passed: 3, failed: 0, skipped: 0 })).toBe('3 passed, 0 failed');
  expect(closingLine({ passed: 3, failed: 1, skipped: 2 })).toBe('3 passed, 1 failed, 2 skipped');
});
