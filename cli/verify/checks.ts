// The list that `keel verify` fills in: what was checked, and whether what was found is what was expected.
import { isDeepStrictEqual } from 'node:util';
import { Decimal } from 'decimal.js';

export interface Check {
  readonly what: string;
  readonly ok: boolean;
  /** Why not; null when it holds. */
  readonly problem: string | null;
}

export interface CheckList {
  readonly checks: readonly Check[];
  /** Both sides have to be the same value; decimal strings are compared as numbers, exactly. */
  same(what: string, found: unknown, expected: unknown): void;
  holds(what: string, ok: boolean, problem: string): void;
  /** What `work` throws makes the check fail instead of ending the list. @returns its answer, or null */
  attempt<T>(what: string, work: () => Promise<T>): Promise<T | null>;
}

export function createCheckList(): CheckList {
  const checks: Check[] = [];
  const holds = (what: string, ok: boolean, problem: string): void => {
    checks.push({ what, ok, problem: ok ? null : problem });
  };
  return {
    checks,
    holds,
    same: (what, found, expected) => {
      const ok = isDeepStrictEqual(comparable(found), comparable(expected));
      holds(what, ok, `found ${shown(found)}, expected ${shown(expected)}`);
    },
    attempt: async (what, work) => {
      try {
        const answer = await work();
        holds(what, true, '');
        return answer;
      } catch (error) {
        holds(what, false, error instanceof Error ? error.message : String(error));
        return null;
      }
    },
  };
}

/** As JSON would keep it, with decimal strings in one spelling. */
function comparable(value: unknown): unknown {
  if (typeof value === 'string')
    return /^-?\d+(\.\d+)?$/.test(value) ? `#${new Decimal(value).toFixed()}` : value;
  if (Array.isArray(value)) return value.map(comparable);
  if (typeof value !== 'object' || value === null) return value ?? null;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, part]) => part !== undefined)
      .map(([key, part]) => [key, comparable(part)]),
  );
}

function shown(value: unknown): string {
  const text = JSON.stringify(value) as string | undefined;
  if (text === undefined) return 'nothing';
  return text.length > 160 ? `${text.slice(0, 160)}…` : text;
}
