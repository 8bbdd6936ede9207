// What may be deleted, and for how long it is kept. Used by activities/retention.ts, the worker's schedule and `keel retention`.

export type PurgeKind = 'chart' | 'answer';

/** 0 keeps for ever. */
export interface RetentionRules {
  /** Pictures of runs that ended so many days ago (wall clock). */
  readonly chartDays: number;
  /** What a model was asked and answered, word by word. */
  readonly answerDays: number;
  /** Attempts to log in, ended logins, delivered notifications, what a broker's login has told. */
  readonly rowDays: number;
  /** Objects that no row names, so many hours after they were written. */
  readonly orphanHours: number;
}

export interface ExpiredObject {
  readonly key: string;
  readonly bytes: number;
}

export interface RetentionStore {
  /**
   * Objects of one kind whose every run is over for longer than the rules say, has no order that lives, and is needed by no
   * replay within its own keep time; those that are gone already are left out. Oldest runs first.
   * @param among of these keys alone
   */
  expired(
    kind: PurgeKind,
    rules: RetentionRules,
    limit: number,
    among?: readonly string[],
  ): Promise<readonly ExpiredObject[]>;
  /** Before an object is deleted (gone false), and after. */
  markPurged(kind: PurgeKind, object: ExpiredObject, gone: boolean): Promise<void>;
  /** Every key that any row names. */
  namedKeys(): Promise<ReadonlySet<string>>;
  /** Rows older than the days, by table; with `dryRun` they are only counted. */
  deleteRows(days: number, dryRun: boolean): Promise<Readonly<Record<string, number>>>;
}
