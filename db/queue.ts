// A line per key within this process. Called by admission.ts.

/**
 * @returns a function that waits for its turn and gives the function that ends it. It throws `late()` when the turn
 * has not come after `waitMs` milliseconds.
 */
export function createQueue() {
  const tails = new Map<string, Promise<void>>();
  return async function enter(key: string, waitMs: number, late: () => Error): Promise<() => void> {
    const before = tails.get(key) ?? Promise.resolve();
    let leave: () => void = () => undefined;
    const mine = new Promise<void>((resolve) => {
      leave = resolve;
    });
    const tail = before.then(() => mine);
    tails.set(key, tail);
    void tail.then(() => {
      if (tails.get(key) === tail) tails.delete(key);
    });
    let timer: NodeJS.Timeout | undefined;
    const deadline = new Promise<'late'>((resolve) => {
      timer = setTimeout(() => {
        resolve('late');
      }, waitMs);
    });
    const turn = await Promise.race([before.then(() => 'turn' as const), deadline]);
    clearTimeout(timer);
    if (turn === 'turn') return leave;
    leave();
    throw late();
  };
}
