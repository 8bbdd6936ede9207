// Reads the arguments of a command, and refuses wrong ones with the name that was probably meant. Used by every command.
import { parseArgs } from 'node:util';
import { UsageError } from './supervisor/options.js';
import { argumentProblem, meant } from './unknownOption.js';

/** Of the commands that work on a database: whose data directory, in place of DATABASE_URL or the environment's. */
export const dataDirOption = { 'data-dir': { type: 'string' } } as const;

type Config = NonNullable<Parameters<typeof parseArgs>[0]>;

/** @throws UsageError that names the argument, and the option that was probably meant */
export function parseArguments<T extends Config>(config: T): ReturnType<typeof parseArgs<T>> {
  try {
    return parseArgs(config);
  } catch (error) {
    throw new UsageError(argumentProblem(error, Object.keys(config.options ?? {})), { cause: error });
  }
}

/**
 * The second word of a command and the id behind it, which `list` and `create` do not take: there it is ''.
 * @throws UsageError
 */
export function subcommandAndId<const T extends string>(
  command: string,
  [word, id, ...rest]: readonly string[],
  known: readonly T[],
): { act: T; id: string } {
  const act = subcommand(command, word, known);
  const alone = act === 'list' || act === 'create';
  if (rest.length > 0 || alone !== (id === undefined)) {
    throw new UsageError(alone ? `${command} ${act} takes no ID` : `${command} ${act} takes one ID`);
  }
  return { act, id: id ?? '' };
}

/**
 * The second word of a command such as `keel workflows list`.
 * @throws UsageError with all that there are, and the one that was probably meant
 */
export function subcommand<const T extends string>(
  command: string,
  word: string | undefined,
  known: readonly T[],
): T {
  const found = known.find((name) => name === word);
  if (found !== undefined) return found;
  const all = `${command} takes ${known.join(', ')}`;
  throw new UsageError(word === undefined ? all : `${all}, not ${word}${meant(word, known)}`);
}
