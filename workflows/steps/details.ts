// The details of a run in the Temporal Web UI, which shows them as Markdown: what was read, what was decided, how it ended.
// Called by display.ts. Pure.
import type { RunSpending, Spent, StrategyRunInput } from '../../contracts/wire/run.js';
import type { Analysis, Decision } from '../../domain/decision/decision.js';
import type { Ending } from './ending.js';

type Run = Pick<StrategyRunInput, 'symbol' | 'session' | 'runId'>;

/** What a model wrote, or a server, is shown as text: no links, no pictures, no headings. */
export const plain = (text: string): string =>
  text
    .replace(/\s+/g, ' ')
    .replace(/[\\`*_{}[\]<>#|!~&]/g, '\\$&')
    .replace(/:\/\//g, '\\://')
    .replace(/www\./gi, (found) => `${found.slice(0, 3)}\\.`);

/** While it is decided. */
export const readingDetails = (run: Run, analyses: readonly Analysis[]): string =>
  told(
    run,
    'read, not decided yet',
    analyses.map(({ timeframe, analyst, reading, score }) =>
      reading === undefined
        ? `- ${timeframe}, by ${analyst}: score ${score.toFixed(2)}`
        : `- ${timeframe}, by ${analyst}: ${reading.trend}, confidence ${String(reading.confidence)}`,
    ),
    noteOf(
      run,
      analyses.some(({ reading }) => reading !== undefined),
      analyses.some(({ reading }) => reading?.numbersOnly === true),
    ),
  );

export const decisionDetails = (run: Run, decision: Decision): string =>
  told(run, decision.action, [decidedLine(decision)], noteOfDecision(run, decision));

export const endDetails = (
  run: Run,
  decision: Decision | null,
  ending: Ending,
  spending: RunSpending | null = null,
): string =>
  told(
    run,
    `${decision?.action ?? 'no decision'}, ${ending.outcome}`,
    [
      ...(decision === null ? [] : [decidedLine(decision)]),
      `(${ending.code}) ${plain(ending.message ?? '')}`.trimEnd(),
    ],
    [
      ...(spending === null ? [] : [spentLine(spending)]),
      ...(decision === null ? [] : noteOfDecision(run, decision)),
    ],
  );

function spentLine({ calls, run, day, month }: RunSpending): string {
  const of = ({ usd, capUsd }: Spent): string => `${usd} of ${capUsd}`;
  return `Models, in USD (cap): ${of(run)} by ${String(calls)} ${calls === 1 ? 'call' : 'calls'} of this run; when it ended ${of(day)} that day and ${of(month)} that month, UTC`;
}

function decidedLine({ action, analyst, entry, stop, target, rCoefficient }: Decision): string {
  const prices = `, entry ${entry ?? 'none'}, stop ${stop ?? 'none'}, target ${target ?? 'none'}, R ${rCoefficient ?? 'none'}`;
  return `${action} by ${analyst}${action === 'buy' ? prices : ''}`;
}

const noteOfDecision = (run: Run, { review }: Decision): readonly string[] =>
  noteOf(run, review !== undefined, review?.numbersOnly === true);

/** @param byModel whether a model was asked; nothing is to be said of rules */
function noteOf({ runId }: Run, byModel: boolean, numbersOnly: boolean): readonly string[] {
  if (!byModel) return [];
  const said = 'The model takes no pictures: it was given numbers only.';
  return [...(numbersOnly ? [said] : []), `Calls and what they cost: \`keel explain ${runId}\``];
}

const told = (
  { symbol, session }: Run,
  heading: string,
  lines: readonly string[],
  notes: readonly string[],
): string => [`**${symbol} ${session}: ${heading}**`, lines.join('\n'), ...notes].join('\n\n');
