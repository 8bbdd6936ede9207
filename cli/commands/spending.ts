// `keel spending`: what the calls of models have cost, through the API of a Keel that runs. Called by cli/main.ts.
import type { z } from 'zod';
import { spendingList, spendingQuery } from '../../contracts/http/model.js';
import { parseArguments } from '../arguments.js';
import { apiOf } from '../running.js';
import type { Say } from '../say.js';
import { UsageError } from '../supervisor/options.js';
import { sayTable } from '../table.js';

export const spendingHelp = `Usage: keel spending [options]

What the calls of models have cost, with the caps and what is left of them. Days and months are UTC.

  --by day|month|strategy|run|call (day)   --since YYYY-MM-DD   --limit N (50)
  --json   --data-dir DIR (.keel)   --api URL with KEEL_API_KEY

Examples:
  keel spending
  keel spending --by run --limit 10`;

const text = { type: 'string' } as const;
type Spending = z.infer<typeof spendingList>;

/** @returns 0 */
export async function spendingCommand(
  args: readonly string[],
  out: Say,
  env: NodeJS.ProcessEnv,
): Promise<number> {
  const { values } = parseArguments({
    args: [...args],
    options: { by: text, since: text, limit: text, json: { type: 'boolean' }, 'data-dir': text, api: text },
  });
  const { by, since, limit } = values;
  const given = Object.entries({ by, since, limit }).filter(([, value]) => value !== undefined);
  const asked = spendingQuery.safeParse(Object.fromEntries(given));
  if (!asked.success) throw new UsageError(problemOf(asked.error));
  const query = Object.entries(asked.data).map(([name, value]): [string, string] => [name, String(value)]);
  const path = `/api/v1/spending?${new URLSearchParams(query).toString()}`;
  const found = await apiOf(values, env).ask(spendingList, path);
  if (values.json === true) out(JSON.stringify(found, null, 2));
  else sayCosts(found, out);
  return 0;
}

const wanted: Readonly<Record<string, string>> = {
  by: 'day, month, strategy, run or call',
  since: 'a date: write it as YYYY-MM-DD',
  limit: 'a number from 1 to 500',
};

function problemOf({ issues }: z.ZodError): string {
  const field = String(issues[0]?.path[0] ?? '');
  return `--${field} is ${wanted[field] ?? 'wrong'}`;
}

function sayCosts({ by, since, runCapUsd, day, month, spending }: Spending, out: Say): void {
  const capLine = (name: string, { usd, capUsd, leftUsd }: Spending['day']): string =>
    `${name.padEnd(11)} ${usd} of ${capUsd} USD, ${leftUsd} left`;
  out(capLine('today', day));
  out(capLine('this month', month));
  out(`${'a run'.padEnd(11)} ${runCapUsd} USD at most`);
  out('');
  const named = by === 'run' || by === 'call';
  const headings = [
    by.toUpperCase(),
    ...(named ? ['STRATEGY'] : []),
    ...(by === 'call' ? ['RUN', 'FOR'] : []),
  ];
  const figures = ['CALLS', 'REUSED', 'REFUSED', 'TOKENS IN', 'TOKENS OUT', 'USD', 'RESERVED', 'LEFT'];
  const rows = spending.map((row) => [
    row.key,
    ...(named ? [row.strategyId ?? ''] : []),
    ...(by === 'call' ? [row.runId ?? '', row.purpose ?? ''] : []),
    ...[row.calls, row.reused, row.refused, row.inputTokens, row.outputTokens].map(String),
    ...[row.usd, row.openUsd, row.leftUsd ?? ''],
  ]);
  sayTable(out, [...headings, ...figures], rows, `No calls since ${since}.`);
}
