// Every secret that this Keel knows by value, so that none leaves it in an answer or a bundle. Called by examine.ts and
// bundle.ts.
import { secretVariables } from '../../config/variables.js';
import type { Patient } from './types.js';

/** The secret variables, and the passwords that stand inside URLs. */
export function secretsOf({ env }: Patient): readonly string[] {
  const given = secretVariables.flatMap((name) => (env[name] ? [env[name]] : []));
  return [...given, ...given.flatMap(passwordIn)];
}

function passwordIn(text: string): string[] {
  if (!URL.canParse(text)) return [];
  const { password } = new URL(text);
  return password === '' ? [] : [password, decodeURIComponent(password)];
}
