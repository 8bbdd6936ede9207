// `npm start` with a model, as a person would: the Responses API, a filled order, the summary, and the decision verified,
// replayed and explained by processes that ask nobody.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { resetCluster } from '../cli/supervisor/postgres.js';
import { good } from './support/openai/replies.js';
import { startOpenaiStub, type OpenaiStub } from './support/openai/stub.js';
import { keel, npmStart, type Ended } from './support/start.js';
import { tempFolder } from './support/temp.js';

interface Summary {
  readonly outcome: string;
  readonly charts: readonly { readonly timeframe: string; readonly sha256: string }[];
  readonly decision: { readonly analyst: string; readonly action: string };
  readonly model: {
    readonly model: string;
    readonly costUsd: string;
    readonly inputTokens: number;
    readonly prompts: readonly { readonly name: string; readonly sha256: string }[];
    readonly calls: readonly { readonly purpose: string; readonly pictures: readonly string[] }[];
  };
  readonly objectDir: string;
}

const folder = tempFolder('analyst-start');
const file = path.join(folder.path, 'out.json');
const dataDir = path.join(folder.path, 'keel');
let stub: OpenaiStub;
let started: Ended;
let summary: Summary;

beforeAll(async () => {
  stub = await startOpenaiStub(good);
  started = await npmStart(['--once', '--json', file, '--data-dir', dataDir], {
    OPENAI_BASE_URL: stub.url,
    OPENAI_MODEL: 'test-vision',
    OPENAI_API: 'responses',
  });
  summary = JSON.parse(readFileSync(file, 'utf8')) as Summary;
});

afterAll(async () => {
  await stub.close();
  resetCluster(dataDir);
  folder.remove();
});

describe('npm start with a base URL and a model', () => {
  it('takes the path of the model to a filled order, in three calls with the stored pictures', () => {
    expect(started.code, started.err.join('\n')).toBe(0);
    expect(summary).toMatchObject({ outcome: 'FILLED', decision: { analyst: 'openai', action: 'buy' } });
    const hashes = Object.fromEntries(summary.charts.map(({ timeframe, sha256 }) => [timeframe, sha256]));
    const asked = stub.calls.map(({ api, purpose, pictures, key }) => ({ api, purpose, pictures, key }));
    expect(asked).toHaveLength(3);
    for (const { api, purpose, pictures, key } of asked) {
      expect({ api, key }).toEqual({ api: 'responses', key: 'Bearer none' });
      expect(pictures).toEqual(
        purpose === 'decision' ? [hashes['daily'], hashes['weekly']] : [hashes[purpose]],
      );
    }
    expect(stub.refused).toEqual([]);
  });

  it('names model, prompts, tokens and cost in the summary and on the screen', () => {
    expect(summary.model).toMatchObject({
      model: 'test-vision-2026-01-01',
      inputTokens: 3600,
      costUsd: '0.0147',
    });
    expect(summary.model.prompts.map(({ name }) => name).sort()).toEqual([
      'consolidation-1',
      'daily-1',
      'decision-1',
      'weekly-1',
    ]);
    expect(started.out.join('\n')).toContain('0.0147 USD at prices of');
  });

  it('is verified and replayed byte by byte without a call', async () => {
    const [verified, replayed, explained] = [
      await keel(['verify', file]),
      await keel(['replay', file]),
      await keel(['explain', file]),
    ];
    expect(verified.out.at(-1)).toMatch(/^Verified: all \d+ checks hold\.$/);
    expect(replayed.out.at(-1)).toMatch(/^Replayed: buy by openai /);
    expect(explained.out.at(-1)).toBe('Every hash holds.');
    expect(stub.calls).toHaveLength(3);
  });

  it.each(['bars', 'charts', 'prompts', 'answers', 'decisions'])(
    'differs when one byte of the %s is altered',
    async (kind) => {
      const directory = path.join(summary.objectDir, kind);
      const name = path.join(directory, readdirSync(directory).sort()[0] ?? '');
      const bytes = readFileSync(name);
      const altered = Buffer.from(bytes);
      const middle = Math.floor(altered.length / 2);
      altered[middle] = (altered[middle] ?? 0) ^ 1;
      writeFileSync(name, altered);
      try {
        const replayed = await keel(['replay', file]);
        expect(replayed.code).toBe(1);
        expect(replayed.out.at(-1)).toMatch(/^Differs: OBJECT_DAMAGED/);
      } finally {
        writeFileSync(name, bytes);
      }
    },
  );
});
