// What the doctor's checks take and what they find. Used by every file of this folder.
import type { ConfigSection } from '../../config/load.js';
import type { Config } from '../../config/schema.js';
import type { KeelState } from '../supervisor/state.js';

export interface Finding {
  /** Which part was looked at, such as `postgres`. */
  readonly check: string;
  /** skipped: there was nothing to look at, and `found` says why. */
  readonly status: 'ok' | 'warning' | 'fault' | 'skipped';
  readonly found: string;
  readonly cause?: string;
  /** What a person has to do. */
  readonly fix?: string;
  /** Puts it right without harm; `--fix` calls it. @returns what was done */
  readonly repair?: () => Promise<string> | string;
}

export type Sections = { readonly [Section in ConfigSection]?: Config[Section] };

export interface Patient {
  /** The environment, completed by what a Keel that runs here has written down. */
  readonly env: NodeJS.ProcessEnv;
  readonly dataDir: string;
  readonly mode: Config['mode'];
  readonly environment: string;
  /** Sections that are whole; a service that nobody gave is missing here. */
  readonly sections: Sections;
  /** What is wrong with the configuration; empty when nothing is. */
  readonly problems: readonly string[];
  /** The Keel that runs on the data directory; null when none does. */
  readonly running: KeelState | null;
  /** Wall time of this machine, milliseconds since 1970. */
  readonly now: () => number;
  /** As `process.versions.node`. */
  readonly nodeVersion: string;
  /** Another font than that of the charts, for tests. */
  readonly fontFile?: string;
}

export type Check = (patient: Patient) => Promise<readonly Finding[]> | readonly Finding[];

/** For one question to one service, milliseconds. */
export const askMs = 5000;

/** Why a service is not looked at. */
export const notGiven = (check: string, { problems }: Patient): readonly Finding[] => [
  {
    check,
    status: 'skipped',
    found: problems.length > 0 ? 'put the configuration right first' : 'not given; npm start brings it',
  },
];

export const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** A finding as it is shown or sent: without what only this process can do. */
export const shown = ({ check, status, found, cause, fix }: Finding): Omit<Finding, 'repair'> => ({
  check,
  status,
  found,
  ...(cause !== undefined && { cause }),
  ...(fix !== undefined && { fix }),
});
