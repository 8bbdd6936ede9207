// Lines of a file or a stream that somebody may still be writing. Used by tests that read ledgers and logs.

/** Those that are there whole: what stands after the last line break may be the first half of one. */
export const wholeLines = (text: string): readonly string[] =>
  text
    .split('\n')
    .slice(0, -1)
    .filter((line) => line !== '');
