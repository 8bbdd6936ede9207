// Short-lived text by key: in this process, or in Redis for all. A cache may lose anything at any time, and is never a
// reason to fail: what can not be read is not there.

export interface CacheState {
  readonly kind: 'memory' | 'redis';
  /** False while Redis does not answer and the process's own memory stands in. */
  readonly ok: boolean;
  /** Why not, in words; null when all is well. */
  readonly reason: string | null;
}

export interface CachePort {
  get(key: string): Promise<string | null>;
  /** @param ttlMs milliseconds */
  set(key: string, value: string, ttlMs: number): Promise<void>;
  /** Asks the server, where there is one. Never throws. */
  check(): Promise<CacheState>;
  close(): Promise<void>;
}
