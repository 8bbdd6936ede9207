// Says whether a password is easy to guess: common and breached ones, names, dates, rows of keys, repeats. Uses the
// lists of zxcvbn-ts (49,000 passwords). Called by the composition roots.
import { ZxcvbnFactory } from '@zxcvbn-ts/core';
import { adjacencyGraphs, dictionary } from '@zxcvbn-ts/language-common';
import type { PasswordStrength } from '../../ports/access.js';

/** Of 0 to 4; 3 stands for more than 10^8 guesses. */
const leastScore = 3;
/** The estimate looks at so many characters, because its time grows with them; the password is used whole. */
const looksAt = 64;

export function createPasswordStrength(): PasswordStrength {
  let factory: ZxcvbnFactory | null = null;
  return {
    weakness: (password, own) => {
      // Made when it is first needed: few processes ever set a password.
      factory ??= new ZxcvbnFactory({ dictionary, graphs: adjacencyGraphs, maxLength: looksAt });
      const { score } = factory.check(password, [...own, 'keel']);
      return score >= leastScore
        ? null
        : 'is too easy to guess: it is common, or made of names, dates, repeats or neighbouring keys; take several words that do not belong together';
    },
  };
}
