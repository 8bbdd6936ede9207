// `keel eval`: walks an analyst over stored bars without a look ahead and reports how right it was. Called by cli/main.ts.
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { createPlots } from '../../adapters/charts/plots.js';
import { createMachineClock } from '../../adapters/clocks/machine.js';
import type { ModelProfile } from '../../adapters/openai/profile.js';
import { loadConfig } from '../../config/load.js';
import type { ModelConfig } from '../../config/model.js';
import { createNyseCalendar } from '../../domain/market/nyse.js';
import { modelProfiles } from '../../worker/model.js';
import { Refusal } from '../csvFile.js';
import { askModel, askRules, readProfile, type Asker } from '../eval/asker.js';
import { evaluateSeries, type EvaluateOptions, type SeriesReport } from '../eval/evaluate.js';
import { htmlOf } from '../eval/html.js';
import { reportJson, reportOf } from '../eval/report.js';
import { ownData, readSeries } from '../eval/series.js';
import { parseArguments } from '../arguments.js';
import { noProgress, type ShowProgress } from '../progress.js';
import type { Say } from '../say.js';
import { wrap } from '../say.js';
import { writeFileAtomically } from '../supervisor/records.js';
import { UsageError } from '../supervisor/options.js';
import { weeksOf } from '../weeks.js';

export const evalHelp = `Usage: keel eval [--data aapl|sp500|FILE]... [--analyst rules|openai] [options]

Lets an analyst decide at dates of the past, on bars until then, and measures what came of it: beside the rules, a
coin, and buying and holding. Needs nothing that runs. Writes FOLDER/report.json and FOLDER/report.html.

  --data DATA       aapl, sp500, or a CSV file with Date,Open,High,Low,Close,Volume; may be given again (both of ours)
  --analyst NAME    rules (the default), or openai: a model, the one that the environment names unless --profile says another
  --profile NAME    which of the model profiles of the settings is asked (default)
  --horizon N       sessions from a decision to the close that judges it (10)
  --step N          sessions between decisions (the horizon; less makes outcomes overlap)
  --decisions N     at most so many of each series, evenly over it (all)
  --repeats N       how often each question is asked (2)
  --seed N          of the coin (1)
  --cost SHARE      what a purchase or a sale costs, as a share of its value (0.0005)
  --out FOLDER      where the report goes (eval)
  --answers FOLDER  where the answers of one profile are kept and found again (answers in the folder of --out)
  --recorded        asks nobody: only recorded answers are used
  --budget USD      most that all calls of the answers' folder may cost (the day's cap of the settings)
  --named           tells the model symbol, dates and prices as they were; it may then answer from memory

A question costs up to three calls, and one more for each repair; each decision is asked --repeats times and once mirrored.

Examples:
  keel eval --data aapl
  keel eval --data mine.csv --analyst openai --decisions 50 --budget 2`;

const text = { type: 'string' } as const;
const flag = { type: 'boolean' } as const;

function readArguments(args: readonly string[]) {
  return parseArguments({
    args: [...args],
    options: {
      data: { type: 'string', multiple: true },
      ...{ analyst: text, horizon: text, step: text, decisions: text, repeats: text, seed: text, cost: text },
      ...{ out: text, answers: text, budget: text, profile: text, recorded: flag, named: flag },
    },
  }).values;
}

type Values = ReturnType<typeof readArguments>;

function whole(name: string, given: string | undefined, fallback: number, least = 1): number {
  if (given === undefined) return fallback;
  const value = /^\d{1,9}$/.test(given) ? Number(given) : NaN;
  if (!(value >= least))
    throw new UsageError(`--${name} is a whole number from ${String(least)}, not ${given}`);
  return value;
}

function shareOf(name: string, given: string | undefined, fallback: number): number {
  if (given === undefined) return fallback;
  const value = /^0(\.\d{1,8})?$/.test(given) ? Number(given) : NaN;
  if (!(value <= 0.1))
    throw new UsageError(`--${name} is a share from 0 to 0.1, such as 0.0005, not ${given}`);
  return value;
}

function optionsOf(values: Values): EvaluateOptions {
  const horizon = whole('horizon', values.horizon, 10);
  return {
    horizon,
    step: whole('step', values.step, horizon),
    decisions: values.decisions === undefined ? null : whole('decisions', values.decisions, 1),
    repeats: whole('repeats', values.repeats, 2),
    seed: whole('seed', values.seed, 1, 0),
    cost: shareOf('cost', values.cost, 0.0005),
  };
}

/** @returns 0 when the report is written; 1 when not one opinion was got, or something is wrong */
export async function evalCommand(
  args: readonly string[],
  out: Say,
  err: Say,
  env: NodeJS.ProcessEnv,
  progress: ShowProgress = noProgress,
): Promise<number> {
  const values = readArguments(args);
  const options = optionsOf(values);
  const folder = path.resolve(values.out ?? 'eval');
  try {
    const { asker, rules } = await askersOf(values, folder, env);
    const calendar = createNyseCalendar();
    const reports: SeriesReport[] = [];
    for (const data of values.data ?? ownData) {
      const series = await readSeries(data, calendar);
      const noted = progress(`${series.name}, decisions`);
      const weeks = (daily: Parameters<typeof weeksOf>[0]) => weeksOf(daily, calendar);
      reports.push(await evaluateSeries(series, asker, rules, options, weeks, noted));
    }
    const report = reportOf(asker, options, reports);
    mkdirSync(folder, { recursive: true });
    writeFileAtomically(path.join(folder, 'report.json'), reportJson(report), 0o644);
    writeFileAtomically(path.join(folder, 'report.html'), htmlOf(report, createPlots()), 0o644);
    for (const { name, dates, findings } of report.series) {
      out(`${name}: ${String(dates.length)} decisions, ${dates[0] ?? 'none'} to ${dates.at(-1) ?? 'none'}`);
      for (const finding of findings) out(wrap(finding, 100, '  '));
    }
    out(`Written to ${path.join(folder, 'report.html')} and report.json beside it.`);
    return report.series.some(({ said }) => said.some((each) => /^(buy|sell|hold)$/.test(each))) ? 0 : 1;
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    for (const line of error.lines) err(line);
    return 1;
  }
}

async function askersOf(
  values: Values,
  folder: string,
  env: NodeJS.ProcessEnv,
): Promise<{ readonly asker: Asker; readonly rules: Asker }> {
  const { analyst = 'rules', recorded = false, named = false } = values;
  const { model, risk } = loadConfig(env, { need: ['model', 'risk'] });
  const limits = {
    minimumRCoefficient: Number(risk.minimumRCoefficient),
    priceCollar: Number(risk.priceCollar),
    costShare: Number(risk.cashReserve),
  };
  const rules = askRules(limits);
  if (analyst === 'rules') {
    if (values.profile !== undefined)
      throw new UsageError('--profile is of a model: give --analyst openai too');
    return { asker: rules, rules };
  }
  if (analyst !== 'openai') throw new UsageError(`--analyst is rules or openai, not ${analyst}`);
  const budget = values.budget ?? model.budget.day;
  if (!/^\d+(\.\d{1,6})?$/.test(budget)) throw new UsageError(`--budget is an amount of USD, not ${budget}`);
  const answers = path.resolve(values.answers ?? path.join(folder, 'answers'));
  const { profile, priceDate } = recorded
    ? recordedProfile(answers, values.profile)
    : { profile: configuredProfile(model, values.profile), priceDate: model.prices.date };
  const clock = createMachineClock();
  const common = { budget, folder: answers, recordedOnly: recorded, named, rules: limits, clock };
  return { asker: await askModel({ profile, priceDate, ...common }), rules };
}

/** @throws UsageError where no model is configured, or none of this name */
function configuredProfile(model: ModelConfig, name = 'default'): ModelProfile {
  const profiles = modelProfiles(model);
  if (profiles.size === 0) {
    throw new UsageError(
      'no model is configured: set OPENAI_MODEL with OPENAI_API_KEY or OPENAI_BASE_URL, or give --recorded',
    );
  }
  const found = profiles.get(name);
  if (found !== undefined) return found.profile;
  throw new UsageError(
    `--profile ${name} is none of the settings (KEEL_MODEL_PROFILES): there are ${[...profiles.keys()].join(', ')}`,
  );
}

/** @throws Refusal where the folder has no profile, or another one than was asked for */
function recordedProfile(folder: string, wanted: string | undefined): ReturnType<typeof readProfile> {
  const found = readProfile(folder);
  const { name } = found.profile;
  if (wanted === undefined || wanted === name) return found;
  throw new Refusal([
    `${path.join(folder, 'profile.json')} is of the profile ${name}, not ${wanted}: name the folder of its answers with --answers`,
  ]);
}
