// Types of lock.mjs for its test.
export function withLock<T>(
  file: string,
  purpose: string,
  work: () => Promise<T>,
  waitMs?: number,
): Promise<T>;
