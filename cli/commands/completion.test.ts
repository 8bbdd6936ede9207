import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { UsageError } from '../supervisor/options.js';
import { completionCommand, wordsOf } from './completion.js';

const commands = {
  run: { summary: 'runs a strategy', help: 'Usage: keel run SYMBOL [options]\n\n  --json FILE   writes it' },
  migrate: { summary: "the database's tables", help: 'Usage: keel migrate up|down [N]|status\n' },
};

function script(shell: string): string {
  const lines: string[] = [];
  expect(completionCommand([shell], (line) => lines.push(line), commands)).toBe(0);
  return lines.join('\n');
}

/** What bash offers for a command line whose last word is being typed. */
function offered(words: readonly string[]): string {
  const line = words.map((word) => `'${word}'`).join(' ');
  const text = `${script('bash')}\nCOMP_WORDS=(${line})\nCOMP_CWORD=${String(words.length - 1)}\n_keel\necho "\${COMPREPLY[*]}"`;
  const { stdout, stderr } = spawnSync('bash', ['--norc', '-c', text], { encoding: 'utf8', cwd: '/' });
  expect(stderr).toBe('');
  return stdout.trim();
}

describe('keel completion', () => {
  it('completes commands, second words and options in a real bash', () => {
    expect(offered(['keel', ''])).toBe('run migrate --help');
    expect(offered(['keel', 'mi'])).toBe('migrate');
    expect(offered(['keel', 'run', '--'])).toBe('--json --help');
    expect(offered(['keel', 'migrate', 'st'])).toBe('status');
  });

  it('reads its words from the help', () => {
    expect(wordsOf(commands.migrate)).toEqual(['up', 'down', 'status', '--help']);
    expect(wordsOf(commands.run)).toEqual(['--json', '--help']);
  });

  it('names every command with its summary for zsh and fish', () => {
    expect(script('zsh')).toContain("'migrate:the database'\\''s tables'");
    expect(script('fish')).toContain("complete -c keel -n '__fish_seen_subcommand_from run' -l json");
  });

  it('refuses another shell', () => {
    expect(() => completionCommand(['tcsh'], () => undefined, commands)).toThrow(UsageError);
  });
});
