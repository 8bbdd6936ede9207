// What the benchmark found, as aligned text beside its aims, and as JSON. Called by the runner.
import type { ChartTiming } from './charts.js';
import type { ModelTiming } from './model.js';
import type { IdleTiming } from './idle.js';
import { below, number } from './aims.js';
import type { Aim } from './aims.js';
import { brokerAims, brokerLines } from './brokerReport.js';
import type { BrokerTiming } from './brokerReport.js';
import type { PlatformTiming } from './platform.js';
import type { Usage } from './cpu.js';
import { total } from './cpu.js';
import type { StrategyRunsTiming } from './strategyRuns.js';

export interface Figures {
  readonly machine: { readonly cpus: number; readonly load: number; readonly node: string };
  readonly indicators: readonly { readonly name: string; readonly ms: number; readonly ratio: number }[];
  readonly chart: ChartTiming;
  readonly count: number;
  readonly pacingFactor: number;
  readonly noop: Usage;
  readonly platform: PlatformTiming;
  readonly runs: StrategyRunsTiming;
  readonly model: ModelTiming;
  readonly idle: IdleTiming;
  readonly broker: BrokerTiming;
  /** Wall milliseconds; null when it was not asked for. */
  readonly warmStartMs: number | null;
}

const bars = 1_000_000;
/** A run draws and reads two timeframes. */
const chartsOfRun = 2;
/** Bars of both timeframes, generously; their indicators are computed for the picture, which counts them, and to be read. */
const barsOfRun = 1000;

const allIndicatorsMs = ({ indicators }: Figures): number =>
  indicators.find(({ name }) => name === 'all')?.ms ?? NaN;

/** CPU milliseconds of what a run computes and draws, without anything around it. */
const workMs = (figures: Figures): number =>
  chartsOfRun * figures.chart.cpuMs + (allIndicatorsMs(figures) * barsOfRun) / bars;

const each = (usage: Usage, count: number): number => total(usage) / count;

/** (one no-op workflow + the run's charts and indicators alone) ÷ one strategy run, in CPU of all processes. */
export const efficiencyOf = (figures: Figures): number =>
  (each(figures.noop, figures.count) + workMs(figures)) / each(figures.runs.usage, figures.count);

function platformAims({ health, bareExpress, access, ...rest }: PlatformTiming): Aim[] {
  const share = health / bareExpress;
  const { cachedPriceP95Ms, notificationsPerMinute } = rest;
  return [
    { name: '/health beside bare Express', value: share, aim: '>= 0.6', met: share >= 0.6 },
    below('a cached price, p95', cachedPriceP95Ms, 5, 'ms'),
    below('a login', access.loginMs, 400, 'ms'),
    below('/health while twenty log in, p99', access.busyHealthP99Ms, 50, 'ms'),
    below('the check of a token', access.tokenCheckMs, 0.2, 'ms'),
    {
      name: 'notifications a minute',
      value: notificationsPerMinute,
      aim: '>= 10000',
      met: notificationsPerMinute >= 10_000,
    },
  ];
}

function modelAims({ overheadP95Ms, picturesSent, picturesEncoded, ...rest }: ModelTiming): Aim[] {
  return [
    below('around a call to a model, p95', overheadP95Ms, 50, 'ms'),
    below('an analysis of three calls of 2 s', rest.analysisMs / 1000, 4.5, 's'),
    below(`peak memory of the worker, ${String(rest.count)} runs with a model`, rest.workerPeakMb, 800, 'MB'),
    {
      name: 'encodings of a picture that is sent twice',
      value: (2 * picturesEncoded) / picturesSent,
      aim: '1',
      met: picturesSent === 2 * picturesEncoded,
    },
  ];
}

const own = (idle: IdleTiming, figure: 'memoryMb' | 'cpuShare'): number =>
  idle.processes.filter((each) => each.own).reduce((sum, each) => sum + each[figure], 0);

const idleAims = (idle: IdleTiming): Aim[] => [
  below("memory of Keel's own processes, idle", own(idle, 'memoryMb'), 700, 'MB'),
  below("CPU of Keel's own processes, idle", 100 * own(idle, 'cpuShare'), 5, '% of a core'),
];

export function aimsOf(figures: Figures): Aim[] {
  const { run, workerPeakMb } = figures.runs;
  const efficiency = efficiencyOf(figures);
  return [
    below('all indicators, 1,000,000 bars', allIndicatorsMs(figures), 60, 'ms'),
    below('a chart', figures.chart.ms, 60, 'ms'),
    { name: 'efficiency', value: efficiency, aim: '>= 0.7', met: efficiency >= 0.7 },
    below('events of a run', run.events, 100, ''),
    below('history of a run', run.bytes / 1024, 128, 'KB'),
    below('peak memory of the worker', workerPeakMb, 600, 'MB'),
    ...modelAims(figures.model),
    ...platformAims(figures.platform),
    ...idleAims(figures.idle),
    ...brokerAims(figures.broker),
    ...(figures.warmStartMs === null
      ? []
      : [below('warm npm start -- --once', figures.warmStartMs / 1000, 15, 's')]),
  ];
}

/** Columns under one another: the first to the left, the others to the right. */
function table(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join('   ')
      .trimEnd(),
  );
}

function usageRows({ noop, runs, count }: Figures): string[][] {
  const names = ['worker', 'temporal', 'postgres', 'simulator'];
  const row = (title: string, usage: Usage): string[] => [
    title,
    number(count / (usage.wallMs / 1000), 2),
    number(each(usage, count)),
    ...names.map((name) => number((usage.cpuMs[name] ?? NaN) / count)),
  ];
  return [
    [`${String(count)} at once`, 'per second', 'CPU ms each', ...names],
    row('no-op workflows of ten activities, mean of before and after', noop),
    row('strategy runs', runs.usage),
  ];
}

export function textOf(figures: Figures): string {
  const { machine, indicators, chart, runs, model, pacingFactor, platform, idle } = figures;
  const { run, lifecycle } = runs;
  const { access } = platform;
  return [
    `Keel's benchmark: node ${machine.node}, ${String(machine.cpus)} CPUs, load ${number(machine.load)} before it began.`,
    'CPU milliseconds are comparable on a busy machine; wall milliseconds are not.',
    '',
    'Indicators over 1,000,000 bars, beside a plain pass over the same memory',
    ...table([
      ['', 'ms', 'plain ms', 'ratio'],
      ...indicators.map(({ name, ms, ratio }) => [name, number(ms), number(ms / ratio), number(ratio, 2)]),
    ]),
    '',
    `A chart: ${number(chart.ms)} ms on the wall, ${number(chart.cpuMs)} ms of CPU, ${number(chart.bytes / 1024)} KB`,
    '',
    `/health ${number(platform.health)} a second, bare Express ${number(platform.bareExpress)}; a cached price ${number(platform.cachedPriceP95Ms)} ms at p95; ${number(platform.notificationsPerMinute)} notifications a minute`,
    `a login ${number(access.loginMs)} ms, ${number(access.loginMs / access.hashMs, 2)} times its hash; /health at p99 ${number(access.busyHealthP99Ms)} ms while twenty log in, ${number(access.idleHealthP99Ms)} ms while nobody does; the check of a token ${number(access.tokenCheckMs, 3)} ms`,
    '',
    ...brokerLines(figures.broker),
    `Runs through one worker; Temporal in memory, PostgreSQL embedded, pacing ${String(pacingFactor)} times IBKR's limits`,
    ...table(usageRows(figures)),
    `efficiency ${number(efficiencyOf(figures), 2)} = (no-op ${number(each(figures.noop, figures.count))} + charts and indicators alone ${number(workMs(figures))}) / run ${number(each(runs.usage, figures.count))}, CPU ms`,
    `the last run had decided after ${number(runs.decidedMs / 1000)} s, the last had ended after ${number(runs.usage.wallMs / 1000)} s`,
    `history: run ${String(run.events)} events, ${number(run.bytes / 1024)} KB; the workflow of its order ${String(lifecycle.events)} events, ${number(lifecycle.bytes / 1024)} KB`,
    '',
    `A model that answers at once: a question takes ${number(model.overheadP50Ms)} ms, ${number(model.overheadP95Ms)} ms at p95; ${String(model.picturesSent)} pictures sent, ${String(model.picturesEncoded)} encoded`,
    `three calls of 2 s make an analysis of ${number(model.analysisMs / 1000, 2)} s; ${String(model.count)} such runs at once take the worker to ${number(model.workerPeakMb)} MB`,
    '',
    `A Keel with nothing to do, over ${number(idle.seconds)} s`,
    ...table([
      ['', 'MB', '% of a core'],
      ...idle.processes.map((each) => [
        each.own ? each.name : `${each.name} (not Keel's own)`,
        number(each.memoryMb),
        number(100 * each.cpuShare, 2),
      ]),
    ]),
    '',
    'Aims',
    ...table(
      aimsOf(figures).map(({ name, value, aim, met }) => [
        name,
        number(value, 2),
        aim,
        met ? 'met' : 'NOT met',
      ]),
    ),
  ].join('\n');
}
