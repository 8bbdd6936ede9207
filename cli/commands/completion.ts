// `keel completion bash|zsh|fish`: a script that completes commands and options. What it offers is read from the help
// texts, so that it can not offer what no help names. Called by cli/main.ts.
import { parseArguments, subcommand } from '../arguments.js';
import type { Say } from '../say.js';
import { UsageError } from '../supervisor/options.js';

export const completionHelp = `Usage: keel completion bash|zsh|fish

Prints a script for your shell that completes commands and options.

Examples:
  source <(keel completion bash)
  keel completion zsh > "\${fpath[1]}/_keel"
  keel completion fish > ~/.config/fish/completions/keel.fish`;

export interface Described {
  readonly summary: string;
  readonly help: string;
}

type Shell = (commands: Readonly<Record<string, Described>>) => string;

/** Options that the help names, and the second words: of the usage lines, and of the list that explains them. */
export function wordsOf({ help }: Described): readonly string[] {
  const usage = [
    ...help.matchAll(/^(?:Usage:| {6}) keel \S+ ([a-z-]+(?: \[N\])?(?:\|[a-z-]+(?: \[N\])?)*)/gm),
  ];
  const second = usage.flatMap(([, words = '']) => words.replaceAll(' [N]', '').split('|'));
  const listed = [...help.matchAll(/^ {2}([a-z][a-z-]*)(?: [[A-Z-][^\n]*?)? {2,}\S/gm)].map(
    ([, word = '']) => word,
  );
  const options = [...help.matchAll(/(?<![\w-])--[a-z][a-z-]*/g)].map(([option]) => option);
  return [...new Set([...second, ...listed, ...options, '--help'])];
}

const bash: Shell = (commands) => `# keel completion for bash
_keel() {
  local cur=\${COMP_WORDS[COMP_CWORD]}
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W "${Object.keys(commands).join(' ')} --help" -- "$cur"))
    return
  fi
  case "\${COMP_WORDS[1]}" in
${Object.entries(commands)
  .map(
    ([name, command]) =>
      `    ${name}) COMPREPLY=($(compgen -W "${wordsOf(command).join(' ')}" -- "$cur")) ;;`,
  )
  .join('\n')}
    *) COMPREPLY=() ;;
  esac
  if [ \${#COMPREPLY[@]} -eq 0 ]; then COMPREPLY=($(compgen -f -- "$cur")); fi
}
complete -F _keel keel`;

const zsh: Shell = (commands) => `#compdef keel
_keel() {
  if (( CURRENT == 2 )); then
    local -a names
    names=(
${Object.entries(commands)
  .map(([name, { summary }]) => `      ${quoted(`${name}:${summary}`)}`)
  .join('\n')}
    )
    _describe command names
    return
  fi
  case "\${words[2]}" in
${Object.entries(commands)
  .map(([name, command]) => `    ${name}) compadd -- ${wordsOf(command).join(' ')} ;;`)
  .join('\n')}
  esac
  _files
}
compdef _keel keel`;

const fish: Shell = (commands) =>
  [
    '# keel completion for fish',
    ...Object.entries(commands).flatMap(([name, command]) => [
      `complete -c keel -n __fish_use_subcommand -f -a ${name} -d ${quoted(command.summary)}`,
      ...wordsOf(command).map((word) => {
        const within = `complete -c keel -n '__fish_seen_subcommand_from ${name}'`;
        return word.startsWith('--') ? `${within} -l ${word.slice(2)}` : `${within} -a ${word}`;
      }),
    ]),
  ].join('\n');

const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

const shells: Readonly<Record<'bash' | 'zsh' | 'fish', Shell>> = { bash, zsh, fish };

/** @throws UsageError when the shell is none of the three */
export function completionCommand(
  args: readonly string[],
  out: Say,
  commands: Readonly<Record<string, Described>>,
): number {
  const { positionals } = parseArguments({ args: [...args], allowPositionals: true, options: {} });
  const [name, ...rest] = positionals;
  const shell = shells[subcommand('completion', name, ['bash', 'zsh', 'fish'])];
  if (rest.length > 0) throw new UsageError('completion takes one shell');
  out(shell(commands));
  return 0;
}
