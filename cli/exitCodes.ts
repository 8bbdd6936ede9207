// The exit codes of every command, in one place: what a script may go by. Printed by `keel help exit-codes`.
import type { Say } from './say.js';
import { sayTable } from './table.js';

export interface ExitCode {
  readonly code: number;
  readonly meaning: string;
}

export const exitCodes: readonly ExitCode[] = [
  { code: 0, meaning: 'it worked, and nothing wrong was found' },
  { code: 1, meaning: 'it did not work, or something wrong was found' },
  { code: 2, meaning: 'wrong use: an unknown command or option, a missing or impossible value' },
  { code: 130, meaning: 'npm start was interrupted (Ctrl-C) before its run had ended' },
  { code: 143, meaning: 'npm start was told to end (SIGTERM) before its run had ended' },
];

/** Commands whose 1 says more than "it did not work". */
export const findings: Readonly<Record<string, string>> = {
  audit: 'the trail was changed or cut off',
  backup: 'objects that rows name were missing; the backup is whole but for them',
  doctor: 'a fault was found; a warning is none',
  eval: 'not one opinion was got',
  ibkr: 'the certificate was not trusted',
  replay: 'the decision differs, or was made by another version',
  explain: 'an object is damaged or missing',
  run: 'the run ended as UNPROTECTED, SENT_NOT_FOUND_EXPIRED, FAILED or CANCELLED; every other end is 0, also REJECTED and NOT_SENT',
  verify: 'a check failed',
};

export function sayExitCodes(out: Say): void {
  sayTable(
    out,
    ['CODE', 'MEANING'],
    exitCodes.map(({ code, meaning }) => [String(code), meaning]),
    '',
  );
  out('');
  out('What 1 means besides, where a command finds something:');
  out('');
  sayTable(out, ['COMMAND', 'FOUND'], Object.entries(findings), '');
}
