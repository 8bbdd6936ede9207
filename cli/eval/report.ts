// The report of an evaluation: the JSON as it is written and compared, and its sentences. Called by the command and html.ts.
import type { Figures } from '../../domain/evaluation/measure.js';
import type { Rate } from '../../domain/evaluation/wilson.js';
import type { Asker, ModelFacts } from './asker.js';
import type { EvaluateOptions, SeriesReport } from './evaluate.js';

/** The file of --out, as JSON. It holds no time of its own making: the same input gives the same bytes. */
export interface Report {
  readonly format: 3;
  readonly analyst: { readonly name: string; readonly version: string; readonly model: ModelFacts | null };
  readonly options: EvaluateOptions & { readonly overlapping: boolean };
  readonly notes: readonly string[];
  readonly series: readonly (SeriesReport & { readonly findings: readonly string[] })[];
}

export function reportOf(
  { name, version, model }: Pick<Asker, 'name' | 'version' | 'model'>,
  options: EvaluateOptions,
  series: readonly SeriesReport[],
): Report {
  const overlapping = options.step < options.horizon;
  return {
    format: 3,
    analyst: { name, version, model },
    options: { ...options, overlapping },
    notes: notesOf(options, overlapping, model),
    series: series.map((each) => ({ ...each, findings: findingsOf(name, each, options, overlapping) })),
  };
}

function notesOf(
  { horizon, step, seed, repeats, cost }: EvaluateOptions,
  overlapping: boolean,
  model: ModelFacts | null,
): string[] {
  return [
    `A decision is made after a session, on bars until then, every ${step} sessions. It is judged by the move from the next open to the close ${horizon} sessions after the decision, without costs, stops and targets.`,
    overlapping
      ? 'Outcomes overlap, so they are not independent, and every interval here is too narrow. Take a step of the horizon or more.'
      : 'Outcomes do not overlap. Intervals are 95 % Wilson intervals and suppose independent decisions; what markets do over months still ties them together a little.',
    'A buy says up, a sell says down, a hold says nothing. Chance is what guessing with the same share of buys would hit. Always up says up each time: it follows the same windows as the rest, and is no buying and holding.',
    `Money: each account puts all that it has on an opinion at the next open and is in cash again at the close that judges it. Buy and hold buys once, at the open after the first decision, and its value is shown at the same closes, as if it were sold there; in the plots each value stands at the date of its decision. A purchase or a sale costs ${share(cost)} of its value where costs are counted; taxes, interest, lending fees of a short and dividends beyond what the prices hold are not.`,
    `The coin's seed is ${seed}. Every question was asked ${repeats} times, and once on the mirrored chart, where each rise is a fall of the same share.`,
    'Of twenty such intervals one misses by luck alone, and there are many here: a single row that stands out proves little.',
    'Regimes are told from bars until the decision, as the rules tell them: turbulent when the 14-session range, as a share of the close, is above its 90th percentile of 252 sessions; else trending with an ADX of 25 or more, up or down by the larger directional indicator, ranging with less than 20, mixed between them.',
    ...(model === null
      ? [
          'The strength of the rules is the size of their daily score, in a range of that of the way back to the middle. It is no probability; the table shows only whether larger scores hit more often.',
        ]
      : [modelNote(model)]),
  ];
}

const modelNote = ({ nameless, pictures, priceDate }: ModelFacts): string =>
  [
    nameless
      ? 'The model was given the charts without names, moved to one date and scaled to one price, so that memory of these years helps less.'
      : 'The model was told names and dates: it may have known from memory what came next, so these figures prove nothing.',
    pictures ? 'It saw the pictures.' : 'It was given numbers only.',
    `Costs are reckoned with the price table of ${priceDate}.`,
  ].join(' ');

/** Such as "0.05 %". */
const share = (value: number): string => `${String(Number((value * 100).toFixed(4)))} %`;

export const percent = (value: number | null): string =>
  value === null ? 'none' : `${(value * 100).toFixed(1)} %`;
const points = (value: number | null): string =>
  value === null ? 'none' : `${value >= 0 ? '+' : '−'}${Math.abs(value * 100).toFixed(1)} points`;

/** Such as "53.1 % of 64 (41.0 % to 64.8 %)". */
export const rateText = ({ share, of, low, high }: Rate): string =>
  share === null ? `none of ${of}` : `${percent(share)} of ${of} (${percent(low)} to ${percent(high)})`;

function accuracyFinding(name: string, figures: Figures): string {
  const { accuracy, chance, includesChance, includesHalf, sells } = figures;
  if (accuracy.share === null || chance === null) return `${name} had no opinion: nothing can be said.`;
  if (sells === 0) {
    const half =
      includesHalf === true ? 'The interval includes 50 %.' : 'The interval does not include 50 %.';
    return `${name} said up each time, which was right in ${rateText(accuracy)}: the share of rises, and no skill. ${half}`;
  }
  const found = `${name} was right in ${rateText(accuracy)} of its opinions.`;
  if (includesChance !== false) {
    return `${found} The interval includes chance (${percent(chance)}): this shows no skill.`;
  }
  const side = accuracy.share > chance ? 'above' : 'below';
  return `${found} The interval lies ${side} chance (${percent(chance)}).`;
}

/** Such as "+12.3 %". */
export const gain = (value: number | undefined): string =>
  value === undefined ? 'none' : `${value >= 1 ? '+' : '−'}${(Math.abs(value - 1) * 100).toFixed(1)} %`;

function moneyFinding(name: string, { participants, buyAndHold, dates }: SeriesReport, cost: number): string {
  const own = participants[name]?.equity;
  if (own === undefined || dates.length === 0) return 'Money: there was no decision.';
  const told = ({ withoutCosts, afterCosts, deepestFall }: typeof own): string =>
    `${gain(withoutCosts.at(-1))} without costs, ${gain(afterCosts.at(-1))} at ${share(cost)} a trade, at most ${percent(deepestFall)} below an earlier value`;
  return `Money: buying after ${dates[0] ?? ''} and holding made ${told(buyAndHold)}; following ${name} made ${told(own)}.`;
}

const gapText = (gap: number | null): string =>
  gap === null ? 'buys and sells cannot be compared' : `buys were right ${points(gap)} compared with sells`;

const costFinding = ({ usd, calls, decisions, perDecision, all }: SeriesReport['cost']): string =>
  `Cost: ${usd} USD in ${String(calls)} calls for ${String(decisions)} decisions, ${perDecision} USD each; with repeated questions and mirrored charts ${all.usd} USD in ${String(all.calls)} calls.`;

function findingsOf(
  name: string,
  series: SeriesReport,
  { cost: perTrade }: EvaluateOptions,
  overlapping: boolean,
): string[] {
  const { participants, flips, agreement, cost } = series;
  const own = participants[name]?.all;
  const failed = Object.entries(own?.failed ?? {}).map(([code, count]) => `${code} ${count}`);
  return [
    ...Object.entries(participants).map(([who, { all }]) => accuracyFinding(who, all)),
    ...(overlapping ? ['Outcomes overlap: these intervals are too narrow.'] : []),
    moneyFinding(name, series, perTrade),
    `Lean: ${points(own?.bias ?? null)} between the share of buys and the share of rises after its opinions; ${gapText(own?.accuracyGap ?? null)}.`,
    `Mirrored chart: ${rateText(flips.flipped)} of opinions flipped, ${rateText(flips.sameSide)} kept their side.`,
    `Repeated questions: all answers agreed in ${rateText(agreement)}.`,
    costFinding(cost),
    ...(failed.length === 0 ? [] : [`Failed, and counted as no opinion: ${failed.join(', ')}.`]),
  ];
}

export const reportJson = (report: Report): string => `${JSON.stringify(report, null, 1)}\n`;
