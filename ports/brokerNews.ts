// Hints that something has happened at the broker. A hint says when to look, never what there is: what was seen by looking
// is the truth, and without any hint everything is seen all the same, a little later.

export interface BrokerNews {
  /** Resolves once there is a hint that came after the one before. Never rejects. */
  next(): Promise<void>;
  close(): void;
}

export interface BrokerNewsPort {
  /** Listens from now on, by itself, through whatever breaks. */
  open(): BrokerNews;
}
