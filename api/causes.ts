// What an answer may tell of an error that nobody foresaw: its cause, to whoever develops on this machine, and nothing to
// anybody else. Called by main.ts.
import type { Mode } from '../contracts/wire/names.js';
import type { Redact } from '../domain/redaction/redact.js';
import { isOfThisMachine } from './listen.js';

interface Reach {
  readonly host: string;
  readonly allowedHosts: readonly string[];
  readonly trustedProxies: readonly string[];
  readonly corsOrigins: readonly string[];
}

/**
 * KEEL_ENV alone would not do: it is `development` where nobody has set it, in live mode too. Nor would the host: a proxy of
 * this machine passes on what others ask.
 */
export const tellsCauses = (config: {
  readonly environment: string;
  readonly mode: Mode;
  readonly api: Reach;
}): boolean =>
  config.environment === 'development' && config.mode === 'simulated' && isForThisMachineOnly(config.api);

const isForThisMachineOnly = ({ host, ...others }: Reach): boolean =>
  isOfThisMachine(host) &&
  [others.allowedHosts, others.trustedProxies, others.corsOrigins].every(({ length }) => length === 0);

const mostCharacters = 1000;
/** Causes within causes; a ring of them must end too. */
const deepest = 10;

export const tellCause =
  (redact: Redact) =>
  (error: unknown): string =>
    `In development the cause is told: ${redact(wordsOf(error)).slice(0, mostCharacters)}`;

function wordsOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const chain = causesOf(error);
  if (!chain.some((each) => 'query' in each || 'severity' in each)) return `${error.name}: ${error.message}`;
  // The words of a failed statement hold its values: e-mails and hashes of other people.
  const codes = chain.flatMap((each) => ('code' in each ? [String(each.code)] : []));
  return [`${error.name} of a statement of PostgreSQL`, ...codes].join(', ');
}

function causesOf(error: Error, depth = 0): readonly Error[] {
  const { cause } = error;
  return cause instanceof Error && depth < deepest ? [error, ...causesOf(cause, depth + 1)] : [error];
}
