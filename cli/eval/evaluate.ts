// Walks over a series, asks everyone at each decision, and measures what came of it. Called by cli/commands/eval.ts.
import {
  agreementOf,
  calibrationOf,
  figuresOf,
  flipsOf,
  type Calibration,
  type Figures,
  type Flips,
  type Judged,
  type Said,
} from '../../domain/evaluation/measure.js';
import { mirrored } from '../../domain/evaluation/view.js';
import type { Rate } from '../../domain/evaluation/wilson.js';
import { followed, held, type Equity } from '../../domain/evaluation/equity.js';
import { toss } from '../../domain/evaluation/coin.js';
import { money, ratio } from '../../domain/money/decimal.js';
import type { Asker, Where } from './asker.js';
import { evalRunId, type Spent } from './ledger.js';
import type { EvaluatedSeries } from './series.js';
import { pointsOf, type Point, type WalkOptions, type WeeksOf } from './walk.js';

export interface EvaluateOptions extends WalkOptions {
  /** How often each question is asked in all. */
  readonly repeats: number;
  readonly seed: number;
  /** Of a purchase or a sale, as a share of its value. */
  readonly cost: number;
}

export interface ParticipantReport {
  readonly all: Figures;
  readonly byRegime: Readonly<Record<string, Figures>>;
  /** Of an account that follows each opinion with all of its money. */
  readonly equity: Equity;
}

export interface SeriesReport {
  readonly name: string;
  readonly source: string;
  readonly sha256: string;
  readonly bars: number;
  readonly first: string;
  readonly last: string;
  readonly dates: readonly string[];
  readonly outcomes: readonly number[];
  readonly said: readonly string[];
  readonly participants: Readonly<Record<string, ParticipantReport>>;
  /** Bought after the first decision, with all of the money, and held. */
  readonly buyAndHold: Equity;
  readonly calibration: Calibration;
  readonly flips: Flips;
  readonly agreement: Rate;
  /** Of the questions that decided, of which some may not have been asked; repeats and mirrored charts are in `all` only. */
  readonly cost: Spent & { readonly decisions: number; readonly perDecision: string; readonly all: Spent };
}

/** What would fail for every further question as well. */
const endsAll = new Set([
  'MODEL_BUDGET',
  'MODEL_QUOTA',
  'MODEL_KEY_REFUSED',
  'MODEL_FORBIDDEN',
  'MODEL_NOT_FOUND',
]);

/** After such a failure nobody is asked any more, and the rest says so. */
function untilEnded(asker: Asker): Asker['ask'] {
  let ended = false;
  return async (view, where) => {
    if (ended) return { kind: 'failed', code: 'NOT_ASKED' };
    const said = await asker.ask(view, where);
    ended = said.kind === 'failed' && endsAll.has(said.code);
    return said;
  };
}

/** @param noted is called after each decision */
export async function evaluateSeries(
  series: EvaluatedSeries,
  asker: Asker,
  rules: Asker,
  options: EvaluateOptions,
  weeksOf: WeeksOf,
  noted: (done: number, of: number) => void,
): Promise<SeriesReport> {
  const points = pointsOf(series.bars, options, weeksOf);
  const ask = untilEnded(asker);
  const answers: Said[][] = [];
  const turned: Said[] = [];
  for (const point of points) {
    const where: Where = { series: series.name, date: point.date, chart: 'plain', turn: 0 };
    const given: Said[] = [];
    for (let turn = 0; turn < options.repeats; turn += 1)
      given.push(await ask(point.view, { ...where, turn }));
    answers.push(given);
    turned.push(await ask(mirrored(point.view), { ...where, chart: 'mirrored' }));
    noted(answers.length, points.length);
  }
  const first = answers.map((given) => given[0] ?? notAsked);
  const { cost } = options;
  const report = (said: readonly Said[]) => reportOf(points, said, cost);
  const participants: Record<string, ParticipantReport> = { [asker.name]: report(first) };
  if (rules.name !== asker.name) {
    const saidByRules: Said[] = [];
    for (const { view, date } of points) {
      saidByRules.push(await rules.ask(view, { series: series.name, date, chart: 'plain', turn: 0 }));
    }
    participants[rules.name] = report(saidByRules);
  }
  participants['always up'] = report(points.map(() => opinion('buy')));
  participants['coin'] = report(points.map((_point, at) => opinion(toss(options.seed, at) ? 'buy' : 'sell')));
  return {
    ...factsOf(series),
    dates: points.map(({ date }) => date),
    outcomes: points.map(({ outcome }) => outcome),
    said: first.map((said) => (said.kind === 'failed' ? said.code : said.action)),
    participants,
    buyAndHold: held(points, cost),
    calibration: calibrationOf(judge(points, first)),
    flips: flipsOf(first.map((said, at) => [said, turned[at] ?? notAsked] as const)),
    agreement: agreementOf(answers),
    cost: costOf(asker, series.name, points),
  };
}

const notAsked: Said = { kind: 'failed', code: 'NOT_ASKED' };
const opinion = (action: 'buy' | 'sell'): Said => ({ kind: 'said', action, strength: null });

const judge = (points: readonly Point[], said: readonly Said[]): Judged[] =>
  points.map(({ regime, outcome }, at) => ({ regime, outcome, said: said[at] ?? notAsked }));

function reportOf(points: readonly Point[], said: readonly Said[], cost: number): ParticipantReport {
  const judged = judge(points, said);
  const within = (keep: (judged: Judged) => boolean): Figures => figuresOf(judged.filter(keep));
  return {
    all: figuresOf(judged),
    byRegime: {
      'trending up': within(({ regime: { kind, direction } }) => kind === 'trending' && direction === 'up'),
      'trending down': within(
        ({ regime: { kind, direction } }) => kind === 'trending' && direction === 'down',
      ),
      ranging: within(({ regime }) => regime.kind === 'ranging'),
      mixed: within(({ regime }) => regime.kind === 'mixed'),
      turbulent: within(({ regime }) => regime.kind === 'turbulent'),
    },
    equity: followed(points, said, cost),
  };
}

const factsOf = ({ name, source, sha256, bars }: EvaluatedSeries) => ({
  ...{ name, source, sha256, bars: bars.length },
  first: bars[0]?.time.slice(0, 10) ?? '',
  last: bars.at(-1)?.time.slice(0, 10) ?? '',
});

function costOf(asker: Asker, series: string, points: readonly Point[]): SeriesReport['cost'] {
  const ids = points.map(({ date }) => evalRunId(series, date, 'plain', 0));
  const spent = asker.spentBy((runId) => ids.includes(runId));
  const decisions = ids.filter((id) => asker.spentBy((runId) => runId === id).calls > 0).length;
  const perDecision = decisions === 0 ? '0' : ratio(money(spent.usd).div(decisions)).toFixed(6);
  return { ...spent, decisions, perDecision, all: asker.spentBy((runId) => runId.startsWith(`${series}/`)) };
}
