// What is wrong with arguments, in words, with the name that was probably meant. Used by cli/arguments.ts and by the options
// of `npm start`.
import { closest } from '../config/layers.js';

/** @param error of node:util's parseArgs; `options` are the names that it knows */
export function argumentProblem(error: unknown, options: readonly string[]): string {
  const message = error instanceof Error ? error.message : String(error);
  const [, ambiguous] = /^Option '(--[^']+)' argument is ambiguous/.exec(message) ?? [];
  if (ambiguous !== undefined) {
    return `${ambiguous} is followed by a dash, which begins an option: a value that begins with one is written ${ambiguous}=-VALUE`;
  }
  const [, unknown] = /^Unknown option '(?:-\w, )?--?([^' ]+)/.exec(message) ?? [];
  if (unknown === undefined) return message.replace(/\. To specify.*$/s, '');
  return `there is no option --${unknown}${meant(unknown, options, '--')}`;
}

/** `; did you mean X?`, or nothing where no name is near. */
export function meant(word: string, names: readonly string[], mark = ''): string {
  const near = closest(word, names);
  return near === null ? '' : `; did you mean ${mark}${near}?`;
}
