// The one error of Keel: a code, facts and a cause. Adapters and stores throw it; activities/failures.ts maps it to
// ApplicationFailure and api/errors.ts to problem+json. Nothing secret may enter message or facts.

/** retryable: Temporal may try again · final: never · unknown: an effect may have happened, look before you act. */
export type ErrorClass = 'retryable' | 'final' | 'unknown';

export class KeelError extends Error {
  readonly code: string;
  readonly errorClass: ErrorClass;
  /** What it happened to: ids, symbols, limits. No header, key or cookie. */
  readonly facts: Readonly<Record<string, string | number | boolean | null>>;

  constructor(
    code: string,
    message: string,
    options: {
      errorClass?: ErrorClass;
      facts?: Record<string, string | number | boolean | null>;
      cause?: unknown;
    } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'KeelError';
    this.code = code;
    this.errorClass = options.errorClass ?? 'final';
    this.facts = options.facts ?? {};
  }
}
