// Who did what to what, in a chain of rows that only grows. Errors: KeelError DATABASE_AWAY (retryable).

export interface AuditStore {
  /** Appends who did what to what. */
  append(entry: {
    actor: string;
    action: string;
    subject: string;
    facts: Record<string, unknown>;
  }): Promise<void>;
  /** Newest first. */
  list(query: AuditQuery): Promise<AuditPage>;
}

export interface AuditEntry {
  /** Place in the chain, from 1 on. */
  readonly position: number;
  /** Wall time, ISO 8601 UTC. */
  readonly at: string;
  readonly actor: string;
  readonly action: string;
  readonly subject: string;
  readonly facts: Readonly<Record<string, unknown>>;
  /** Of this row and the one before it, SHA-256 in lower-case hex. */
  readonly hash: string;
}

export interface AuditQuery {
  /** Only rows before this position; null begins at the end. */
  readonly before: number | null;
  /** With the keys of that user. */
  readonly actor: string | null;
  readonly action: string | null;
  readonly limit: number;
}

export interface AuditPage {
  readonly entries: readonly AuditEntry[];
  /** The position before which older rows go on; null where there are none. */
  readonly next: number | null;
}
