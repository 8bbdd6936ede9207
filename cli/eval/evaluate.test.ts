// The committed reports, made again: the rules on the repository's bars, and a recorded set of a stand-in model's answers.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, vi } from 'vitest';
import { createPlots } from '../../adapters/charts/plots.js';
import { createNyseCalendar } from '../../domain/market/nyse.js';
import { weeksOf } from '../weeks.js';
import { askModel, askRules, readProfile } from './asker.js';
import { evaluateSeries, type EvaluateOptions } from './evaluate.js';
import { htmlOf } from './html.js';
import { reportJson, reportOf, type Report } from './report.js';
import { ownData, readSeries } from './series.js';

const calendar = createNyseCalendar();
const weeks = (daily: Parameters<typeof weeksOf>[0]) => weeksOf(daily, calendar);
const limits = { minimumRCoefficient: 1.5, priceCollar: 0.05, costShare: 0.01 };
const options: EvaluateOptions = {
  horizon: 10,
  step: 10,
  decisions: null,
  repeats: 2,
  seed: 1,
  cost: 0.0005,
};
const rules = askRules(limits);
const at = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
const nobody = (): void => undefined;
const withoutPictures = (html: string): string => html.replaceAll(/base64,[A-Za-z0-9+/=]+/g, 'base64,');

vi.setConfig({ testTimeout: 240_000 });

describe('docs/eval', () => {
  it('holds the figures of the rules as they are', async () => {
    const reports = [];
    for (const data of ownData) {
      reports.push(
        await evaluateSeries(await readSeries(data, calendar), rules, rules, options, weeks, nobody),
      );
    }
    const report = reportOf(rules, options, reports);
    expect(reportJson(report), 'run keel eval --out docs/eval again').toBe(
      readFileSync(at('../../docs/eval/report.json'), 'utf8'),
    );
    const html = htmlOf(report, createPlots());
    expect(withoutPictures(html)).toBe(
      withoutPictures(readFileSync(at('../../docs/eval/report.html'), 'utf8')),
    );
    expect(html).not.toMatch(/(src|href)="?https?:/);
  });
});

describe('a recorded set of answers', () => {
  const folder = at('testdata/answers');
  const recorded = (): ReturnType<typeof askModel> =>
    askModel({
      ...readProfile(folder),
      ...{ budget: '0', folder, recordedOnly: true, named: false, rules: limits, clock: { now: () => 0 } },
    });
  const few: EvaluateOptions = { ...options, decisions: 12 };

  it('is evaluated without a call, to the committed report', async () => {
    const asker = await recorded();
    const series = await readSeries('aapl', calendar);
    const report = reportOf(asker, few, [await evaluateSeries(series, asker, rules, few, weeks, nobody)]);
    const text = readFileSync(at('testdata/report.json'), 'utf8');
    expect(JSON.parse(reportJson(report))).toEqual(JSON.parse(text) as Report);
    const [part] = report.series;
    expect(Object.keys(part?.participants ?? {})).toEqual(['openai', 'rules', 'always up', 'coin']);
    expect(part?.participants['openai']?.all.failed).toEqual({});
    expect(part?.cost.calls).toBe(36);
    expect(part?.agreement.hits).toBeLessThan(part?.agreement.of ?? 0);
  });

  it('answers no other question: a failure, and no opinion', async () => {
    const series = await readSeries('sp500', calendar);
    const other = { ...few, decisions: 2 };
    const result = await evaluateSeries(series, await recorded(), rules, other, weeks, nobody);
    expect(result.participants['openai']?.all.failed).toEqual({ ANSWER_NOT_RECORDED: 2 });
    expect(result.participants['openai']?.all.accuracy.of).toBe(0);
  });
});

describe('a report', () => {
  it('says that overlapping outcomes make its intervals too narrow', async () => {
    const overlapping = { ...options, step: 5, decisions: 20 };
    const series = await evaluateSeries(
      await readSeries('aapl', calendar),
      rules,
      rules,
      overlapping,
      weeks,
      nobody,
    );
    const report = reportOf(rules, overlapping, [series]);
    expect(report.options.overlapping).toBe(true);
    expect(report.series[0]?.findings.join()).toContain('too narrow');
  });
});
