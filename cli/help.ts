// What `keel help` and a mistyped command get. Called by main.ts.
import { meant } from './unknownOption.js';
import { sayExitCodes } from './exitCodes.js';
import type { Say } from './say.js';

interface Helped {
  readonly summary: string;
  readonly help: string;
}

type Commands<C extends Helped> = Readonly<Record<string, C>>;

function overview(commands: Commands<Helped>): string {
  const lines = Object.entries(commands).map(([name, { summary }]) => `  ${name.padEnd(12)}${summary}`);
  return `Usage: keel <command> [options]

${lines.join('\n')}

keel <command> --help shows the options and examples of a command. --debug shows the stack of an error.

Exit codes: 0 it worked, and nothing wrong was found; 1 it did not, or something wrong was found; 2 wrong use.
keel help exit-codes lists all.`;
}

/** @returns undefined after a line that names the nearest one */
export function commandOf<C extends Helped>(
  commands: Commands<C>,
  name: string,
  err: Say,
  others: readonly string[] = [],
): C | undefined {
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (command === undefined) {
    const names = [...Object.keys(commands), ...others];
    const near = meant(name, names);
    err(`keel: there is no command ${name}${near === '' ? '.' : near} keel --help lists all.`);
  }
  return command;
}

/** `keel help`, `keel help COMMAND`, `keel help exit-codes`. @param code where no topic was given */
export function help(
  { commands, out, err }: { readonly commands: Commands<Helped>; readonly out: Say; readonly err: Say },
  topic: string | undefined,
  code: number,
): number {
  if (topic === 'exit-codes') {
    sayExitCodes(out);
    return 0;
  }
  if (topic === undefined) {
    out(overview(commands));
    return code;
  }
  const command = commandOf(commands, topic, err, ['exit-codes']);
  if (command === undefined) return 2;
  out(command.help);
  return 0;
}
