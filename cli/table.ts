// Rows as a table for people: a heading and columns as wide as their widest cell. Used by every command that lists.
import type { Say } from './say.js';

/** @param empty what is said where there are no rows */
export function sayTable(
  out: Say,
  headings: readonly string[],
  rows: readonly (readonly string[])[],
  empty: string,
): void {
  if (rows.length === 0) {
    out(empty);
    return;
  }
  const widths = headings.map((heading, column) =>
    Math.max(heading.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  for (const row of [headings, ...rows]) {
    out(
      widths
        .map((width, column) => (row[column] ?? '').padEnd(width))
        .join('  ')
        .trimEnd(),
    );
  }
}
