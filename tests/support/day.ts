// For tests of what Keel counts by days of UTC.

/** How long such a test may take, milliseconds: well beyond what it takes on a machine that does much else. */
const longestMs = 2 * 60_000;
const dayMs = 24 * 60 * 60_000;

/** Waits for midnight, UTC, where it would fall into the test. */
export async function withinOneDay(): Promise<void> {
  const left = dayMs - (Date.now() % dayMs);
  if (left > longestMs) return;
  await new Promise((resolve) => setTimeout(resolve, left + 1000));
}
