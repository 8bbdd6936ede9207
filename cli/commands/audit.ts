// `keel audit verify`: follows the audit trail from its first row to its last. Called by cli/main.ts.
import type { AuditHead } from '../../db/auditChain.js';
import { checkAudit } from '../../db/auditChain.js';
import { connect } from '../../db/connect.js';
import { parseArguments, subcommand } from '../arguments.js';
import type { Say } from '../say.js';
import { UsageError } from '../supervisor/options.js';

export const auditHelp = `Usage: keel audit verify [--from ROW:HASH]

Checks that no row of the audit trail was changed, taken out or put in, and prints its end as ROW:HASH. Keep that
elsewhere: with --from the trail must go through it, which alone shows that its end was cut off. Works on DATABASE_URL or
the database of a running Keel in .keel.

Examples:
  keel audit verify
  keel audit verify --from 41:9f2c…`;

/** @returns 0 when the chain is whole, 1 when it is not */
export async function auditCommand(
  args: readonly string[],
  out: Say,
  err: Say,
  urlOf: () => string,
): Promise<number> {
  const known = readKnown(args);
  const url = urlOf();
  const limits = { poolSize: 1, connectTimeoutMs: 5000, statementTimeoutMs: 60_000, lockTimeoutMs: 5000 };
  const db = connect({ url, ...limits });
  try {
    const { head, fault } = await checkAudit(db, known);
    if (fault === null) {
      out(`The audit trail is whole. It ends at ${String(head.position)}:${head.hash}`);
      return 0;
    }
    err(`The audit trail is broken: ${fault}. It is whole up to ${String(head.position)}:${head.hash}`);
    return 1;
  } finally {
    await db.close();
  }
}

function readKnown(args: readonly string[]): AuditHead | null {
  let from: string | undefined;
  let words: readonly string[];
  try {
    const { values, positionals } = parseArguments({
      args: [...args],
      allowPositionals: true,
      options: { from: { type: 'string' } },
    });
    [from, words] = [values.from, positionals];
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error), { cause: error });
  }
  subcommand('audit', words[0], ['verify']);
  if (words.length > 1) throw new UsageError('audit verify takes nothing more');
  if (from === undefined) return null;
  const [, position, hash] = /^(\d{1,15}):([0-9a-f]{64})$/.exec(from) ?? [];
  if (position === undefined || hash === undefined) throw new UsageError(`--from ${from} is not ROW:HASH`);
  return { position: Number(position), hash };
}
