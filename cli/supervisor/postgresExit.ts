// The last words of a PostgreSQL that ended, turned into one clear error. Called by postgres.ts and postgresProcess.ts.
import { KeelError } from '../../ports/errors.js';

interface Circumstances {
  readonly databaseDir: string;
  readonly port?: number;
}

/** Which words mean what. The first that fits counts. */
const reasons: readonly {
  readonly words: RegExp;
  readonly code: string;
  readonly say: (facts: Circumstances) => string;
}[] = [
  {
    words: /could not bind IPv4 address|could not create any TCP\/IP sockets/,
    code: 'PORT_TAKEN',
    say: ({ port = 0 }) =>
      `Port ${String(port)} is taken, so PostgreSQL cannot listen there. Give another port, or end what uses it.`,
  },
  {
    words: /No space left on device/,
    code: 'DATABASE_FULL',
    say: ({ databaseDir }) =>
      `There is no room left for PostgreSQL in ${databaseDir}. Free some, or give another --data-dir.`,
  },
  {
    words: /Read-only file system|Permission denied/,
    code: 'DATA_DIR_READ_ONLY',
    say: ({ databaseDir }) =>
      `PostgreSQL cannot write in ${databaseDir}. Make it writable, or give another --data-dir.`,
  },
  {
    words: /lock file "[^"]*" already exists/,
    code: 'POSTGRES_RUNNING',
    say: ({ databaseDir }) =>
      `Another PostgreSQL runs on ${databaseDir}. Stop it, or give another --data-dir.`,
  },
  {
    words: /./s,
    code: 'POSTGRES_CORRUPT',
    say: ({ databaseDir }) =>
      `PostgreSQL cannot start on the data in ${databaseDir}. Put back a copy of them, or start anew with --reset.`,
  },
];

/** One error out of a server's or initdb's last words. */
export function explainExit(said: string, facts: Circumstances): KeelError {
  const lines = said.split('\n').filter((line) => line.trim() !== '');
  const last = lines.findLast((line) => /\b(FATAL|PANIC)\b|initdb: error/.test(line)) ?? lines.at(-1) ?? '';
  const reason = reasons.find(({ words }) => words.test(said));
  const evidence = last.replace(/^.*?(?=FATAL|PANIC|initdb)/, '').trim();
  const sentence = reason?.say(facts) ?? 'PostgreSQL ended before it was ready, and said nothing.';
  return new KeelError(
    reason?.code ?? 'POSTGRES_START',
    evidence === '' ? sentence : `${sentence} It said: ${evidence}`,
    { facts: { databaseDir: facts.databaseDir, port: facts.port ?? null } },
  );
}
