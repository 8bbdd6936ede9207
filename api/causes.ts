// What an answer may tell of an error that nobody foresaw: its cause, to whoever develops on this machine, and nothing to
// anybody else. Called by main.ts.
import type { Mode } from '../contracts/wire/names.js';
import type { Redact } from '../domain/redaction/redact.js';
import { isOfThisMachine } from './listen.js';

/** KEEL_ENV alone would not do: it is `development` where nobody has set it, in live mode too. */
export const tellsCauses = (config: {
  readonly environment: string;
  readonly mode: Mode;
  readonly api: { readonly host: string };
}): boolean =>
  config.environment === 'development' && config.mode === 'simulated' && isOfThisMachine(config.api.host);

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
  if (!chain.some((each) => 'query' in each)) return `${error.name}: ${error.message}`;
  // The words of a failed statement hold its values: e-mails and hashes of other people.
  const codes = chain.flatMap((each) => ('code' in each ? [String(each.code)] : []));
  return [`${error.name} of a statement of PostgreSQL`, ...codes].join(', ');
}

function causesOf(error: Error, depth = 0): readonly Error[] {
  const { cause } = error;
  return cause instanceof Error && depth < deepest ? [error, ...causesOf(cause, depth + 1)] : [error];
}
