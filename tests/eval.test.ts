// `keel eval` with a model behind the protocol: asks, keeps what it was answered, and needs the server no more. With
// RECORD_EVAL=1 it writes the recorded set of cli/eval/testdata anew.
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { askModel, askRules, type ModelOptions } from '../cli/eval/asker.js';
import { evaluateSeries, type EvaluateOptions } from '../cli/eval/evaluate.js';
import { reportJson, reportOf, type Report } from '../cli/eval/report.js';
import { readSeries } from '../cli/eval/series.js';
import { weeksOf } from '../cli/weeks.js';
import { createNyseCalendar } from '../domain/market/nyse.js';
import { buyText, readingText } from './support/openai/replies.js';
import { startOpenaiStub, type OpenaiStub, type Reply, type StubCall } from './support/openai/stub.js';
import { keel } from './support/start.js';
import { tempFolder } from './support/temp.js';

const folder = tempFolder('eval');
let stub: OpenaiStub;

/** Follows the last twenty days, and changes its mind now and then when it is asked again. */
const follow = (call: StubCall): Reply => {
  if (call.purpose !== 'decision') return { kind: 'text', text: readingText() };
  const change = Number(/"bars20":(-?[\d.e-]+)/.exec(call.text)?.[1] ?? 0);
  const again = stub.calls.filter(({ hash }) => hash === call.hash).length > 1;
  const confidence = 50 + Math.min(40, Math.round(Math.abs(change) * 400));
  const none = { entry: null, stop: null, target: null, confidence };
  if (Math.abs(change) < 0.02 || (again && Number.parseInt(call.hash.slice(0, 2), 16) < 64)) {
    return { kind: 'text', text: buyText(call, { action: 'hold', ...none }) };
  }
  const text = change > 0 ? buyText(call, { confidence }) : buyText(call, { action: 'sell', ...none });
  return { kind: 'text', text };
};

beforeAll(async () => {
  stub = await startOpenaiStub(follow);
});
afterAll(async () => {
  await stub.close();
  folder.remove();
});

const limits = { minimumRCoefficient: 1.5, priceCollar: 0.05, costShare: 0.01 };
const options: EvaluateOptions = { horizon: 10, step: 10, decisions: 12, repeats: 2, seed: 1, cost: 0.0005 };

const modelOptions = (answers: string, change: Partial<ModelOptions> = {}): ModelOptions => ({
  profile: {
    ...{ name: 'default', baseUrl: stub.url, apiKey: '', model: 'test-stand-in', api: 'chat' },
    ...{ timeoutMs: 10_000, maxOutputTokens: 6000, pictureMaxBytes: 4_000_000, pictureDetail: 'high' },
    ...{ vision: false, price: { input: '1.25', output: '10' } },
  },
  ...{ priceDate: '2025-08-07', budget: '5', folder: answers, recordedOnly: false, named: false },
  ...{ rules: limits, clock: { now: () => 0 } },
  ...change,
});

async function reportBy(model: ModelOptions, walk: EvaluateOptions): Promise<Report> {
  const calendar = createNyseCalendar();
  const weeks = (daily: Parameters<typeof weeksOf>[0]) => weeksOf(daily, calendar);
  const asker = await askModel(model);
  const series = await readSeries('aapl', calendar);
  const nobody = (): void => undefined;
  return reportOf(asker, walk, [await evaluateSeries(series, asker, askRules(limits), walk, weeks, nobody)]);
}

describe('keel eval with a model', () => {
  it('asks three calls a question, and then needs the server no more', async () => {
    const recording = process.env['RECORD_EVAL'] !== undefined;
    const answers = recording ? path.resolve('cli/eval/testdata/answers') : path.join(folder.path, 'numbers');
    if (recording) rmSync(answers, { recursive: true, force: true });
    const asked = await reportBy(modelOptions(answers), options);
    // Two repetitions and one mirrored chart, of twelve decisions.
    expect(stub.calls).toHaveLength(3 * 3 * 12);
    expect(stub.refused).toEqual([]);
    expect(asked.series[0]?.participants['openai']?.all).toMatchObject({ decisions: 12, failed: {} });
    expect(asked.series[0]?.cost).toEqual({
      ...{ calls: 36, usd: '0.1764', decisions: 12, perDecision: '0.014700' },
      all: { calls: 108, usd: '0.5292' },
    });
    const again = await reportBy(modelOptions(answers, { recordedOnly: true, budget: '0' }), options);
    expect(reportJson(again)).toBe(reportJson(asked));
    expect(stub.calls).toHaveLength(108);
    expect(
      stub.calls.some(({ text }) => /AAPL|20[01]\d-/.test(text.replaceAll(/200[01]-\d\d-\d\d/g, ''))),
    ).toBe(false);
    if (!recording) return;
    rmSync(path.join(answers, 'objects', 'prompts'), { recursive: true });
    writeFileSync('cli/eval/testdata/report.json', reportJson(asked));
  });

  it('as a command: pictures, a budget that ends the asking, and a report that says so', async () => {
    const before = stub.calls.length;
    const env = { OPENAI_BASE_URL: stub.url, OPENAI_MODEL: 'test-vision' };
    const out = path.join(folder.path, 'report');
    const args = ['eval', '--data', 'aapl', '--analyst', 'openai', '--decisions', '3', '--repeats', '1'];
    const ran = await keel([...args, '--budget', '0.16', '--out', out], env);
    expect(ran.code, ran.err.join('\n')).toBe(0);
    const report = JSON.parse(readFileSync(path.join(out, 'report.json'), 'utf8')) as Report;
    expect(
      stub.calls
        .slice(before)
        .every(({ purpose, pictures }) => pictures.length === (purpose === 'decision' ? 2 : 1)),
    ).toBe(true);
    expect(existsSync(path.join(out, 'answers', 'calls.jsonl'))).toBe(true);
    const failed = report.series[0]?.participants['openai']?.all.failed ?? {};
    expect(failed).toHaveProperty('NOT_ASKED');
    expect(report.series[0]?.findings.join('\n')).toContain('counted as no opinion');
    expect(readFileSync(path.join(out, 'report.html'), 'utf8')).toContain('counted as no opinion');
  });

  it('asks the profile that is named, and finds its answers again by its folder', async () => {
    const before = stub.calls.length;
    const cheap = { model: 'test-cheap', baseUrl: stub.url, key: 'env:OPENAI_API_KEY', vision: false };
    const env = {
      ...{ OPENAI_BASE_URL: stub.url, OPENAI_MODEL: 'test-vision', OPENAI_API_KEY: 'none' },
      KEEL_MODEL_PROFILES: JSON.stringify({ cheap: { ...cheap, price: { input: '0.1', output: '1' } } }),
    };
    const out = path.join(folder.path, 'cheap');
    const few = ['eval', '--data', 'aapl', '--decisions', '2', '--repeats', '1', '--out', out];
    const ran = await keel([...few, '--analyst', 'openai', '--profile', 'cheap'], env);
    expect(ran.code, ran.err.join('\n')).toBe(0);
    const asked = stub.calls.slice(before);
    expect(new Set(asked.map(({ model }) => model))).toEqual(new Set(['test-cheap']));
    const report = readFileSync(path.join(out, 'report.json'), 'utf8');
    expect(JSON.parse(report)).toMatchObject({
      analyst: { model: { profile: 'cheap', model: 'test-cheap', pictures: false } },
      series: [{ cost: { usd: '0.00276' } }],
    });
    // Nobody is configured any more, and nobody is asked.
    const recorded = [...few, '--analyst', 'openai', '--recorded'];
    expect((await keel([...recorded, '--profile', 'cheap'])).code).toBe(0);
    expect(readFileSync(path.join(out, 'report.json'), 'utf8')).toBe(report);
    expect((await keel([...recorded, '--profile', 'strong'])).err.join('\n')).toMatch(
      /is of the profile cheap, not strong/,
    );
    // A folder is of one profile: neither is asked into it, nor replayed from it, what is another's.
    const other = await keel([...few, '--analyst', 'openai'], env);
    expect(other.code).toBe(1);
    expect(other.err.join('\n')).toMatch(
      /asked with name cheap, not default; model test-cheap, not test-vision;.* a folder of its own/,
    );
    expect(readFileSync(path.join(out, 'answers', 'profile.json'), 'utf8')).toContain('test-cheap');
    expect((await keel([...few, '--analyst', 'openai', '--profile', 'sold'], env)).err.join('\n')).toMatch(
      /--profile sold is none of the settings .*: there are default, cheap/,
    );
    const { KEEL_MODEL_PROFILES } = env;
    const alone = await keel([...few, '--analyst', 'openai'], { KEEL_MODEL_PROFILES });
    expect(alone.err.join('\n')).toMatch(/the profile default, which is asked where none is named, is not/);
    expect(stub.calls).toHaveLength(before + asked.length);
  });

  it.each([
    [['--analyst', 'openai'], /no model is configured/],
    [['--profile', 'cheap'], /--profile is of a model/],
    [['--horizon', '0'], /--horizon is a whole number/],
    [['--data', '/nowhere.csv'], /can not be read/],
    [['--analyst', 'openai', '--recorded', '--answers', '/nowhere'], /can not be read/],
  ])('refuses %j in words', async (args, words) => {
    const ran = await keel(['eval', ...args, '--out', path.join(folder.path, 'none')]);
    expect(ran.code).toBeGreaterThan(0);
    expect(ran.err.join('\n')).toMatch(words);
  });
});
