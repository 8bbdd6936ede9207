// The parts that Keel stands on, as one process reaches them. Made by the API's composition root.

export const partNames = [
  'postgres',
  'temporal',
  'worker',
  'objectStore',
  'broker',
  'brokerLogin',
  'cache',
] as const;
export type PartName = (typeof partNames)[number];

export interface PartState {
  readonly ok: boolean;
  /** What is wrong and what to do, or what there is; never a secret. */
  readonly detail: string;
  /** Of the server, where it tells. */
  readonly version?: string;
  /** When it was looked at by the process that does so, ISO 8601 UTC; left out where this is the look, or there was none. */
  readonly lookedAt?: string;
}

export interface HealthProbe {
  readonly name: PartName;
  /** Without a vital part no run can go on. */
  readonly vital: boolean;
  /** May throw, and may hang: the asker has a deadline. */
  readonly look: () => Promise<PartState>;
}

export interface MigrationsPort {
  status(): Promise<
    readonly { readonly name: string; readonly sha256: string; readonly appliedAt: string | null }[]
  >;
  /** Applies what is pending. @returns the names applied now */
  run(): Promise<readonly string[]>;
}
