// Retries of one run over two profiles, against a server that says 503: whose recorded answer counts, and who is asked.
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { CallRow, ConversationStore } from '../../ports/conversations.js';
import { KeelError } from '../../ports/errors.js';
import type { Parsed } from './answers.js';
import { createAsk } from './ask.js';
import { converse } from './converse.js';
import type { ModelProfile } from './profile.js';
import type { ModelRequest } from './request.js';

/** What each model does next: a status with what it asks to wait, or the words of its answer. */
const scripts = new Map<string, (number | string)[]>();
const asked: { readonly model: string; readonly pictures: boolean }[] = [];

const server = createServer((request, response) => {
  const parts: Buffer[] = [];
  request.on('data', (part: Buffer) => parts.push(part));
  request.on('end', () => {
    const body = Buffer.concat(parts).toString();
    const { model } = JSON.parse(body) as { model: string };
    asked.push({ model, pictures: body.includes('data:image/png') });
    const next = scripts.get(model)?.shift() ?? `of ${model}`;
    const status = typeof next === 'number' ? next : 200;
    response.writeHead(status, { 'content-type': 'application/json', 'retry-after': '2' });
    response.end(
      JSON.stringify(status === 200 ? answerOf(model, String(next)) : { error: { message: 'no' } }),
    );
  });
});
// A starved machine may send on a connection that a server closes as idle; that is no answer of any script.
server.keepAliveTimeout = 0;
const answerOf = (model: string, content: string) => ({
  ...{ id: 'c-1', object: 'chat.completion', created: 0, model },
  choices: [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content, refusal: null } }],
  usage: { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 },
});

let url = '';
beforeAll(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});
beforeEach(() => {
  scripts.clear();
  asked.length = 0;
});

type Store = Pick<ConversationStore, 'reserve' | 'settle' | 'answered' | 'reuse' | 'byRun'>;

/** The table in memory, with its rule: any answer of the same run, a good one of another. */
function memoryCalls(rows: CallRow[]): Store {
  const open = {
    state: 'reserved',
    ...{ outcome: null, code: null, down: null, message: null, modelAnswered: null },
    ...{ fingerprint: null, responseId: null, requestId: null, finishReason: null, inputTokens: null },
    ...{ cachedTokens: null, outputTokens: null, costUsd: null, answer: null, ms: null, cachedFrom: null },
    ...{ startedAt: '', endedAt: null },
  } as const;
  return {
    reserve: (call) => {
      const id = String(rows.push({ ...call, ...open, id: String(rows.length) }) - 1);
      return Promise.resolve({ kind: 'reserved', id });
    },
    settle: (id, result) => {
      rows.splice(Number(id), 1, { ...(rows[Number(id)] as CallRow), ...result });
      return Promise.resolve();
    },
    answered: (key, runId) => {
      const found = rows.filter(({ contentKey, state }) => contentKey === key && state === 'answered');
      const own = found.find((row) => row.runId === runId);
      return Promise.resolve(own ?? found.find(({ outcome }) => outcome === 'ok') ?? null);
    },
    reuse: (call, from) => {
      rows.push({ ...from, ...call, id: String(rows.length), cachedFrom: from.id });
      return Promise.resolve();
    },
    byRun: (runId) => Promise.resolve(rows.filter((row) => row.runId === runId)),
  };
}

function keel() {
  const rows: CallRow[] = [];
  const stored = new Map<string, Uint8Array>();
  const objects = {
    get: (key: string) => Promise.resolve(stored.get(key) ?? new Uint8Array()),
    put: (key: string, bytes: Uint8Array) => {
      stored.set(key, bytes);
      return Promise.resolve();
    },
  };
  const caps = { run: '1', day: '1', month: '1' };
  const deps = { conversations: memoryCalls(rows), objects, clock: { now: () => 0 }, caps, priceDate: '' };
  const askOf = (runId: string, ...profiles: ModelProfile[]) =>
    createAsk(deps, profiles, { runId, strategyId: 's' });
  return { rows, askOf };
}

const profile = (name: string, vision = true): ModelProfile => ({
  ...{ name, baseUrl: url, apiKey: 'none', model: name, api: 'chat', timeoutMs: 20_000, vision },
  ...{
    maxOutputTokens: 100,
    pictureMaxBytes: 1000,
    pictureDetail: 'low',
    price: { input: '1', output: '1' },
  },
});
const question = (purpose: string): ModelRequest => ({
  ...{ purpose, prompts: [], text: `the ${purpose} chart`, inputSha256: '', schemaName: 's', schema: {} },
  ...{ numbersOnly: false, repair: null },
  pictures: [
    {
      ...{ label: 'chart', object: { key: 'p', sha256: 'p', bytes: 1, width: 1200, height: 900 } },
      dataUrl: () => Promise.resolve('data:image/png;base64,AAAA'),
    },
  ],
});
const read = (text: string): Parsed<string> =>
  text === 'bad'
    ? { kind: 'bad', outcome: 'schema_invalid', complaints: ['it is bad'] }
    : { kind: 'ok', value: text };

async function failureOf(work: Promise<unknown>): Promise<KeelError> {
  const error: unknown = await work.catch((caught: unknown) => caught);
  if (error instanceof KeelError) return error;
  throw new Error('did not fail');
}

describe('a step that is tried again after its model was found down', () => {
  it("takes this run's own answer before what another run was answered by the fallback", async () => {
    const { rows, askOf } = keel();
    await askOf('earlier', profile('b'))(question('daily'), read);
    const ask = askOf('run', profile('a'), profile('b'));
    expect(await ask(question('daily'), read)).toEqual({ kind: 'ok', value: 'of a' });
    scripts.set('a', [503]);
    expect((await failureOf(ask(question('weekly'), read))).errorClass).toBe('retryable');
    expect(await ask(question('daily'), read)).toEqual({ kind: 'ok', value: 'of a' });
    const own = rows.filter(({ runId, purpose }) => runId === 'run' && purpose === 'daily');
    expect(own.map(({ profile: whose }) => whose)).toEqual(['a']);
  });

  it('has a fallback without eyes mend what one with eyes has answered', async () => {
    const ask = keel().askOf('run', profile('a'), profile('b', false));
    scripts.set('a', ['bad', 503]);
    await failureOf(converse(ask, question('daily'), read));
    const mended = { kind: 'ok', value: 'of b', numbersOnly: true };
    expect(await converse(ask, question('daily'), read)).toEqual(mended);
    expect(await converse(ask, question('daily'), read), 'and once only').toEqual(mended);
    expect(asked.map(({ model, pictures }) => [model, pictures])).toEqual([
      ['a', true],
      ['a', true],
      ['b', false],
    ]);
  });

  it('asks no fallback with eyes what this run was answered without pictures', async () => {
    const ask = keel().askOf('run', profile('a', false), profile('b'));
    const first = { kind: 'ok', value: 'of a', numbersOnly: true };
    expect(await converse(ask, question('daily'), read)).toEqual(first);
    scripts.set('a', [503]);
    await failureOf(converse(ask, question('weekly'), read));
    expect(await converse(ask, question('daily'), read)).toEqual(first);
    expect(asked.map(({ model }) => model)).toEqual(['a', 'a']);
    expect(await converse(ask, question('weekly'), read)).toMatchObject({
      value: 'of b',
      numbersOnly: false,
    });
  });

  it('waits as it is asked to, but not once the fallback is the next', async () => {
    const ask = keel().askOf('run', profile('a'), profile('b'));
    scripts.set('a', [429, 429, 429]);
    const waits: unknown[] = [];
    for (let time = 0; time < 3; time += 1)
      waits.push((await failureOf(ask(question('daily'), read))).facts['retryAfterMs']);
    expect(waits).toEqual([2000, 2000, undefined]);
    expect(await ask(question('daily'), read)).toEqual({ kind: 'ok', value: 'of b' });
  });
});

describe('a picture that cannot be read', () => {
  it('ends the question before anything is reserved, and nobody is asked', async () => {
    const { rows, askOf } = keel();
    const gone = () => Promise.reject(new KeelError('OBJECT_MISSING', 'there is no such object'));
    const asking = question('daily');
    const pictures = asking.pictures.map((picture) => ({ ...picture, dataUrl: gone }));
    const failed = await failureOf(askOf('run', profile('a'))({ ...asking, pictures }, read));
    expect(failed.code).toBe('OBJECT_MISSING');
    expect(rows).toEqual([]);
    expect(asked).toEqual([]);
  });
});
