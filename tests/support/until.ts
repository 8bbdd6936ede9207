// Waits for what a look finds. For tests that run beside each other, where vitest's own poll cannot.

/** Looks until something is found. The test's own deadline ends it. */
export async function until<T>(look: () => Promise<T | null>): Promise<T> {
  for (;;) {
    const found = await look();
    if (found !== null) return found;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
