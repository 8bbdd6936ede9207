// Locks that hold among all processes of one Keel. Who cannot get one does nothing: there is no order without its lock.

export interface HeldLock {
  /** False once the lock is lost, as it is with the connection to where it is kept. */
  held(): boolean;
}

export interface LocksPort {
  /**
   * Runs `work` while no other process has the lock of that name.
   * @param waitMs longest wait for another holder, wall milliseconds
   * @throws KeelError LOCK_AWAY or LOCK_BUSY (both retryable), before `work` has begun; else what `work` throws
   */
  withLock<T>(name: string, waitMs: number, work: (lock: HeldLock) => Promise<T>): Promise<T>;
}
