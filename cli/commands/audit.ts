// `keel audit`: follows the audit trail from its first row to its last, or lists it. Called by cli/main.ts.
import { auditPage } from '../../contracts/http/audit.js';
import { listAudit } from '../../db/audit.js';
import type { AuditHead } from '../../db/auditChain.js';
import { checkAudit } from '../../db/auditChain.js';
import type { Database } from '../../db/connect.js';
import { connect } from '../../db/connect.js';
import type { AuditQuery } from '../../ports/audit.js';
import { dataDirOption, parseArguments, subcommand } from '../arguments.js';
import type { Say } from '../say.js';
import { UsageError } from '../supervisor/options.js';
import { sayTable } from '../table.js';

export const auditHelp = `Usage: keel audit verify [--from ROW:HASH]
       keel audit list [--actor WHO] [--action WHAT] [--before ROW] [--limit N] [--json]

  verify   checks that no row of the audit trail was changed, taken out or put in, and prints its end as ROW:HASH. Keep that
           elsewhere: with --from the trail must go through it, which alone shows that its end was cut off.
  list     who did what to what, newest first; --actor takes the user's keys too

  --limit N        rows, up to ${String(auditPage.most)} (${String(auditPage.usual)})
  --data-dir DIR   of the Keel that runs: KEEL_DATA_DIR, or .keel, when not given

Works on DATABASE_URL or the database of a Keel that runs.

Examples:
  keel audit verify
  keel audit verify --from 41:9f2c…
  keel audit list --actor user:maria --limit 20
  keel audit list --action user.change --json`;

type Wish = { readonly dataDir: string | undefined } & (
  | { readonly word: 'verify'; readonly known: AuditHead | null }
  | { readonly word: 'list'; readonly query: AuditQuery; readonly json: boolean }
);

/** @returns 0 when it is done, and the chain is whole where that was asked; 1 when it is not */
export async function auditCommand(
  args: readonly string[],
  out: Say,
  err: Say,
  urlOf: (dataDir: string | undefined) => string,
): Promise<number> {
  const wish = readWish(args);
  const url = urlOf(wish.dataDir);
  const limits = { poolSize: 1, connectTimeoutMs: 5000, statementTimeoutMs: 60_000, lockTimeoutMs: 5000 };
  const db = connect({ url, ...limits });
  try {
    return await (wish.word === 'verify' ? verify(db, wish.known, out, err) : list(db, wish, out));
  } finally {
    await db.close();
  }
}

async function verify(db: Database, known: AuditHead | null, out: Say, err: Say): Promise<number> {
  const { head, fault } = await checkAudit(db, known);
  if (fault === null) {
    out(`The audit trail is whole. It ends at ${String(head.position)}:${head.hash}`);
    return 0;
  }
  err(`The audit trail is broken: ${fault}. It is whole up to ${String(head.position)}:${head.hash}`);
  return 1;
}

async function list(
  db: Database,
  { query, json }: Extract<Wish, { word: 'list' }>,
  out: Say,
): Promise<number> {
  const page = await listAudit(db, query);
  if (json) {
    out(JSON.stringify(page, null, 2));
    return 0;
  }
  const rows = page.entries.map(({ position, at, actor, action, subject, facts }) =>
    [String(position), at, actor, action, subject, JSON.stringify(facts)].map(plain),
  );
  sayTable(out, ['ROW', 'AT', 'ACTOR', 'ACTION', 'SUBJECT', 'FACTS'], rows, 'No rows.');
  if (page.next !== null) out(`Older ones: --before ${String(page.next)}`);
  return 0;
}

/** A row holds what somebody typed, and a terminal obeys some of that. */
const plain = (text: string): string => text.replace(/\p{Cc}/gu, ' ');

const options = {
  from: { type: 'string' },
  actor: { type: 'string' },
  action: { type: 'string' },
  before: { type: 'string' },
  limit: { type: 'string' },
  json: { type: 'boolean' },
  ...dataDirOption,
} as const;

function parseOptions(args: readonly string[]) {
  try {
    return parseArguments({ args: [...args], allowPositionals: true, options });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error), { cause: error });
  }
}

function readWish(args: readonly string[]): Wish {
  const { values, positionals } = parseOptions(args);
  const word = subcommand('audit', positionals[0], ['verify', 'list']);
  if (positionals.length > 1) throw new UsageError(`audit ${word} takes nothing more`);
  const ofOther = word === 'verify' ? ['actor', 'action', 'before', 'limit', 'json'] : ['from'];
  const stray = Object.keys(values).find((name) => ofOther.includes(name));
  if (stray !== undefined) throw new UsageError(`audit ${word} takes no --${stray}`);
  if (word === 'verify') return { word, known: readKnown(values.from), dataDir: values['data-dir'] };
  const { actor = null, action = null, before, limit } = values;
  const query = {
    actor,
    action,
    before: before === undefined ? null : wholeNumber('before', before, Number.MAX_SAFE_INTEGER),
    limit: limit === undefined ? auditPage.usual : wholeNumber('limit', limit, auditPage.most),
  };
  return { word, query, json: values.json === true, dataDir: values['data-dir'] };
}

function wholeNumber(name: string, text: string, most: number): number {
  const number = /^\d{1,16}$/.test(text) ? Number(text) : 0;
  if (number >= 1 && number <= most) return number;
  throw new UsageError(`--${name} ${text}: a whole number from 1 to ${String(most)}`);
}

function readKnown(from: string | undefined): AuditHead | null {
  if (from === undefined) return null;
  const [, position, hash] = /^(\d{1,15}):([0-9a-f]{64})$/.exec(from) ?? [];
  if (position === undefined || hash === undefined) throw new UsageError(`--from ${from} is not ROW:HASH`);
  return { position: Number(position), hash };
}
