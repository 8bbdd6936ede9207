// Every secret that this Keel knows by value, so that none leaves it in an answer or a bundle. Called by examine.ts and
// bundle.ts.
import { passwordsIn, secretValues } from '../../config/print.js';
import { secretVariables } from '../../config/variables.js';
import type { Patient } from './types.js';

/**
 * The secret variables, the passwords that stand inside URLs, and what a whole section of the settings points to: a secret's
 * file, the key of a model profile.
 */
export function secretsOf({ env, sections }: Pick<Patient, 'env' | 'sections'>): readonly string[] {
  const given = secretVariables.flatMap((name) => (env[name] ? [env[name]] : []));
  return [...given, ...given.flatMap(passwordsIn), ...secretValues(sections)];
}
