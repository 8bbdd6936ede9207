// Tells a person's error tracker of an error that nobody expected. Reports never fail and never wait.

export interface ErrorReports {
  /** @param facts ids and names that help to find it: request, run, activity. Nothing secret. */
  report(error: unknown, facts: Readonly<Record<string, string>>): void;
  /** Waits for reports under way, each with its own timeout. */
  flush(): Promise<void>;
}
