// What is wrong with a configuration, said so that a person can put it right. Thrown by load.ts, all at once.

export interface Problem {
  /** Dotted path of the setting, the name of a variable, or the name of a file. */
  readonly path: string;
  /** The value given, masked when secret; null when nothing was given. */
  readonly given: string | null;
  /** Where it was given: a variable, `config/production.yaml:12`, or null. */
  readonly from: string | null;
  readonly problem: string;
  readonly fix: string;
}

/** A value as it is told: an address without its user and password. */
export const told = (value: unknown): string => JSON.stringify(value).replace(/\/\/[^/"]*@/g, '//****@');

/** One line: `risk.riskPerTrade is "2" (config/default.yaml:66): a share is …. Fix: …` */
function problemLine({ path, given, from, problem, fix }: Problem): string {
  const value = given === null ? '' : ` is ${given}`;
  const source = from === null ? '' : ` (${from})`;
  return `${path}${value}${source}${given === null && from === null ? ' ' : ': '}${problem}: ${fix}`;
}

export class ConfigError extends Error {
  readonly problems: readonly Problem[];
  /** The problems, a line each. */
  readonly lines: readonly string[];

  constructor(problems: readonly Problem[]) {
    const count = problems.length === 1 ? 'one problem' : `${String(problems.length)} problems`;
    const lines = problems.map(problemLine);
    super(`The configuration has ${count}:\n${lines.map((line) => `  - ${line}`).join('\n')}`);
    this.name = 'ConfigError';
    this.lines = lines;
    this.problems = problems;
  }
}
