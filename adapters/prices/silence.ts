// Tells a source that is away from one that is slow for somebody who stood in its queue. Used by broker.ts and, on the
// API's way to the worker, by api/brokerPrices.ts.

interface Silence {
  /** The source has answered somebody, with a price or a refusal. */
  readonly heard: () => void;
  /** Asked when somebody begins to wait. @returns whether nobody at all was answered since */
  readonly begin: () => () => boolean;
}

export function createSilence(): Silence {
  let answers = 0;
  return {
    heard: () => {
      answers += 1;
    },
    begin: () => {
      const before = answers;
      return () => answers === before;
    },
  };
}
