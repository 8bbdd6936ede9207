// Types of vitest.mjs for its test.
export function countTests(record: {
  testResults: { status: string; assertionResults: { status: string; fullName: string }[] }[];
}): { passed: number; failed: number; skipped: string[] };
export function closingLine(total: { passed: number; failed: number; skipped: number }): string;
