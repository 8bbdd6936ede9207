// The report as one HTML file that needs nothing else: sentences, plots, tables. Called by cli/commands/eval.ts.
import type { IntervalRow, Plots } from '../../adapters/charts/plots.js';
import type { Figures } from '../../domain/evaluation/measure.js';
import type { Rate } from '../../domain/evaluation/wilson.js';
import { gain, percent, rateText, type Report } from './report.js';
import type { Equity } from '../../domain/evaluation/equity.js';

type SeriesPart = Report['series'][number];

const escape = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

const style = `
body { font: 16px/1.55 system-ui, sans-serif; color: #1f2933; max-width: 1080px; margin: 2rem auto; padding: 0 1.25rem; }
h1 { font-size: 1.6rem; margin-bottom: .25rem; } h2 { font-size: 1.3rem; margin-top: 2.5rem; border-bottom: 2px solid #e4e7eb; }
h3 { font-size: 1.05rem; margin: 1.5rem 0 .5rem; } img { max-width: 100%; height: auto; display: block; margin: 1rem 0; }
.table { overflow-x: auto; } table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .88rem; }
th, td { padding: .3rem .55rem; border-bottom: 1px solid #e4e7eb; text-align: right; white-space: nowrap; }
th:first-child, td:first-child { text-align: left; } thead th { border-bottom: 2px solid #9aa5b1; font-weight: 600; white-space: normal; }
.quiet { color: #52606d; } code { font-size: .85em; word-break: break-all; }`;

export function htmlOf(report: Report, plots: Plots): string {
  const { name, version, model } = report.analyst;
  const who =
    model === null ? `${name} ${version}` : `${model.model} (${model.api}), analyst ${name} ${version}`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Evaluation of ${escape(who)}</title>
<style>${style}
</style>
</head>
<body>
<h1>Evaluation of ${escape(who)}</h1>
<p class="quiet">Made by <code>keel eval</code>. Past prices say nothing certain about later ones; this is no promise of returns.</p>
${list(report.notes)}
${report.series.map((series) => seriesOf(series, name, plots)).join('\n')}
</body>
</html>
`;
}

const list = (sentences: readonly string[]): string =>
  `<ul>\n${sentences.map((sentence) => `<li>${escape(sentence)}</li>`).join('\n')}\n</ul>`;

const image = (png: Buffer, alt: string): string =>
  `<img alt="${escape(alt)}" src="data:image/png;base64,${png.toString('base64')}">`;

function seriesOf(series: SeriesPart, analyst: string, plots: Plots): string {
  const { name, source, first, last, bars, sha256, dates, participants } = series;
  const own = participants[analyst];
  const everyone = Object.entries(participants);
  const accuracies = rowsOf(everyone.map(([who, { all }]) => [who, all]));
  const regimes = rowsOf(Object.entries(own?.byRegime ?? {}));
  const followed = everyone.map(([who, { equity }]) => [who, equity] as const);
  const analysts = followed.filter(([who]) => who === analyst || who === 'rules');
  const accounts: readonly (readonly [string, Equity])[] = [
    ...analysts,
    ['buy and hold', series.buyAndHold],
    ...followed.filter((each) => !analysts.includes(each)),
  ];
  const curvesOf = (values: 'withoutCosts' | 'afterCosts') =>
    accounts.map(([label, equity]) => ({ label, values: equity[values] }));
  const title = (text: string): string => `${name}: ${text}`;
  return `<h2>${escape(name)}</h2>
<p class="quiet">${escape(source)}, ${bars} daily bars, ${first} to ${last}, <code>SHA-256 ${sha256}</code>.
${dates.length} decisions, ${dates[0] ?? 'none'} to ${dates.at(-1) ?? 'none'}.</p>
${list(series.findings)}
${image(plots.intervals(title('share of opinions that were right, with 95 % interval; orange: chance'), accuracies), 'Accuracy of each participant')}
<div class="table">${table(
    figuresHead,
    everyone.map(([who, { all }]) => figuresRow(who, all)),
  )}</div>
<h3>${escape(analyst)} by regime</h3>
${image(plots.intervals(title(`${analyst} by regime`), regimes), 'Accuracy by regime')}
<div class="table">${table(
    figuresHead,
    Object.entries(own?.byRegime ?? {}).map(([regime, figures]) => figuresRow(regime, figures)),
  )}</div>
<h3>Money: following every opinion with all of it, beside buying once and holding</h3>
${image(plots.curves(title('value of 1, without costs'), dates, curvesOf('withoutCosts')), 'Value over time, without costs')}
${image(plots.curves(title('value of 1, after costs'), dates, curvesOf('afterCosts')), 'Value over time, after costs')}
<div class="table">${table(
    ['', 'without costs', 'after costs', 'trades', 'deepest fall'],
    accounts.map(([who, equity]) => equityRow(who, equity)),
  )}</div>
<h3>Calibration: what was stated, and how often it was right</h3>
${calibrationOf(series, plots, title('right by what was stated; orange: the mean that was stated'))}`;
}

const figuresHead = [
  '',
  'decisions',
  'buys',
  'sells',
  'holds',
  'failed',
  'right',
  'chance',
  'buys right',
  'sells right',
  'mean return',
];

const figuresRow = (who: string, figures: Figures): readonly string[] => {
  const { decisions, buys, sells, holds, failed, accuracy, chance, buyAccuracy, sellAccuracy } = figures;
  const failures = Object.values(failed).reduce((sum, count) => sum + count, 0);
  const counts = [decisions, buys, sells, holds, failures].map(String);
  const rates = [
    rateText(accuracy),
    percent(chance),
    percent(buyAccuracy.share),
    percent(sellAccuracy.share),
  ];
  const mean =
    figures.meanReturn === null ? 'none' : `${(figures.meanReturn * 100).toFixed(2).replace('-', '−')} %`;
  return [who, ...counts, ...rates, mean];
};

const equityRow = (
  who: string,
  { withoutCosts, afterCosts, trades, deepestFall }: Equity,
): readonly string[] => [
  who,
  gain(withoutCosts.at(-1)),
  gain(afterCosts.at(-1)),
  String(trades),
  percent(deepestFall),
];

function calibrationOf({ calibration }: SeriesPart, plots: Plots, title: string): string {
  const { bins, brier } = calibration;
  const range = ({ from, to }: (typeof bins)[number]): string => `${percent(from)} to ${percent(to)}`;
  const rows = bins.flatMap((bin) => rowOf(range(bin), bin.observed, bin.stated));
  const shown =
    rows.length === 0 ? '<p>Nothing was stated.</p>' : image(plots.intervals(title, rows), 'Calibration');
  return `${shown}
<div class="table">${table(
    ['stated', 'mean stated', 'right'],
    bins.map((bin) => [range(bin), percent(bin.stated), rateText(bin.observed)]),
  )}</div>
<p>Brier score ${brier === null ? 'none' : brier.toFixed(4)}; always stating 50 % gets 0.2500, and less is better.</p>`;
}

const rowsOf = (named: readonly (readonly [string, Figures])[]): IntervalRow[] =>
  named.flatMap(([label, { accuracy, chance }]) => rowOf(label, accuracy, chance));

/** Nothing of what never happened. */
function rowOf(label: string, { share, low, high, of }: Rate, chance: number | null): IntervalRow[] {
  if (share === null || low === null || high === null) return [];
  return [{ label: `${label} (${of})`, share, low, high, chance }];
}

const row = (cells: readonly string[], tag: 'td' | 'th'): string =>
  `<tr>${cells.map((cell) => `<${tag}>${escape(cell)}</${tag}>`).join('')}</tr>`;

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  `<table><thead>${row(head, 'th')}</thead><tbody>${rows.map((cells) => row(cells, 'td')).join('\n')}</tbody></table>`;
